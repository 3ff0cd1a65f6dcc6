"""The recipe object_tracks: a list of videos -> objects followed through their shots, with classes and clips."""

from typing import Literal

from pydantic import Field

from beam_pipelines.recipes.recipe import Recipe, RecipeConfig
from model_handlers.models.roles import KnownModels
from transforms.fetch.lists.video_manifest import split_videos
from transforms.fetch.lists.video_settings import VideoManifestSettings
from transforms.fetch.videos.download_stage import download_videos
from transforms.fetch.videos.settings import VideoDownloadSettings
from transforms.flow.stages import Stage
from transforms.tables.track_rows import PassedShot
from transforms.tables.video_rows import Shot
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
        [["download", "shots"], ["objects"], ["tracks"]], description="the stages of each job"
    )
    manifest: VideoManifestSettings = VideoManifestSettings()
    fetch: VideoDownloadSettings = VideoDownloadSettings()
    shots: ShotSettings = ShotSettings(min_seconds=3, max_seconds=600)
    objects: ObjectSettings = ObjectSettings()
    tracks: TrackSettings = TrackSettings()


def stages(config: ObjectTracksConfig, models: KnownModels) -> list[Stage]:
    """All stages of the recipe, in order."""
    objects = find_objects(config.objects, models, PassedShot if config.has_stage("filters") else Shot)
    return [
        download_videos(config.fetch),
        find_shots(config.shots, models),
        objects,
        find_tracks(config.tracks, objects.models["objects"].classes),
    ]


RECIPE = Recipe("object_tracks", ObjectTracksConfig, stages, split_videos)
