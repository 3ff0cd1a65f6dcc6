"""The recipe face_clips: a list of videos -> square clips of one stable face each, with scores and metadata."""

from functools import partial
from typing import Literal

from pydantic import Field

from beam_pipelines.recipe import Recipe, RecipeConfig, entries, made_from, used
from beam_pipelines.stages import RowStage, Stage, TableStage
from beam_pipelines.video_download import download_stage
from model_handlers.catalogue import Entry
from transforms.bundle.clip_metadata import WriteMetadata
from transforms.fetch.lists.read import check_list
from transforms.fetch.video_manifest import split_videos
from transforms.fetch.video_settings import VideoDownloadSettings, VideoManifestSettings
from transforms.media.part_stage import PartSettings, WriteParts
from transforms.media.shot_settings import ShotSettings
from transforms.media.shot_stage import FindShots
from transforms.tables.schemas import arrow_schema
from transforms.tables.video_schemas import Clip, FaceSpan, Shot, Video, VideoPart
from transforms.vision.clip_settings import ClipSettings, ScoreSettings
from transforms.vision.clip_stage import WriteClips
from transforms.vision.span_settings import SpanSettings
from transforms.vision.span_stage import FindSpans

_ROLES = {"shots": ("cuts",), "spans": ("face", "embedding"), "clips": tuple(ScoreSettings.model_fields)}


class FaceClipsConfig(RecipeConfig):
    """The configuration of the recipe face_clips."""

    recipe: Literal["face_clips"] = "face_clips"
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


def models(config: FaceClipsConfig) -> dict[str, Entry]:
    """The models that the stages of the configured jobs use, by role."""
    return used(config, _ROLES, _entries(config))


def _entries(config: FaceClipsConfig) -> dict[str, Entry]:
    names = {
        "cuts": config.shots.model if config.shots.detector == "transnetv2" else None,
        "face": config.spans.face_model,
        "embedding": config.spans.embedding_model,
        **dict(config.clips.scores),
    }
    return entries(config, names, {"face": config.spans.detector_side})


def stages(config: FaceClipsConfig, run: str) -> list[Stage]:
    """All stages of the recipe, in order."""
    return [*_shot_stages(config, run), *_clip_stages(config, run)]


def _shot_stages(config: FaceClipsConfig, run: str) -> list[Stage]:
    known, device = _entries(config), config.models.device
    shots = RowStage(
        name="shots",
        reads="videos",
        row_in=Video,
        writes="shots",
        schema=arrow_schema(Shot),
        transform=FindShots(run, config.shots, known, device),
        made_from=made_from({"shots": config.shots}, _ROLES["shots"], known, device),
        inference="cuts" in known,
    )
    parts = RowStage(
        name="parts",
        reads="shots",
        row_in=Shot,
        writes="parts",
        schema=arrow_schema(VideoPart),
        transform=WriteParts(run, config.parts),
        made_from=made_from({"parts": config.parts}),
    )
    return [download_stage(run, config.fetch), shots, parts]


def _clip_stages(config: FaceClipsConfig, run: str) -> list[Stage]:
    known, device = _entries(config), config.models.device
    depends_on = partial(made_from, entries=known, device=device)
    spans = RowStage(
        name="spans",
        reads="shots",
        row_in=Shot,
        writes="spans",
        schema=arrow_schema(FaceSpan),
        transform=FindSpans(run, config.spans, known, device),
        made_from=depends_on({"spans": config.spans}, _ROLES["spans"]),
        inference=True,
    )
    clips = RowStage(
        name="clips",
        reads="spans",
        row_in=FaceSpan,
        writes="clips",
        schema=arrow_schema(Clip),
        transform=WriteClips(run, config.clips, known, device),
        made_from=depends_on({"clips": config.clips}, _ROLES["clips"]),
        inference=True,
    )
    metadata = TableStage(
        name="metadata",
        reads=("clips", "manifest", "videos", "shots"),
        tables=("metadata",),
        transform=WriteMetadata(run),
        made_from={},
    )
    return [spans, clips, metadata]


RECIPE = Recipe(
    name="face_clips",
    config=FaceClipsConfig,
    stages=stages,
    models=models,
    split_manifest=lambda config, manifest, run: split_videos(manifest, run, config.manifest),
    check_manifest=lambda config, manifest: check_list(manifest, config.manifest),
    rows_per_shard=lambda config, rows: config.manifest.shard_rows(rows),
)
