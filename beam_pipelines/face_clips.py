"""The recipe face_clips: a list of videos -> square clips of one stable face each, with scores and metadata."""

from typing import Any, Literal

from pydantic import Field

from beam_pipelines.recipe import Recipe, RecipeConfig, made_from
from beam_pipelines.stages import RowStage, Stage, TableStage
from model_handlers import catalogue
from model_handlers.catalogue import Entry
from transforms.bundle.clip_metadata import WriteMetadata
from transforms.fetch.video_manifest import split_videos
from transforms.fetch.video_settings import VideoDownloadSettings, VideoManifestSettings
from transforms.fetch.videos import DownloadVideos
from transforms.media.part_stage import CopyParts
from transforms.media.shot_settings import ShotSettings
from transforms.media.shot_stage import FindShots
from transforms.settings import Settings
from transforms.tables.schemas import arrow_schema
from transforms.tables.video_schemas import Clip, FaceSpan, Shot, Video, VideoPart, VideoSource
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
    spans: SpanSettings = SpanSettings()
    clips: ClipSettings = ClipSettings()


def models(config: FaceClipsConfig) -> dict[str, Entry]:
    """The models that the stages of the configured jobs use, by role."""
    roles = {role for job in config.jobs for stage in job for role in _ROLES.get(stage, ())}
    return {role: entry for role, entry in _entries(config).items() if role in roles}


def _entries(config: FaceClipsConfig) -> dict[str, Entry]:
    known = catalogue.load(config.models.catalogue)
    names = {
        "cuts": config.shots.model if config.shots.detector == "transnetv2" else None,
        "face": config.spans.face_model,
        "embedding": config.spans.embedding_model,
        **dict(config.clips.scores),
    }
    return {role: known.get(name) for role, name in names.items() if name is not None}


def stages(config: FaceClipsConfig, run: str) -> list[Stage]:
    """All stages of the recipe, in order."""
    entries, device = _entries(config), config.models.device

    def depends_on(settings: Settings, stage: str) -> Any:
        return made_from(settings, {role: entries[role] for role in _ROLES[stage] if role in entries}, device)

    download = RowStage(
        name="download",
        reads="manifest",
        row_in=VideoSource,
        writes="videos",
        schema=arrow_schema(Video),
        transform=DownloadVideos(run, config.fetch),
        made_from=made_from(config.fetch),
        whole_chunks=True,
        files=("media",),
    )
    shots = RowStage(
        name="shots",
        reads="videos",
        row_in=Video,
        writes="shots",
        schema=arrow_schema(Shot),
        transform=FindShots(run, config.shots, entries, device),
        made_from=depends_on(config.shots, "shots"),
        inference="cuts" in entries,
    )
    parts = RowStage(
        name="parts",
        reads="shots",
        row_in=Shot,
        writes="parts",
        schema=arrow_schema(VideoPart),
        transform=CopyParts(run),
        made_from=None,
    )
    spans = RowStage(
        name="spans",
        reads="shots",
        row_in=Shot,
        writes="spans",
        schema=arrow_schema(FaceSpan),
        transform=FindSpans(run, config.spans, entries, device),
        made_from=depends_on(config.spans, "spans"),
        inference=True,
    )
    clips = RowStage(
        name="clips",
        reads="spans",
        row_in=FaceSpan,
        writes="clips",
        schema=arrow_schema(Clip),
        transform=WriteClips(run, config.clips, entries, device),
        made_from=depends_on(config.clips, "clips"),
        inference=True,
    )
    metadata = TableStage(
        name="metadata",
        reads=("clips", "manifest", "videos", "shots"),
        tables=("metadata",),
        transform=WriteMetadata(run),
        made_from=None,
    )
    return [download, shots, parts, spans, clips, metadata]


RECIPE = Recipe(
    name="face_clips",
    config=FaceClipsConfig,
    stages=stages,
    models=models,
    split_manifest=lambda config, manifest, run: split_videos(manifest, run, config.manifest),
    rows_per_shard=lambda config: config.manifest.rows_per_shard,
)
