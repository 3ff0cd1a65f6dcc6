"""The recipe face_generation: a list of videos -> sharp frontal faces by person, the best and a sequence of each."""

from functools import partial
from typing import Literal

from pydantic import Field

from beam_pipelines.recipe import Limit, Recipe, RecipeConfig, entries, made_from, used
from beam_pipelines.stages import RowStage, Stage, TableStage
from beam_pipelines.video_download import download_stage
from model_handlers.catalogue import Entry
from transforms.curation.candidates import ChooseCandidates, is_full
from transforms.curation.selection import SelectFaces
from transforms.curation.settings import CandidateSettings, SelectionSettings
from transforms.fetch.lists.read import check_list
from transforms.fetch.video_manifest import split_videos
from transforms.fetch.video_settings import VideoDownloadSettings, VideoManifestSettings
from transforms.identity.settings import CleanSettings, ClusterSettings, EdgeSettings, IdentitySettings
from transforms.identity.stage import FindIdentities
from transforms.media.frame_stage import SampleFrames
from transforms.media.sampling import SamplingSettings
from transforms.media.shot_settings import ShotSettings
from transforms.media.video_settings import VideoAcceptSettings
from transforms.tables.schemas import arrow_schema
from transforms.tables.video_schemas import Detection, Frame, Video, VideoFace
from transforms.vision.detections import FindDetections
from transforms.vision.embeddings import EmbedFaces, embedding_schema
from transforms.vision.settings import DetectionSettings, EmbeddingSettings, VideoFaceSettings
from transforms.vision.video_faces import MeasureFaces

_CUTS = ("cuts",)
_ROLES = {"detections": ("face",), "faces": ("mesh", "emotion"), "embeddings": ("embedding",), "selection": _CUTS}
# for dlib's descriptors, like the defaults of the settings: see configs/face_generation.yaml
_IDENTITY = IdentitySettings(
    edges=EdgeSettings(k=0, min_similarity=0.94),
    clusters=ClusterSettings(method="dbscan", small_face_px=100, small_link_similarity=0.97, min_samples=3, min_size=3),
    cleaning=CleanSettings(
        min_face_score=0, min_images=1, merge_similarity=1, ambiguous_similarity=1, duplicate_similarity=1
    ),
)


class FaceGenerationConfig(RecipeConfig):
    """The configuration of the recipe face_generation."""

    recipe: Literal["face_generation"] = "face_generation"
    jobs: list[list[str]] = Field(
        [["download", "frames", "detections", "faces"], ["candidates"], ["embeddings"], ["identity"], ["selection"]],
        description="the stages of each job; `candidates` and the last ones may be left out",
    )
    chunks_per_wave: int = Field(
        16,
        ge=1,
        description="chunks of the manifest that are done before candidates.max_bytes is looked at again; all the "
        "workers of a run should have something to do in a wave",
    )
    manifest: VideoManifestSettings = VideoManifestSettings()
    fetch: VideoDownloadSettings = VideoDownloadSettings(accept=VideoAcceptSettings(min_height=720))
    sampling: SamplingSettings = SamplingSettings()
    shots: ShotSettings = Field(
        ShotSettings(),
        description="how cuts are found: between the frames of a sequence, and for sampling by shot; with the detector "
        "none or fixed, sequences are not looked at for cuts",
    )
    detections: DetectionSettings = DetectionSettings()
    faces: VideoFaceSettings = VideoFaceSettings()
    candidates: CandidateSettings = CandidateSettings()
    embeddings: EmbeddingSettings = EmbeddingSettings()
    identity: IdentitySettings = _IDENTITY
    selection: SelectionSettings = SelectionSettings()


def models(config: FaceGenerationConfig) -> dict[str, Entry]:
    """The models that the stages of the configured jobs use, by role."""
    by_shot = config.sampling.method == "per_shot"
    return used(config, {**_ROLES, "frames": _CUTS if by_shot else ()}, _entries(config))


