"""How alike the same photograph again is, and how alike two photographs of one person are: where a copy ends.

    python -m benchmarks.copies

The photographs are those of benchmarks/films/people.yaml and of the demo, out of published packages. Each is served as
it is and again in VIEWS: compressed anew, made smaller, with a part of its border cut off; all go through the stages of
configs/webbody.yaml up to embeddings, so that each view is detected and aligned by itself.
"""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import yaml

import configs
from beam_pipelines import config as configuration
from beam_pipelines.demos.photographs import Page, serve
from beam_pipelines.driver.order import Order
from beam_pipelines.driver.run import run
from benchmarks.films.people import LISTED
from benchmarks.results import report
from model_handlers.models import catalogue, store
from model_handlers.models.loaded import load_model
from transforms.identity.knn import F32, I64, unit
from transforms.images.pixels import open_image
from transforms.tables.shards import read_column
from transforms.tracking.association import overlaps, pair_overlaps

MODELS = ("dlib-resnet", "fr-feature", "mobilefacenet")
SAME_FACE = 0.5  # IoU, from which a face of a view is that of the photograph
LEAST = 40  # pixels of a face's shorter side in the photograph: the vectors of smaller ones say little


@dataclass(frozen=True, slots=True)
class View:
    """A view of a photograph: JPEG quality, size as a share, and the part of each side that is cut off."""

    quality: int
    scale: float = 1
    cut: tuple[float, float, float, float] = (0, 0, 0, 0)  # left, top, right, bottom


VIEWS = (
    View(95),
    View(80),
    View(60),
    View(90, 0.75),
    View(90, 0.5),
    View(60, 0.5),
    View(90, 1, (0.03, 0.02, 0, 0.04)),
    View(80, 0.75, (0, 0.03, 0.05, 0)),
    View(75, 0.6, (0.02, 0, 0.02, 0.03)),
)


def seen(photograph: F32, view: View) -> bytes:
    """A view of a photograph (H,W,3) BGR as JPEG."""
    height, width = photograph.shape[:2]
    left, top, right, bottom = view.cut
    part = photograph[
        round(top * height) : round((1 - bottom) * height), round(left * width) : round((1 - right) * width)
    ]
    small = cv2.resize(part, None, fx=view.scale, fy=view.scale, interpolation=cv2.INTER_AREA)
    return bytes(cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, view.quality])[1])


def photographs() -> Iterator[tuple[str, F32, str | None]]:
    """The name, pixels and, where one person is alone on it, the person of each photograph."""
    demo = yaml.safe_load((configs.FOLDER / "demo-photographs.yaml").read_text(encoding="utf-8"))
    films = yaml.safe_load(LISTED.read_text(encoding="utf-8"))
    alone = {row["source"]: row["who"][0] for row in films if len(row["who"]) == 1}
    alone |= {row["source"]: row["who"] for row in demo if row["who"] in {"obama", "biden", "hanks"}}
    pictures = {row["source"]: row["sha256"] for row in [*films, *demo] if "seconds" not in row}
    for number, (source, sha256) in enumerate(pictures.items()):
        pixels = cv2.imread(str(store.fetch_file(source, sha256)), cv2.IMREAD_COLOR)
        yield f"p{number:02d}", pixels, alone.get(source)


@dataclass(frozen=True, slots=True, eq=False)
class Faces:
    """The faces of all views: numbers of photograph and view (N,), box (N,4) pixels of the photograph, its rows."""

    photograph: I64
    view: I64
    box: F32
    rows: list[dict[str, Any]]


