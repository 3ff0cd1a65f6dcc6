"""The recipe object_tracks: a list of videos -> objects followed through their shots, with classes, clips and files."""

from typing import Literal

from pydantic import Field

from beam_pipelines.recipes.recipe import Recipe, RecipeConfig
from model_handlers.models.roles import KnownModels
from transforms.bundle.tracks.plan import Sources
from transforms.bundle.tracks.settings import TrackFilesSettings
from transforms.bundle.tracks.track_files_stage import write_track_files
from transforms.fetch.lists.video_manifest import split_videos
from transforms.fetch.lists.video_settings import VideoManifestSettings
from transforms.fetch.videos.download_stage import download_videos
from transforms.fetch.videos.settings import VideoDownloadSettings
from transforms.filtering.filter_settings import FilterSettings
from transforms.filtering.filters_stage import filter_shots
from transforms.flow.stages import Stage
from transforms.tables.track_rows import PassedShot
from transforms.tables.video_rows import Shot
from transforms.tracking.clip_settings import TrackClipSettings
from transforms.tracking.clips_stage import write_track_clips
from transforms.tracking.distinct_stage import LEFT_OUT, DistinctSettings, find_duplicates
from transforms.tracking.object_settings import ObjectSettings
from transforms.tracking.objects_stage import find_objects
from transforms.tracking.track_settings import TrackSettings
from transforms.tracking.tracks_stage import find_tracks
from transforms.videos.shot_settings import ShotSettings
from transforms.videos.shots_stage import find_shots


class ObjectTracksConfig(RecipeConfig):
    """The configuration of the recipe object_tracks."""

    recipe: Literal["object_tracks"] = Field("object_tracks", description="the recipe's name")
    jobs: list[list[str]] = Field(
        [["download", "shots"], ["filters", "objects"], ["tracks"], ["distinct"], ["clips"], ["bundle"]],
        description="the stages of each job; `filters`, and all from `distinct` on, may be left out",
    )
    manifest: VideoManifestSettings = VideoManifestSettings()
    fetch: VideoDownloadSettings = VideoDownloadSettings()
    shots: ShotSettings = ShotSettings(min_seconds=3, max_seconds=600)
    filters: FilterSettings = FilterSettings()
    objects: ObjectSettings = ObjectSettings()
    tracks: TrackSettings = TrackSettings()
    distinct: DistinctSettings = DistinctSettings()
    clips: TrackClipSettings = TrackClipSettings()
    bundle: TrackFilesSettings = TrackFilesSettings()


def stages(config: ObjectTracksConfig, models: KnownModels) -> list[Stage]:
    """All stages of the recipe, in order."""
    shots = PassedShot if config.has_stage("filters") else Shot
    objects = find_objects(config.objects, models, shots)
    left_out = LEFT_OUT if config.has_stage("distinct") else None
    return [
        download_videos(config.fetch),
        find_shots(config.shots, models),
        filter_shots(config.filters, models),
        objects,
        find_tracks(config.tracks, objects.models["objects"].classes),
        find_duplicates(config.distinct, follower="clips", written="clips"),
        write_track_clips(config.clips, without=left_out),
        write_track_files(config.bundle, Sources(shots=objects.reads), left_out, "distinct" if left_out else None),
    ]


RECIPE = Recipe("object_tracks", ObjectTracksConfig, stages, split_videos)
