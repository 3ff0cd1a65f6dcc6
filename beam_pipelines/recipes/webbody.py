"""The recipe webbody: a list of image URLs -> bodies and faces of clean identities, bundled and split."""

from typing import Literal

from pydantic import Field

from beam_pipelines.recipes.recipe import Recipe, RecipeConfig
from model_handlers.models.roles import KnownModels
from transforms.bundle.bundle_stage import write_bundle
from transforms.bundle.settings import BundleSettings
from transforms.fetch.deduplicate_stage import DUPLICATES, drop_duplicates
from transforms.fetch.http.download_stage import download_images
from transforms.fetch.http.settings import DownloadSettings
from transforms.fetch.lists.image_settings import ManifestSettings
from transforms.fetch.lists.manifest import new_manifest_rows, split_manifest
from transforms.flow.stages import Stage
from transforms.identity.identity_stage import find_identities
from transforms.identity.settings import IdentitySettings, SplitSettings
from transforms.identity.splits_stage import split_identities
from transforms.identity.thresholds import Chosen, of_model
from transforms.vision.bodies_stage import find_bodies
from transforms.vision.embeddings_stage import embed_faces
from transforms.vision.faces_stage import find_faces
from transforms.vision.settings import BodySettings, EmbeddingSettings, FaceSettings


class WebbodyConfig(RecipeConfig):
    """The configuration of the recipe webbody."""

    recipe: Literal["webbody"] = Field("webbody", description="the recipe's name")
    jobs: list[list[str]] = Field(
        [["download"], ["bodies", "faces", "embeddings"], ["identity"], ["bundle", "splits"]],
        description="the stages of each job; `deduplicate` may stand after download, the last ones may be left out. "
        "Where splits stands in a job before bundle's, the sink arcface writes a set for each split too",
    )
    manifest: ManifestSettings = ManifestSettings()
    fetch: DownloadSettings = DownloadSettings()
    bodies: BodySettings = BodySettings()
    faces: FaceSettings = FaceSettings()
    embeddings: EmbeddingSettings = EmbeddingSettings()
    identity: IdentitySettings = IdentitySettings()
    bundle: BundleSettings = BundleSettings()
    splits: SplitSettings = SplitSettings()


def stages(config: WebbodyConfig, models: KnownModels) -> list[Stage]:
    """All stages of the recipe, in order."""
    identity = Chosen(config.identity)
    if config.has_stage("identity"):
        identity = of_model(config.identity, models.of(embedding=config.embeddings.model)["embedding"])
    named = [name for names in config.jobs for name in names if name in ("bundle", "splits")]
    splits_first = named == ["splits", "bundle"]
    last = [write_bundle(config.bundle, with_splits=splits_first), split_identities(config.splits)]
    return [
        download_images(config.fetch),
        drop_duplicates(),
        find_bodies(config.bodies, models, without=DUPLICATES if config.has_stage("deduplicate") else None),
        find_faces(config.faces, models),
        embed_faces(config.embeddings, models),
        find_identities(identity),
        *(last[::-1] if splits_first else last),
    ]


RECIPE = Recipe("webbody", WebbodyConfig, stages, split_manifest, new_rows=new_manifest_rows)
