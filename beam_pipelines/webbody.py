"""The recipe webbody: a list of image URLs -> bodies and faces of clean identities, bundled and split."""

from typing import Any, Literal

from pydantic import Field

from beam_pipelines.recipe import Recipe, RecipeConfig, made_from
from beam_pipelines.stages import RowStage, Stage, TableStage
from model_handlers import catalogue
from model_handlers.catalogue import Entry
from transforms.bundle.settings import BundleSettings
from transforms.bundle.stage import WriteBundle
from transforms.fetch.deduplicate import DropDuplicates
from transforms.fetch.images import DownloadImages
from transforms.fetch.manifest import split_manifest
from transforms.fetch.settings import DownloadSettings, ManifestSettings
from transforms.identity.settings import IdentitySettings, SplitSettings
from transforms.identity.split_stage import SplitIdentities
from transforms.identity.stage import FindIdentities
from transforms.settings import Settings
from transforms.tables.schemas import Body, Face, Image, Source, arrow_schema
from transforms.vision.bodies import FindBodies
from transforms.vision.embeddings import EmbedFaces, embedding_schema
from transforms.vision.faces import FindFaces
from transforms.vision.settings import BodySettings, EmbeddingSettings, FaceSettings

_ROLES = {"bodies": ("person", "keypoints"), "faces": ("face", "mesh"), "embeddings": ("embedding",)}


class WebbodyConfig(RecipeConfig):
    """The configuration of the recipe webbody."""

    recipe: Literal["webbody"] = "webbody"
    jobs: list[list[str]] = Field(
        [["download"], ["bodies", "faces", "embeddings"], ["identity"], ["bundle", "splits"]],
        description="the stages of each job; `deduplicate` may stand after download, the last ones may be left out",
    )
    manifest: ManifestSettings = ManifestSettings()
    fetch: DownloadSettings = DownloadSettings()
    bodies: BodySettings = BodySettings()
    faces: FaceSettings = FaceSettings()
    embeddings: EmbeddingSettings = EmbeddingSettings()
    identity: IdentitySettings = IdentitySettings()
    bundle: BundleSettings = BundleSettings()
    splits: SplitSettings = SplitSettings()


def models(config: WebbodyConfig) -> dict[str, Entry]:
    """The models that the stages of the configured jobs use, by role."""
    roles = {role for job in config.jobs for stage in job for role in _ROLES.get(stage, ())}
    return {role: entry for role, entry in _entries(config).items() if role in roles}


def _entries(config: WebbodyConfig) -> dict[str, Entry]:
    known = catalogue.load(config.models.catalogue)
    names = {
        "person": config.bodies.person_model,
        "keypoints": config.bodies.keypoint_model,
        "face": config.faces.face_model,
        "mesh": config.faces.mesh_model,
        "embedding": config.embeddings.model,
    }
    return {role: known.get(name) for role, name in names.items() if name is not None}


def stages(config: WebbodyConfig, run: str) -> list[Stage]:
    """All stages of the recipe, in order."""
    download, *vision = _row_stages(config, run, _entries(config))
    deduplicate = TableStage("deduplicate", ("images",), ("duplicates",), DropDuplicates(run), None)
    return [download, deduplicate, *vision, *_table_stages(config, run)]


def _row_stages(config: WebbodyConfig, run: str, entries: dict[str, Entry]) -> list[Stage]:
    device = config.models.device
    deduplicated = any("deduplicate" in job for job in config.jobs)

    def with_models(settings: Settings, *roles: str) -> Any:
        return made_from(settings, {role: entries[role] for role in roles if role in entries}, device)

    download = RowStage(
        name="download",
        reads="manifest",
        row_in=Source,
        writes="images",
        schema=arrow_schema(Image),
        transform=DownloadImages(run, config.fetch),
        made_from=made_from(config.fetch),
        whole_chunks=True,
        much_python=True,
    )
    bodies = RowStage(
        name="bodies",
        reads="images",
        row_in=Image,
        writes="bodies",
        schema=arrow_schema(Body),
        transform=FindBodies(config.bodies, entries, device),
        made_from=with_models(config.bodies, "person", "keypoints"),
        inference=True,
        without="duplicates" if deduplicated else None,
    )
    faces = RowStage(
        name="faces",
        reads="bodies",
        row_in=Body,
        writes="faces",
        schema=arrow_schema(Face),
        transform=FindFaces(config.faces, entries, device),
        made_from=with_models(config.faces, "face", "mesh"),
        inference=True,
    )
    embeddings = RowStage(
        name="embeddings",
        reads="faces",
        row_in=Face,
        writes="embeddings",
        schema=embedding_schema(entries["embedding"]),
        transform=EmbedFaces(config.embeddings, entries, device),
        made_from=with_models(config.embeddings, "embedding"),
        inference=True,
    )
    return [download, bodies, faces, embeddings]


def _table_stages(config: WebbodyConfig, run: str) -> list[Stage]:
    identity = TableStage(
        name="identity",
        reads=("embeddings",),
        tables=("edges", "identities", "label_map", "cleaning"),
        transform=FindIdentities(run, config.identity),
        made_from=made_from(config.identity),
    )
    bundle = TableStage(
        name="bundle",
        reads=("identities", "faces", "bodies"),
        tables=("bundle_index",),
        transform=WriteBundle(run, config.bundle),
        made_from=made_from(config.bundle),
        files=("bundle",),
        follows="identity",
    )
    splits = TableStage(
        name="splits",
        reads=("identities", "bodies"),
        tables=("splits",),
        transform=SplitIdentities(run, config.splits),
        made_from=made_from(config.splits),
        follows="identity",
    )
    return [identity, bundle, splits]


RECIPE = Recipe(
    name="webbody",
    config=WebbodyConfig,
    stages=stages,
    models=models,
    split_manifest=lambda config, manifest, run: split_manifest(manifest, run, config.manifest),
    rows_per_shard=lambda config: config.manifest.rows_per_shard,
)
