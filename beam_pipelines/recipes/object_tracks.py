"""The recipe object_tracks: a list of videos -> objects followed through their shots, with classes, clips and files."""

from typing import Literal

from pydantic import Field, model_validator

from beam_pipelines.recipes.recipe import Recipe, RecipeConfig
from model_handlers.models.roles import KnownModels
from transforms.anonymizing.covered_shots import covering
from transforms.anonymizing.covers_settings import CoverSettings, PaintSettings
from transforms.anonymizing.covers_stage import find_covers
from transforms.bundle.tracks.plan import Sources
from transforms.bundle.tracks.settings import TrackFilesSettings
from transforms.bundle.tracks.track_files_stage import write_track_files
from transforms.fetch.lists.video_manifest import new_video_rows, split_videos
from transforms.fetch.lists.video_settings import VideoManifestSettings
from transforms.fetch.videos.download_stage import download_videos
from transforms.fetch.videos.settings import VideoDownloadSettings
from transforms.filtering.filter_settings import BlurredSettings, DarkSettings, FilterSettings, StaticSettings
from transforms.filtering.filters_stage import filter_shots
from transforms.flow.stages import Stage
from transforms.tracking.clip_settings import TrackClipSettings
from transforms.tracking.clips_stage import write_track_clips
from transforms.tracking.distinct_stage import LEFT_OUT, DistinctSettings, find_duplicates
from transforms.tracking.object_settings import ObjectSettings
from transforms.tracking.objects_stage import find_objects
from transforms.tracking.track_settings import TrackSettings
from transforms.tracking.tracker_settings import TrackerSettings
from transforms.tracking.tracks_stage import find_tracks
from transforms.videos.parts_stage import PartSettings, check_encoded, write_parts
from transforms.videos.shot_settings import ShotSettings
from transforms.videos.shots_stage import find_shots


class ObjectTracksConfig(RecipeConfig):
    """The configuration of the recipe object_tracks."""

    recipe: Literal["object_tracks"] = Field("object_tracks", description="the recipe's name")
    jobs: list[list[str]] = Field(
        [["download", "shots"], ["filters", "objects"], ["tracks"], ["distinct"], ["clips"], ["bundle"]],
        description="the stages of each job; `filters`, and all from `distinct` on, may be left out; before objects, "
        "in a job of its own behind filters, `covers` finds the faces that are covered in what is written, and "
        "`parts` writes each shot as a file",
    )
    manifest: VideoManifestSettings = VideoManifestSettings()
    fetch: VideoDownloadSettings = VideoDownloadSettings()
    shots: ShotSettings = ShotSettings(min_seconds=3, max_seconds=600)
    filters: FilterSettings = FilterSettings(
        dark=DarkSettings(least=30), blurred=BlurredSettings(least=40), static=StaticSettings(least=7)
    )
    covers: CoverSettings = Field(CoverSettings(), description="what is covered in `clips` and `parts`")
    paint: PaintSettings = PaintSettings()
    parts: PartSettings = PartSettings(cuts="exact")
    objects: ObjectSettings = ObjectSettings()
    tracks: TrackSettings = TrackSettings(tracker=TrackerSettings(high_score=0.3, new_score=0.3))
    distinct: DistinctSettings = DistinctSettings()
    clips: TrackClipSettings = TrackClipSettings()
    bundle: TrackFilesSettings = TrackFilesSettings()

    @model_validator(mode="after")
    def _what_is_covered_is_encoded(self) -> "ObjectTracksConfig":
        if self.has_stage("covers") and self.has_stage("parts"):
            check_encoded(self.parts)
        return self


def stages(config: ObjectTracksConfig, models: KnownModels) -> list[Stage]:
    """All stages of the recipe, in order."""
    shots = "passed_shots" if config.has_stage("filters") else "shots"
    objects = find_objects(config.objects, models, shots)
    covered = covering(config.paint) if config.has_stage("covers") else None
    left_out = LEFT_OUT if config.has_stage("distinct") else None
    return [
        download_videos(config.fetch),
        find_shots(config.shots, models),
        filter_shots(config.filters, models),
        find_covers(config.covers, models, shots),
        write_parts(config.parts, covered if config.has_stage("parts") else None, shots),
        objects,
        find_tracks(config.tracks, objects.models["objects"].classes),
        find_duplicates(config.distinct, follower="clips", written="clips"),
        write_track_clips(config.clips, left_out, covered),
        write_track_files(config.bundle, Sources(shots=shots), left_out, "distinct" if left_out else None),
    ]


RECIPE = Recipe("object_tracks", ObjectTracksConfig, stages, split_videos, new_rows=new_video_rows)
