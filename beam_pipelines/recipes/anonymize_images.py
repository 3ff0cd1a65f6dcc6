"""The recipe anonymize_images: a list of images -> each of them with its faces and licence plates covered."""

from typing import Literal

from pydantic import Field

from beam_pipelines.recipes.recipe import Recipe, RecipeConfig
from model_handlers.models.roles import KnownModels
from transforms.anonymizing.anonymized_settings import AnonymizedImageSettings
from transforms.anonymizing.covers_settings import FindSettings, PaintSettings
from transforms.anonymizing.images_stage import anonymize_images
from transforms.fetch.http.download_stage import download_images
from transforms.fetch.http.settings import DownloadSettings
from transforms.fetch.lists.image_settings import ManifestSettings
from transforms.fetch.lists.manifest import new_manifest_rows, split_manifest
from transforms.flow.stages import Stage
from transforms.images.settings import StoreSettings


class AnonymizeImagesConfig(RecipeConfig):
    """The configuration of the recipe anonymize_images."""

    recipe: Literal["anonymize_images"] = Field("anonymize_images", description="the recipe's name")
    jobs: list[list[str]] = Field([["download"], ["anonymized"]], description="the stages of each job")
    manifest: ManifestSettings = ManifestSettings()
    fetch: DownloadSettings = DownloadSettings(store=StoreSettings(mode="no", quality=95))
    find: FindSettings = FindSettings()
    paint: PaintSettings = PaintSettings()
    anonymized: AnonymizedImageSettings = AnonymizedImageSettings()


def stages(config: AnonymizeImagesConfig, models: KnownModels) -> list[Stage]:
    """All stages of the recipe, in order."""
    return [
        download_images(config.fetch),
        anonymize_images(config.find, config.paint, config.anonymized, models),
    ]


RECIPE = Recipe("anonymize_images", AnonymizeImagesConfig, stages, split_manifest, new_rows=new_manifest_rows)
