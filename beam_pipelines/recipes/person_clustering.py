"""The recipe person_clustering: a list of videos -> who is in each of them, by face and clothing, and when."""

from typing import Literal

from pydantic import Field

from beam_pipelines.recipes.recipe import Recipe, RecipeConfig
from model_handlers.models.roles import KnownModels
from transforms.fetch.lists.video_manifest import new_video_rows, split_videos
from transforms.fetch.lists.video_settings import VideoManifestSettings
from transforms.fetch.videos.download_stage import download_videos
from transforms.fetch.videos.settings import VideoDownloadSettings
from transforms.flow.stages import Stage
from transforms.persons.clothes_settings import ClothesSettings
from transforms.persons.clothes_stage import describe_clothes
from transforms.persons.persons_stage import find_persons
from transforms.persons.pictures.picture_settings import PictureSettings
from transforms.persons.pictures.pictures_stage import draw_persons
from transforms.persons.settings import PersonSettings
from transforms.tables.video_rows import VideoFace
from transforms.videos.frames_stage import sample_frames
from transforms.videos.sampling import SamplingSettings
from transforms.videos.shot_settings import ShotSettings
from transforms.vision.detections_stage import find_detections
from transforms.vision.embeddings_stage import embed_faces
from transforms.vision.settings import DetectionSettings, EmbeddingSettings, VideoFaceSettings
from transforms.vision.video_faces_stage import measure_faces

# all faces that can be told apart, whichever way they look: a person is seen from behind the shoulder too
_FACES = VideoFaceSettings(
    emotion_model=None,
    min_face_px=24,
    min_score=0.35,
    min_sharpness=0,
    max_yaw=180,
    max_pitch=180,
    min_frontality=0,
    side=256,
)


class PersonClusteringConfig(RecipeConfig):
    """The configuration of the recipe person_clustering."""

    recipe: Literal["person_clustering"] = Field("person_clustering", description="the recipe's name")
    jobs: list[list[str]] = Field(
        [["download", "frames", "detections", "faces", "clothes"], ["embeddings"], ["persons"], ["pictures"]],
        description="the stages of each job; without `clothes` faces alone tell persons apart, and the stages from "
        "`persons` on may be left out",
    )
    manifest: VideoManifestSettings = VideoManifestSettings()
    fetch: VideoDownloadSettings = VideoDownloadSettings()
    sampling: SamplingSettings = SamplingSettings(method="every_seconds", find_shots=True)
    shots: ShotSettings = Field(ShotSettings(), description="how cuts are found: a track of a face ends at one")
    detections: DetectionSettings = DetectionSettings(max_faces=4)
    faces: VideoFaceSettings = _FACES
    clothes: ClothesSettings = ClothesSettings()
    embeddings: EmbeddingSettings = EmbeddingSettings(model="dlib-resnet")  # the distances of persons are its
    persons: PersonSettings = PersonSettings()
    pictures: PictureSettings = PictureSettings()


def stages(config: PersonClusteringConfig, models: KnownModels) -> list[Stage]:
    """All stages of the recipe, in order."""
    return [
        download_videos(config.fetch),
        sample_frames(config.sampling, config.shots, models),
        find_detections(config.detections, models),
        measure_faces(config.faces, models),
        describe_clothes(config.clothes, models),
        embed_faces(config.embeddings, models, VideoFace),
        find_persons(config.persons, with_clothes=config.has_stage("clothes")),
        draw_persons(config.pictures),
    ]


RECIPE = Recipe("person_clustering", PersonClusteringConfig, stages, split_videos, new_rows=new_video_rows)
