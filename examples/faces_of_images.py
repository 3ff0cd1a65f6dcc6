"""A recipe of one's own: a list of image URLs -> every face in the whole images, as a table and a CSV file.

    PYTHONPATH=. manyfaces run examples/faces_of_images.yaml --input urls.csv --output runs/faces

Two of its stages come with manyfaces, `download` and `detections`; the third, `csv`, is written here.
"""

from dataclasses import astuple, dataclass

import pyarrow as pa
from apache_beam.io.filesystems import FileSystems
from pydantic import Field

from beam_pipelines.recipes.recipe import Recipe, RecipeConfig
from model_handlers.models.roles import KnownModels
from transforms.fetch.http.download_stage import download_images
from transforms.fetch.http.settings import DownloadSettings
from transforms.fetch.lists.image_settings import ManifestSettings
from transforms.fetch.lists.manifest import new_manifest_rows, split_manifest
from transforms.flow.one_worker import on_one_worker
from transforms.flow.stages import Stage, TableStage
from transforms.settings import Settings
from transforms.tables.csv_cells import csv_rows
from transforms.tables.files import commit_file
from transforms.tables.ledger import ledger_table, write_ledger
from transforms.tables.rows import ImageFace
from transforms.tables.schemas import arrow_schema, column
from transforms.tables.shards import iter_rows, remove_other_shards, shard_names, shard_path, write_rows
from transforms.tables.verdicts import verdict
from transforms.vision.detections_stage import IMAGES, find_detections
from transforms.vision.settings import DetectionSettings

STAGE = FOLDER = "csv"
TABLE = "face_list"


@dataclass(frozen=True, slots=True, eq=False)
class ListedFace:
    """A row of `face_list`, and of `csv/faces.csv`: a face that is large enough."""

    face_id: str = column(pa.string(), "key: <image_id>-f<number, best score first>")
    image_id: str = column(pa.string(), "the image")
    url: str = column(pa.string(), "where the image came from")
    label: str | None = column(pa.string(), "source label", nullable=True)
    left: int = column(pa.int32(), "of the face's box, whole pixels of the stored image")
    top: int = column(pa.int32(), "of the face's box, whole pixels of the stored image")
    width: int = column(pa.int32(), "of the face's box, pixels")
    height: int = column(pa.int32(), "of the face's box, pixels")
    score: float = column(pa.float64(), "of the detector, 0 to 1")


class CsvSettings(Settings):
    """Stage csv: which faces are listed."""

    min_face_px: int = Field(0, ge=0, description="least longer side of a face's box, pixels")


class FacesConfig(RecipeConfig):
    """The configuration of the recipe: a block for each stage, under the key by which the stage names its settings."""

    recipe: str = "examples.faces_of_images:RECIPE"
    jobs: list[list[str]] = Field([["download", "detections"], ["csv"]], description="the stages of each job")
    manifest: ManifestSettings = ManifestSettings()
    fetch: DownloadSettings = DownloadSettings()
    detections: DetectionSettings = DetectionSettings()
    csv: CsvSettings = CsvSettings()


def list_faces(settings: CsvSettings) -> TableStage:
    """The stage csv, which reads all faces and writes the table `face_list` and the folder `csv`."""
    return TableStage(
        name=STAGE,
        reads=("detections",),
        writes=(TABLE,),
        files=(FOLDER,),
        transform=on_one_worker(write_list, settings),
        settings={"csv": settings},
    )


def write_list(run: str, settings: CsvSettings) -> None:
    """Write the table with its ledger, a shard at a time, and all rows once more as `csv/faces.csv`."""
    schema, names = arrow_schema(ListedFace), shard_names(run, "detections")
    with commit_file(FileSystems.join(run, FOLDER, "faces.csv")) as out:
        write = csv_rows(out)
        write(schema.names)
        for name in names:
            rows, verdicts = [], []
            for face in iter_rows(shard_path(run, "detections", name), ImageFace):
                row = listed(face)
                small = max(row.width, row.height) < settings.min_face_px
                verdicts.append((verdict(face.face_id, "small_face" if small else ""), 0 if small else 1))
                rows += [] if small else [row]
            write_rows(shard_path(run, TABLE, name), rows, schema)
            write_ledger(run, STAGE, name, verdicts)
            for row in rows:
                write(astuple(row))
    for table in (TABLE, ledger_table(STAGE)):
        remove_other_shards(run, table, names)


def listed(face: ImageFace) -> ListedFace:
    """The face as the list has it."""
    left, top, right, bottom = face.box.round().astype(int).tolist()
    size = right - left, bottom - top
    return ListedFace(face.face_id, face.image_id, face.url, face.label, left, top, *size, round(face.score, 3))


def stages(config: FacesConfig, models: KnownModels) -> list[Stage]:
    """All stages of the recipe, in order."""
    return [
        download_images(config.fetch),
        find_detections(config.detections, models, where=IMAGES),
        list_faces(config.csv),
    ]


RECIPE = Recipe("faces_of_images", FacesConfig, stages, split_manifest, new_rows=new_manifest_rows)
