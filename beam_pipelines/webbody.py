"""The recipe webbody: a list of image URLs -> bodies and faces of clean identities, bundled and split."""

from functools import partial
from typing import Literal

from pydantic import Field

from beam_pipelines.recipe import Recipe, RecipeConfig, entries, made_from, used
from beam_pipelines.stages import RowStage, Stage, TableStage
from model_handlers.catalogue import Entry
from transforms.bundle.settings import BundleSettings
from transforms.bundle.stage import WriteBundle
from transforms.fetch.deduplicate import DropDuplicates
from transforms.fetch.images import DownloadImages
from transforms.fetch.lists.read import check_list
from transforms.fetch.manifest import split_manifest
from transforms.fetch.settings import DownloadSettings, ManifestSettings
from transforms.identity.settings import IdentitySettings, SplitSettings
from transforms.identity.split_stage import SplitIdentities
from transforms.identity.stage import FindIdentities
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
    return used(config, _ROLES, _entries(config))


def _entries(config: WebbodyConfig) -> dict[str, Entry]:
    names = {
        "person": config.bodies.person_model,
        "keypoints": config.bodies.keypoint_model,
        "face": config.faces.face_model,
        "mesh": config.faces.mesh_model,
        "embedding": config.embeddings.model,
    }
    return entries(config, names, {"face": config.faces.detector_side})


def stages(config: WebbodyConfig, run: str) -> list[Stage]:
    """All stages of the recipe, in order."""
    download, *vision = _row_stages(config, run)
    deduplicate = TableStage("deduplicate", ("images",), ("duplicates",), DropDuplicates(run), {})
    return [download, deduplicate, *vision, *_table_stages(config, run)]


def _row_stages(config: WebbodyConfig, run: str) -> list[Stage]:
    known, device = _entries(config), config.models.device
    depends_on = partial(made_from, entries=known, device=device)
    deduplicated = any("deduplicate" in job for job in config.jobs)

    download = RowStage(
        name="download",
        reads="manifest",
        row_in=Source,
        writes="images",
        schema=arrow_schema(Image),
        transform=DownloadImages(run, config.fetch),
        made_from=made_from({"fetch": config.fetch}),
        whole_chunks=True,
        much_python=True,
    )
    bodies = RowStage(
        name="bodies",
        reads="images",
        row_in=Image,
        writes="bodies",
        schema=arrow_schema(Body),
        transform=FindBodies(config.bodies, known, device),
        made_from=depends_on({"bodies": config.bodies}, _ROLES["bodies"]),
        inference=True,
        without="duplicates" if deduplicated else None,
    )
    faces = RowStage(
        name="faces",
        reads="bodies",
        row_in=Body,
        writes="faces",
        schema=arrow_schema(Face),
        transform=FindFaces(config.faces, known, device),
        made_from=depends_on({"faces": config.faces}, _ROLES["faces"]),
        inference=True,
    )
    embeddings = RowStage(
        name="embeddings",
        reads="faces",
        row_in=Face,
        writes="embeddings",
        schema=embedding_schema(known["embedding"]),
        transform=EmbedFaces(config.embeddings, known, device),
        made_from=depends_on({"embeddings": config.embeddings}, _ROLES["embeddings"]),
        inference=True,
    )
    return [download, bodies, faces, embeddings]


def _table_stages(config: WebbodyConfig, run: str) -> list[Stage]:
    identity = TableStage(
        name="identity",
        reads=("embeddings",),
        tables=("edges", "identities", "label_map", "cleaning"),
        transform=FindIdentities(run, config.identity),
        made_from=made_from({"identity": config.identity}),
    )
    bundle = TableStage(
        name="bundle",
        reads=("identities", "faces", "bodies"),
        tables=("bundle_index",),
        transform=WriteBundle(run, config.bundle),
        made_from=made_from({"bundle": config.bundle}),
        files=("bundle",),
        follows="identity",
    )
    splits = TableStage(
        name="splits",
        reads=("identities", "bodies"),
        tables=("splits",),
        transform=SplitIdentities(run, config.splits),
        made_from=made_from({"splits": config.splits}),
        follows="identity",
    )
    return [identity, bundle, splits]


RECIPE = Recipe(
    name="webbody",
    config=WebbodyConfig,
    stages=stages,
    models=models,
    split_manifest=lambda config, manifest, run: split_manifest(manifest, run, config.manifest),
    check_manifest=lambda config, manifest: check_list(manifest, config.manifest),
    rows_per_shard=lambda config, rows: config.manifest.shard_rows(rows),
)
