"""What CenterFace's weak findings are: faces or something else, and whether they join the right person.

    python -m benchmarks.weak_faces

Faces of the photographs of `benchmarks.choosing` are pasted, small, blurred or half cut off, into pictures without a
face (scikit-image's). Everything that the detector finds there is embedded by fr-feature, and compared with the other
photographs of each person as average linkage would: by the mean similarity, and the model's link.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise, product
from pathlib import Path

import cv2
import numpy as np

from benchmarks.choosing import EACH, PEOPLE, mesh_points, photographs
from benchmarks.results import report
from model_handlers.interface import Array, Pixels
from model_handlers.models import catalogue
from model_handlers.models.loaded import LoadedModel, load_model
from model_handlers.models.roles import KnownModels
from transforms.identity.knn import unit

MODEL = "fr-feature"
SCORES = (0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 1.01)
HEIGHTS, BLURS, CUTS = (
    (18, 28, 45, 80),
    (0, 1.2, 2.5),
    ("", "left", "top"),
)  # pixels; of 60 pixels; the half that is left
LEAST_PX = 16  # webbody's faces.min_face_px
_SIDE = 256
_FACELESS = (
    "coffee",
    "grass",
    "gravel",
    "brick",
    "chelsea",
    "coins",
    "motorcycle_left",
    "text",
    "page",
    "color",
    "cell",
)


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found in a picture: its score, whether it is the pasted face, and whom it would join (`joined`)."""

    score: float
    is_face: bool
    joins: str


class Finder:
    """The detector, and the embedding of what it finds."""

    def __init__(self) -> None:
        models = KnownModels(catalogue.load())
        self._face: LoadedModel = load_model(models.of({"face": 320}, face="centerface")["face"])
        self._mesh: LoadedModel = load_model(models.of(mesh="facemesh")["mesh"])
        self._embedding: LoadedModel = load_model(models.of(embedding=MODEL)["embedding"])

    def __call__(self, pixels: Pixels) -> Iterator[tuple[float, Array, Array]]:
        """Score, box and unit vector of each."""
        found = self._face(pixels)
        for score, box, landmarks in zip(found.scores, found.boxes, found.landmarks, strict=True):
            if score >= SCORES[0] and max(box[2:] - box[:2]) >= LEAST_PX:
                points = mesh_points(self._mesh, pixels, landmarks)
                yield float(score), box, unit(self._embedding(pixels, landmarks, points)[None])[0]


def backgrounds() -> list[Pixels]:
    """Pictures without a face."""
    import skimage.data

    folder = Path(skimage.data.__file__).parent
    pictures = [cv2.imread(str(folder / f"{name}.png"))[:, :, ::-1] for name in _FACELESS]
    return [np.ascontiguousarray(cv2.resize(each, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)) for each in pictures]


def weakened(face: Pixels, height: int, blur: float, cut: str) -> Pixels:
    """The face at this height in pixels, blurred, or one half of it."""
    width = max(8, height * face.shape[1] // face.shape[0])
    small = cv2.resize(face, (width, height), interpolation=cv2.INTER_AREA)
    if blur:
        small = cv2.GaussianBlur(small, (0, 0), blur * height / 60)
    small = small[:, : int(width * 0.55)] if cut == "left" else small[: int(height * 0.55)] if cut == "top" else small
    return np.asarray(small, np.uint8)


def find(finder: Finder) -> Iterator[Finding]:
    """All findings, of every other photograph."""
    pixels = [picture for _, picture in photographs()]
    best = [max(finder(picture), key=lambda one: np.prod(one[1][2:] - one[1][:2])) for picture in pixels]
    known = np.stack([vector for _, _, vector in best]).reshape(PEOPLE, EACH, -1)
    behind, random = backgrounds(), np.random.default_rng(5)
    for number in range(0, len(pixels), 2):
        others = known.copy()
        others[divmod(number, EACH)] = np.nan
        face = with_margin(pixels[number], best[number][1].astype(int))
        for height, blur, cut in product(HEIGHTS, BLURS, CUTS):
            small = weakened(face, height, blur, cut)
            corner = random.integers(10, _SIDE - 10 - max(small.shape[:2]), 2)
            picture = pasted(small, behind[random.integers(len(behind))], corner)
            for score, box, vector in finder(picture):
                is_face = inside((box[:2] + box[2:]) / 2 - corner, small)
                yield Finding(score, is_face, joined(others, vector, number // EACH if is_face else None))


def with_margin(pixels: Pixels, box: Array) -> Pixels:
    """A face with a quarter of its width around it."""
    x1, y1, x2, y2 = box.tolist()
    margin = (x2 - x1) // 4
    return pixels[max(0, y1 - margin) : y2 + margin, max(0, x1 - margin) : x2 + margin]


def pasted(small: Pixels, behind: Pixels, corner: Array) -> Pixels:
    """The picture behind with the face in it, its upper left corner at x, y."""
    x, y = corner.tolist()
    picture = behind.copy()
    picture[y : y + small.shape[0], x : x + small.shape[1]] = small
    return picture


def inside(middle: Array, small: Pixels) -> bool:
    """Whether the middle of a box lies on the pasted face, or at most four pixels beside it."""
    return bool((middle >= -4).all() and (middle <= np.array(small.shape[1::-1]) + 4).all())


def joined(known: Array, vector: Array, person: int | None) -> str:
    """Whom a finding joins: `right`, if that is the person, `wrong`, or nobody; known (P,E,D), NaN where unknown."""
    means = np.nanmean(known @ vector, axis=1)
    first = int(means.argmax())
    return "" if means[first] < _link() else "right" if first == person else "wrong"


@cache
def _link() -> float:
    own = catalogue.load().get(MODEL).similarities
    if own is None or own.group_link is None:
        raise ValueError(f"{MODEL} has no group_link in the catalogue.")
    return own.group_link


def main() -> None:
    """Find and print."""
    found = list(find(Finder()))
    rows: list[list[str | float]] = []
    for low, high in pairwise(SCORES):
        some = [one for one in found if low <= one.score < high]
        faces = [one for one in some if one.is_face]
        others = [one for one in some if not one.is_face]
        right, wrong, led = (
            sum(one.joins == joins for one in group)
            for group, joins in ((faces, "right"), (faces, "wrong"), (others, "wrong"))
        )
        rows.append([f"{low:g} to {min(high, 1):g}", *map(str, (len(faces), len(others), right, wrong, led))])
    heads = ["score", "faces", "something else", "faces that join their person", "another", "something else that joins"]
    report("weak_faces", f"what CenterFace finds, and what {MODEL} makes of it", heads, rows)


if __name__ == "__main__":
    main()