def find(pages: dict[str, Page], sizes: dict[int, tuple[int, int]], folder: Path) -> Faces:
    """Serve and run the pages, `/pNN-vN.jpg`; sizes: width and height of each photograph."""
    with serve(pages) as port:
        manifest = folder / "list.csv"
        lines = ["id,url", *(f"{path[1:-4]},http://127.0.0.1:{port}{path}" for path in pages)]
        manifest.write_text("\n".join(lines) + "\n")
        given = [f"fetch.allow_hosts=['127.0.0.1:{port}']", "jobs=[[download],[bodies,faces]]"]
        recipe, settings = configuration.load("webbody", given)
        run(Order(recipe, settings, str(manifest), str(folder / "run")))
    images = read_column(str(folder / "run"), "images", ["image_id", "width", "height"]).to_pylist()
    stored = {row["image_id"]: (row["width"], row["height"]) for row in images}
    columns = ["face_id", "image_id", "box", "crop", "crop_landmarks", "mesh"]
    rows = read_column(str(folder / "run"), "faces", columns).sort_by("face_id").to_pylist()
    names = [row["image_id"].split("-v") for row in rows]
    photograph, view = (np.array([int(name[at].strip("p")) for name in names]) for at in (0, 1))
    boxes = np.array([np.array(row["box"]) / (stored[row["image_id"]] * 2) for row in rows])
    cuts = np.array([(0.0, 0.0, 0.0, 0.0), *(one.cut for one in VIEWS)])[view]
    left_top = np.tile(cuts[:, :2], 2)
    boxes = boxes * np.tile(1 - cuts[:, :2] - cuts[:, 2:], 2) + left_top
    box = boxes * np.array([sizes[number] * 2 for number in photograph.tolist()])
    return Faces(photograph, view, box.astype(np.float32), rows)


def embedded(faces: Faces, model: str) -> F32:
    """The unit vector (N,D) of each face."""
    loaded = load_model(catalogue.load().models[model])
    return unit(
        np.array([
            loaded(open_image(row["crop"]), np.array(row["crop_landmarks"], np.float32), _mesh(row["mesh"]))
            for row in faces.rows
        ])
    )  # fmt: skip


def _mesh(points: Any) -> F32 | None:
    return None if points is None else np.array(points, np.float32)


def similarities(faces: Faces, units: F32, alone: dict[int, str]) -> tuple[F32, F32, F32]:
    """The cosines of views of one face; of one person in two photographs; and of different people."""
    large = (faces.box[:, 2:] - faces.box[:, :2]).min(axis=1) >= LEAST
    whole = np.flatnonzero((faces.view == 0) & large)
    again = []
    for number in np.unique(faces.photograph):
        own = np.flatnonzero(faces.photograph == number)
        first, later = own[np.isin(own, whole)], own[faces.view[own] > 0]
        if len(first) and len(later):
            ones, others = np.nonzero(overlaps(faces.box[first], faces.box[later]) > SAME_FACE)
            again.append((units[first[ones]] * units[later[others]]).sum(axis=1))
    photograph = faces.photograph[whole]
    who = np.array([alone.get(number, "") for number in photograph.tolist()])
    cosine, (one, other) = units[whole] @ units[whole].T, np.triu_indices(len(whole), 1)
    twice = pair_overlaps(faces.box[whole[one]], faces.box[whole[other]]) > 0.1
    same = (who[one] == who[other]) & (who[one] != "") & (photograph[one] != photograph[other])
    known = (who[one] != "") & (who[other] != "") & (who[one] != who[other])
    different = known | ((photograph[one] == photograph[other]) & ~twice & (who[one] == ""))
    pairs = cosine[one, other]
    return np.concatenate(again), pairs[same], pairs[different]


def main() -> None:
    """Make views, embed them, print."""
    listed = list(photographs())
    alone = {int(name[1:]): who for name, _, who in listed if who}
    pages = {}
    for name, pixels, _ in listed:
        for number, view in enumerate((View(100), *VIEWS)):
            pages[f"/{name}-v{number}.jpg"] = Page(200, {}, seen(pixels, view))
    sizes = {int(name[1:]): (pixels.shape[1], pixels.shape[0]) for name, pixels, _ in listed}
    rows: list[list[str | float]] = []
    with tempfile.TemporaryDirectory() as folder:
        faces = find(pages, sizes, Path(folder))
    for model in MODELS:
        again, same, different = similarities(faces, embedded(faces, model), alone)
        lows = np.quantile(again, [0.01, 0.05, 0.1, 0.25, 0.5]).tolist()
        others = [np.sort(kind)[::-1][:3] for kind in (same, different)]
        most = [" ".join(f"{value:.3f}" for value in kind) for kind in others]
        counts = [f"{len(kind)}" for kind in (again, same, different)]
        rows.append([model, *lows, counts[0], most[0], counts[1], most[1], counts[2]])
    heads = [
        "again: 1 %",
        "5 %",
        "10 %",
        "25 %",
        "median",
        "pairs",
        "other picture: most",
        "pairs",
        "other person: most",
    ]
    report("copies", f"cosines of faces of {LEAST} pixels and more", ["model", *heads, "pairs"], rows)


if __name__ == "__main__":
    main()
