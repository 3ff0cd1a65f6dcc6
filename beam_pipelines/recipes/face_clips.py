"""The recipe face_clips: a list of videos -> square clips of one stable face each, with scores and metadata."""

from typing import Literal

from pydantic import Field, model_validator

from beam_pipelines.recipes.recipe import Recipe, RecipeConfig
from model_handlers.models.roles import KnownModels
from transforms.anonymizing.anonymized_settings import AnonymizedVideoSettings
from transforms.anonymizing.anonymized_stage import write_anonymized
from transforms.anonymizing.covered_shots import covering
from transforms.anonymizing.covers_settings import CoverSettings, PaintSettings
from transforms.anonymizing.covers_stage import find_covers
from transforms.bundle.metadata_stage import write_clip_metadata
from transforms.fetch.lists.video_manifest import new_video_rows, split_videos
from transforms.fetch.lists.video_settings import VideoManifestSettings
from transforms.fetch.videos.download_stage import download_videos
from transforms.fetch.videos.settings import VideoDownloadSettings
from transforms.flow.stages import Stage
from transforms.videos.parts_stage import PartSettings, check_encoded, write_parts
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
        description="the stages of each job; after shots, in jobs of their own, `covers` finds what must not be seen, "
        "`anonymized` writes each video without it, and `parts` each shot as a file",
    )
    manifest: VideoManifestSettings = VideoManifestSettings()
    fetch: VideoDownloadSettings = VideoDownloadSettings()
    shots: ShotSettings = ShotSettings(detector="fixed", fixed_seconds=300)
    covers: CoverSettings = Field(
        CoverSettings(around=0.5),
        description="what is covered in `anonymized` and `parts`, and in clips if they say so",
    )
    paint: PaintSettings = PaintSettings()
    anonymized: AnonymizedVideoSettings = AnonymizedVideoSettings()
    parts: PartSettings = PartSettings()
    spans: SpanSettings = SpanSettings()
    clips: ClipSettings = ClipSettings()

    @model_validator(mode="after")
    def _what_is_covered_is_encoded(self) -> "FaceClipsConfig":
        covers = self.has_stage("covers")
        if covers and self.has_stage("parts"):
            check_encoded(self.parts)
        if self.clips.cover and self.has_stage("clips") and not covers:
            raise ValueError("clips.cover needs the stage covers: add it to jobs, after shots and before clips.")
        return self


def stages(config: FaceClipsConfig, models: KnownModels) -> list[Stage]:
    """All stages of the recipe, in order."""
    covered = covering(config.paint) if config.has_stage("covers") else None
    return [
        download_videos(config.fetch),
        find_shots(config.shots, models),
        find_covers(config.covers, models),
        write_anonymized(config.anonymized, config.paint),
        write_parts(config.parts, covered if config.has_stage("parts") else None),
        find_face_spans(config.spans, models),
        write_clips(config.clips, models, covered if config.clips.cover else None),
        write_clip_metadata(),
    ]


RECIPE = Recipe("face_clips", FaceClipsConfig, stages, split_videos, new_rows=new_video_rows)
