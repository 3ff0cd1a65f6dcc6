"""The recipe face_clips: a list of videos -> square clips of one stable face each, with scores and metadata."""

from typing import Literal

from pydantic import Field

from beam_pipelines.recipes.recipe import Recipe, RecipeConfig
from model_handlers.models.roles import KnownModels
from transforms.bundle.metadata_stage import write_clip_metadata
from transforms.fetch.lists.video_manifest import split_videos
from transforms.fetch.lists.video_settings import VideoManifestSettings
from transforms.fetch.videos.download_stage import download_videos
from transforms.fetch.videos.settings import VideoDownloadSettings
from transforms.flow.stages import Stage
from transforms.videos.parts_stage import PartSettings, write_parts
from transforms.videos.shot_settings import ShotSettings
from transforms.videos.shots_stage import find_shots
from transforms.vision.clip_settings import ClipSettings
from transforms.vision.clips_stage import write_clips
from transforms.vision.span_settings import SpanSettings
from transforms.vision.spans_stage import find_face_spans


class FaceClipsConfig(RecipeConfig):
    """The configuration of the recipe face_clips."""

    recipe: Literal["face_clips"] = Field("face_clips", description="the recipe's name")
    jobs: list[list[str]] = Field(
        [["download", "shots"], ["spans", "clips"], ["metadata"]],
        description="the stages of each job; `parts`, in a job of its own after shots, writes each shot as a file",
    )
    manifest: VideoManifestSettings = VideoManifestSettings()
    fetch: VideoDownloadSettings = VideoDownloadSettings()
    shots: ShotSettings = ShotSettings(detector="fixed", fixed_seconds=300)
    parts: PartSettings = PartSettings()
    spans: SpanSettings = SpanSettings()
    clips: ClipSettings = ClipSettings()


def stages(config: FaceClipsConfig, models: KnownModels) -> list[Stage]:
    """All stages of the recipe, in order."""
    return [
        download_videos(config.fetch),
        find_shots(config.shots, models),
        write_parts(config.parts),
        find_face_spans(config.spans, models),
        write_clips(config.clips, models),
        write_clip_metadata(),
    ]


RECIPE = Recipe("face_clips", FaceClipsConfig, stages, split_videos)