def _entries(config: FaceGenerationConfig) -> dict[str, Entry]:
    names = {
        "cuts": config.shots.model if config.shots.detector == "transnetv2" else None,
        "face": config.detections.face_model,
        "mesh": config.faces.mesh_model,
        "emotion": config.faces.emotion_model,
        "embedding": config.embeddings.model,
    }
    return entries(config, names, {"face": config.detections.detector_side})


def stages(config: FaceGenerationConfig, run: str) -> list[Stage]:
    """All stages of the recipe, in order."""
    return [*_face_stages(config, run), *_person_stages(config, run)]


def _face_stages(config: FaceGenerationConfig, run: str) -> list[Stage]:
    known, device = _entries(config), config.models.device
    depends_on = partial(made_from, entries=known, device=device)
    by_shot = config.sampling.method == "per_shot"
    return [
        download_stage(run, config.fetch),
        RowStage(
            name="frames",
            reads="videos",
            row_in=Video,
            writes="frames",
            schema=arrow_schema(Frame),
            transform=SampleFrames(run, config.sampling, config.shots, known, device),
            made_from=depends_on({"sampling": config.sampling, "shots": config.shots}, _CUTS)
            if by_shot
            else made_from({"sampling": config.sampling}),
            inference=by_shot and "cuts" in known,
        ),
        RowStage(
            name="detections",
            reads="frames",
            row_in=Frame,
            writes="detections",
            schema=arrow_schema(Detection),
            transform=FindDetections(run, config.detections, known, device),
            made_from=depends_on({"detections": config.detections}, _ROLES["detections"]),
            inference=True,
        ),
        RowStage(
            name="faces",
            reads="detections",
            row_in=Detection,
            writes="faces",
            schema=arrow_schema(VideoFace),
            transform=MeasureFaces(run, config.faces, known, device),
            made_from=depends_on({"faces": config.faces}, _ROLES["faces"]),
            inference=True,
        ),
    ]


def _person_stages(config: FaceGenerationConfig, run: str) -> list[Stage]:
    known, device = _entries(config), config.models.device
    depends_on = partial(made_from, entries=known, device=device)
    limited = any("candidates" in job for job in config.jobs)
    return [
        TableStage(
            name="candidates",
            reads=("faces", "manifest"),
            tables=("left_out",),
            transform=ChooseCandidates(run, config.candidates, follower="embeddings"),
            made_from=made_from({"candidates": config.candidates}),
        ),
        RowStage(
            name="embeddings",
            reads="faces",
            row_in=VideoFace,
            writes="embeddings",
            schema=embedding_schema(known["embedding"]),
            transform=EmbedFaces(config.embeddings, known, device),
            made_from=depends_on({"embeddings": config.embeddings}, _ROLES["embeddings"]),
            inference=True,
            without="left_out" if limited else None,
        ),
        TableStage(
            name="identity",
            reads=("embeddings",),
            tables=("edges", "identities", "label_map", "cleaning"),
            transform=FindIdentities(run, config.identity),
            made_from=made_from({"identity": config.identity}),
        ),
        TableStage(
            name="selection",
            reads=("identities", "faces"),
            tables=("selection",),
            transform=SelectFaces(run, config.selection, config.shots, known, device),
            made_from=depends_on({"selection": config.selection, "shots": config.shots}, _CUTS),
            files=("final", "metadata"),
            follows="identity",
        ),
    ]


def limit(config: FaceGenerationConfig) -> Limit | None:
    """No more videos are taken once the candidates reach their size limit."""
    if config.candidates.max_bytes is None or not any("candidates" in job for job in config.jobs):
        return None
    reached = partial(is_full, settings=config.candidates)
    return Limit("faces", config.chunks_per_wave, reached, "over_size_limit")


RECIPE = Recipe(
    name="face_generation",
    config=FaceGenerationConfig,
    stages=stages,
    models=models,
    split_manifest=lambda config, manifest, run: split_videos(manifest, run, config.manifest),
    check_manifest=lambda config, manifest: check_list(manifest, config.manifest),
    rows_per_shard=lambda config, rows: config.manifest.shard_rows(rows),
    limit=limit,
)
