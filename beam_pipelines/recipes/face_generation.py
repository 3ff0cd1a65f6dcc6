"""The recipe face_generation: a list of videos -> sharp frontal faces by person, the best and a sequence of each."""

from functools import partial
from typing import Literal

from pydantic import Field

from beam_pipelines.recipes.recipe import Limit, Recipe, RecipeConfig
from model_handlers.models.roles import KnownModels
from transforms.anonymizing.anonymized_settings import AnonymizedVideoSettings
from transforms.anonymizing.anonymized_stage import write_anonymized
from transforms.anonymizing.covers_settings import CoverSettings, PaintSettings
from transforms.anonymizing.covers_stage import find_covers
from transforms.curation.candidates_stage import LEFT_OUT, choose_candidates, is_full
from transforms.curation.selection_stage import select_faces
from transforms.curation.settings import CandidateSettings, SelectionSettings
from transforms.fetch.lists.video_manifest import new_video_rows, split_videos
from transforms.fetch.lists.video_settings import VideoManifestSettings
from transforms.fetch.videos.download_stage import download_videos
from transforms.fetch.videos.settings import VideoDownloadSettings
from transforms.flow.stages import Stage
from transforms.identity.identity_stage import find_identities
from transforms.identity.settings import CleanSettings, ClusterSettings, EdgeSettings, IdentitySettings
from transforms.identity.thresholds import Chosen, of_model
from transforms.tables.video_rows import VideoFace
from transforms.videos.frames_stage import sample_frames
from transforms.videos.sampling import SamplingSettings
from transforms.videos.settings import VideoAcceptSettings
from transforms.videos.shot_settings import ShotSettings
from transforms.videos.shots_stage import find_shots
from transforms.vision.detections_stage import find_detections
from transforms.vision.embeddings_stage import embed_faces
from transforms.vision.settings import DetectionSettings, EmbeddingSettings, VideoFaceSettings
from transforms.vision.video_faces_stage import measure_faces

# one DBSCAN without cleaning: see configs/face_generation.yaml
_IDENTITY = IdentitySettings(
    edges=EdgeSettings(k=0),
    clusters=ClusterSettings(method="dbscan", small_face_px=100, small_link_similarity=0.97, min_samples=3, min_size=3),
    cleaning=CleanSettings(
        min_face_score=0, min_images=1, merge_similarity=1, ambiguous_similarity=1, duplicate_similarity=1
    ),
)


class FaceGenerationConfig(RecipeConfig):
    """The configuration of the recipe face_generation."""

    recipe: Literal["face_generation"] = Field("face_generation", description="the recipe's name")
    jobs: list[list[str]] = Field(
        [["download", "frames", "detections", "faces"], ["candidates"], ["embeddings"], ["identity"], ["selection"]],
        description="the stages of each job; `candidates` and the last ones may be left out. `shots`, `covers` and "
        "`anonymized`, which stand before frames, write each video with its faces covered",
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
    covers: CoverSettings = CoverSettings()
    paint: PaintSettings = PaintSettings()
    anonymized: AnonymizedVideoSettings = AnonymizedVideoSettings()
    detections: DetectionSettings = DetectionSettings()
    faces: VideoFaceSettings = VideoFaceSettings()
    candidates: CandidateSettings = CandidateSettings()
    embeddings: EmbeddingSettings = EmbeddingSettings(model="dlib-resnet")  # measured on videos
    identity: IdentitySettings = _IDENTITY
    selection: SelectionSettings = SelectionSettings()


def stages(config: FaceGenerationConfig, models: KnownModels) -> list[Stage]:
    """All stages of the recipe, in order."""
    left_out = LEFT_OUT if config.has_stage("candidates") else None
    identity = Chosen(config.identity)
    if config.has_stage("identity"):
        identity = of_model(config.identity, models.of(embedding=config.embeddings.model)["embedding"])
    return [
        download_videos(config.fetch),
        find_shots(config.shots, models),
        find_covers(config.covers, models),
        write_anonymized(config.anonymized, config.paint),
        sample_frames(config.sampling, config.shots, models),
        find_detections(config.detections, models),
        measure_faces(config.faces, models),
        choose_candidates(config.candidates, follower="embeddings"),
        embed_faces(config.embeddings, models, VideoFace, without=left_out),
        find_identities(identity),
        select_faces(config.selection, config.shots, models),
    ]


def limit(config: FaceGenerationConfig) -> Limit | None:
    """No more videos are taken once the candidates reach their size limit."""
    if config.candidates.max_bytes is None or not config.has_stage("candidates"):
        return None
    reached = partial(is_full, settings=config.candidates)
    return Limit("faces", config.chunks_per_wave, reached, "over_size_limit")


RECIPE = Recipe("face_generation", FaceGenerationConfig, stages, split_videos, limit=limit, new_rows=new_video_rows)
