"""The recipe anonymize: a list of videos -> each of them with its faces and licence plates covered, and what was."""

from typing import Literal

from pydantic import Field

from beam_pipelines.recipes.recipe import Recipe, RecipeConfig
from model_handlers.models.roles import KnownModels
from transforms.anonymizing.anonymized_settings import AnonymizedVideoSettings
from transforms.anonymizing.anonymized_stage import write_anonymized
from transforms.anonymizing.covers_settings import CoverSettings, PaintSettings
from transforms.anonymizing.covers_stage import find_covers
from transforms.fetch.lists.video_manifest import new_video_rows, split_videos
from transforms.fetch.lists.video_settings import VideoManifestSettings
from transforms.fetch.videos.download_stage import download_videos
from transforms.fetch.videos.settings import VideoDownloadSettings
from transforms.flow.stages import Stage
from transforms.videos.shot_settings import ShotSettings
from transforms.videos.shots_stage import find_shots


class AnonymizeConfig(RecipeConfig):
    """The configuration of the recipe anonymize."""

    recipe: Literal["anonymize"] = Field("anonymize", description="the recipe's name")
    jobs: list[list[str]] = Field(
        [["download", "shots", "covers"], ["anonymized"]], description="the stages of each job"
    )
    manifest: VideoManifestSettings = VideoManifestSettings()
    fetch: VideoDownloadSettings = VideoDownloadSettings()
    shots: ShotSettings = Field(
        ShotSettings(detector="none"),
        description="what is looked at as one: with none, a whole video, or each of its listed spans; only what is in "
        "a shot can be written",
    )
    covers: CoverSettings = CoverSettings()
    paint: PaintSettings = PaintSettings()
    anonymized: AnonymizedVideoSettings = AnonymizedVideoSettings()


def stages(config: AnonymizeConfig, models: KnownModels) -> list[Stage]:
    """All stages of the recipe, in order."""
    return [
        download_videos(config.fetch),
        find_shots(config.shots, models),
        find_covers(config.covers, models),
        write_anonymized(config.anonymized, config.paint),
    ]


RECIPE = Recipe("anonymize", AnonymizeConfig, stages, split_videos, new_rows=new_video_rows)
