"""A small run of the recipe webbody, made of generated pictures without any model, with splits, bundle and cards."""

import apache_beam as beam
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

from beam_pipelines import config as configuration
from beam_pipelines.cards.write import write_cards
from beam_pipelines.driver.record import write_record
from tests.labelled_run import write_table
from tests.transforms.bundle.synthetic_run import jpeg, write_run
from transforms.bundle.bundle_stage import WriteBundle
from transforms.bundle.settings import BundleSettings
from transforms.tables.rows import Image, ListedImage, SplitFace

SHARDS = [[5, 3, 8, 0], [1, 9, 2], [4, 6, 7]]  # numbers of images, each with one body and one face
IDENTITIES = {0: 0, 1: 0, 2: 1, 3: 1, 4: 1, 5: 3, 6: 3, 7: None, 8: None, 9: 3}  # of the images; there is no identity 2
KEPT = sorted(number for number, identity in IDENTITIES.items() if identity is not None)
SPLITS = {"testing": [0, 1], "training": [2, 3, 4, 5, 6, 9], "nobodys": [7]}
MODELS = {
    "face": {"name": "centerface", "licence": "MIT", "source": "pypi://package==1/file.onnx, /home/me/secret.onnx"},
    "own": {"name": "mine|own", "licence": "unknown", "source": "/home/me/own.onnx"},
}


def write_small_run(run: str, with_bundle: bool = True) -> None:
    """Write the run to a new folder; the bundle takes a second."""
    write_run(run, SHARDS, IDENTITIES, frozenset())
    write_table(run, "manifest", ListedImage, [_listed(number) for number in IDENTITIES])
    write_table(run, "images", Image, [_image(number) for number in IDENTITIES])
    write_table(run, "splits", SplitFace, [_in_split(one, name) for name, some in SPLITS.items() for one in some])
    if with_bundle:
        with beam.Pipeline(runner=FnApiRunner()) as pipeline:
            pipeline | WriteBundle(run, BundleSettings(body_side=64, face_side=32))
    recipe, settings = configuration.load("webbody")
    record = {
        "recipe": "webbody",
        "versions": {"manyfaces": "1.2.3"},
        "models": MODELS,
        "config": settings.model_dump(mode="json"),
        "stages": {"download": _counts(10, {"timeout": 1, "http_404": 2}), "identity": _counts(8, {"noise": 2})},
    }
    write_record(run, record)
    write_cards(run, record, recipe.stages_of(settings))


def _listed(number: int) -> ListedImage:
    return ListedImage(f"i{number}", f"https://example.org/{number}.jpg", f"query {number % 3}", "{}")


def _image(number: int) -> Image:
    listed = _listed(number)
    sizes = (120, 160, 120, 160, 1000, "jpeg", "0" * 64)
    return Image(listed.image_id, listed.url, listed.label, "{}", jpeg(120, 160, number), *sizes)


def _in_split(number: int, split: str) -> SplitFace:
    ids = (f"i{number}-b0-f0", IDENTITIES[number], f"i{number}-b0", f"i{number}", f"query {number % 3}", "{}")
    return SplitFace(*ids, split)


def _counts(kept: int, reasons: dict[str, int]) -> dict[str, object]:
    return {"kept": kept, "dropped": sum(reasons.values()), "failed": 0, "reasons": reasons, "rows": kept, "seconds": 1}
