"""How much is covered that need not be, and whether a covered face is found again: composed videos of real people.

    python -m benchmarks.anonymizing [--frames 48] [--yunet FILE]

Where each face is in each frame is known: a photograph moves by a known path, and its faces are those that CenterFace
finds in it (score 0.5) at its own size. `needless` is the area of all covers outside these boxes with the configured
margin; `missed` are faces of which less than nine tenths are covered. `found again` counts faces that CenterFace (0.35)
+ YuNet (0.6, if there is its file) find in the written clip where something was covered; `never covered` those that
they find in the video itself elsewhere, which with YuNet are faces that CenterFace misses.
"""

import argparse
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import yaml

import configs
from beam_pipelines import config as configuration
from beam_pipelines.demos.photographs import Page, serve
from beam_pipelines.driver.order import Order
from beam_pipelines.driver.run import run
from benchmarks.face_finders import Finders, centerface, on_covers, painted, yunet_file
from benchmarks.results import report
from model_handlers.interface import Array, Pixels
from model_handlers.models import store
from transforms.anonymizing.anonymized_settings import AnonymizedVideoSettings
from transforms.anonymizing.anonymized_stage import anonymized_files
from transforms.anonymizing.covers_settings import PaintSettings
from transforms.anonymizing.finding import with_margin
from transforms.anonymizing.lookup import Covers, covers_of_video
from transforms.anonymizing.paint import whole_pixels
from transforms.images.pixels import open_image
from transforms.tables.shards import iter_rows, shard_names, shard_path
from transforms.tables.video_rows import Video
from transforms.videos.clip_writer import EncodeSettings, write_mp4
from transforms.videos.reader import VideoReader

SIZE = (640, 360)
WAYS = ("blur", "pixelate", "fill")
TRUE = 0.5  # the score from which CenterFace's faces are taken as real
HIDDEN = 6  # frames in the middle of every film in which no detector finds a face
FILMS = {  # photographs of the demo: share of the frame's width that each moves, and how much it grows
    "obama-1": (0.2, 1.0), "friends-1": (0.05, 1.1), "party-1": (0.1, 1.0), "astronaut-1": (0.3, 0.8),
    "street-1": (0.1, 1.3), "lake-1": (0.1, 1.0),
}  # fmt: skip


def photograph(name: str) -> Pixels:
    """A photograph of the demo, in a frame of the size."""
    listed = yaml.safe_load((configs.FOLDER / "demo-photographs.yaml").read_text())
    (found,) = [row for row in listed if row["id"] == name]
    image = open_image(store.fetch_file(found["source"], found["sha256"]).read_bytes())
    scale = min(SIZE[0] / image.shape[1], SIZE[1] / image.shape[0])
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)[: SIZE[1], : SIZE[0]]
    frame = np.full((SIZE[1], SIZE[0], 3), 110, np.uint8)
    top, left = (SIZE[1] - small.shape[0]) // 2, (SIZE[0] - small.shape[1]) // 2
    frame[top : top + small.shape[0], left : left + small.shape[1]] = small
    return frame


def path(shift: float, zoom: float, count: int) -> Iterator[Array]:
    """(2,3) where the photograph lies in each frame."""
    width, height = SIZE
    for share in np.linspace(0, 1, count):
        scale = 1 + (zoom - 1) * share
        left, top = width * ((1 - scale) / 2 + shift * (share - 0.5)), height * (1 - scale) / 2
        yield np.array([[scale, 0, left], [0, scale, top]])


def film(image: Pixels, matrices: list[Array]) -> Iterator[Pixels]:
    """The photograph on its path, in the middle blurred beyond recognition."""
    middle = len(matrices) // 2
    for number, matrix in enumerate(matrices):
        frame = cv2.warpAffine(image, matrix, SIZE, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        yield cv2.GaussianBlur(frame, (0, 0), 16) if 0 <= number - middle < HIDDEN else frame


def boxes_through(matrix: Array, boxes: Array) -> Array:
    """Upright boxes (N,4) after a move and a change of size, within the frame; without those that are outside."""
    moved = boxes * np.tile(np.diag(matrix[:, :2]), 2) + np.tile(matrix[:, 2], 2)
    clipped = np.clip(moved, 0, (*SIZE, *SIZE))
    return np.asarray(clipped[(clipped[:, 2] - clipped[:, 0] > 2) & (clipped[:, 3] - clipped[:, 1] > 2)])


def judge(truth: list[Array], covers: Covers, margin: float) -> Counter[str]:
    """Counts over the frames of a film: pixels and frames covered, of those the needless ones, faces, missed faces."""
    counts: Counter[str] = Counter(frames=len(truth))
    for number, boxes in enumerate(truth):
        covered, wanted = painted(covers.at(number), *SIZE), painted(with_margin(boxes, margin, *SIZE), *SIZE)
        counts["covered pixels"] += int(covered.sum())
        counts["needless pixels"] += int((covered & ~wanted).sum())
        counts["covered frames"] += bool(covered.any())
        counts["needless frames"] += bool(covered.any() and not wanted.any())
        counts["faces"] += len(boxes)
        counts["missed"] += sum(covered[y1:y2, x1:x2].mean() < 0.9 for x1, y1, x2, y2 in whole_pixels(boxes, *SIZE))
    return counts


def look(file: Path, covers: Covers, finders: Finders) -> tuple[Counter[str], Counter[str]]:
    """The faces in a clip by detector: those that lie by a tenth or more in what was covered, and the others."""
    again, never = Counter[str](), Counter[str]()
    with VideoReader(str(file)) as reader:
        for number, image in reader.frames(range(len(reader))):
            covered = painted(covers.at(number), *SIZE)
            for name, boxes in finders(image).items():
                again[name] += on_covers(boxes, covered)
                never[name] += len(boxes) - on_covers(boxes, covered)
    return again, never


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=48)
    parser.add_argument("--yunet", type=Path, default=yunet_file(), help="face_detection_yunet's ONNX file")
    options = parser.parse_args()
    center = centerface()
    finders = Finders(center, options.yunet)
    rows: list[list[str | float]] = []
    with tempfile.TemporaryDirectory() as folder:
        truth, pages = {}, {}
        for name, (shift, zoom) in FILMS.items():
            image, matrices = photograph(name), list(path(shift, zoom, options.frames))
            found = center(image)
            truth[name] = [boxes_through(matrix, found.boxes[found.scores >= TRUE]) for matrix in matrices]
            file, times = Path(folder, f"{name}.mp4"), (np.arange(options.frames) / 25).tolist()
            write_mp4(str(file), film(image, matrices), times, options.frames / 25, EncodeSettings())
            pages[f"/{name}.mp4"] = Page(200, {"Content-Type": "video/mp4"}, file.read_bytes())
        with serve(pages) as port:
            listed = Path(folder, "list.csv")
            lines = [f"{name},http://127.0.0.1:{port}/{name}.mp4" for name in FILMS]
            listed.write_text("\n".join(["video_id,url", *lines]) + "\n")
            more = [f"fetch.allow_hosts=['127.0.0.1:{port}']", "jobs=[[download, shots, covers]]"]
            recipe, settings = configuration.load("anonymize", more)
            run(Order(recipe, settings, str(listed), f"{folder}/run"))
        margin = settings.model_dump()["covers"]["find"]["margin"]
        for shard in shard_names(f"{folder}/run", "videos"):
            for video in iter_rows(shard_path(f"{folder}/run", "videos", shard), Video):
                (covers,) = covers_of_video(f"{folder}/run", video.video_id)
                counts = judge(truth[video.video_id], covers, margin)
                looks = [look(_written(f"{folder}/run", how, video), covers, finders) for how in ("none", *WAYS)]
                seen = [looks[0][1], *(again for again, _ in looks)]
                texts = ["+".join(str(count[name]) for name in finders.names) for count in seen]
                rows.append([video.video_id, *_figures(counts), *texts])
    columns = ["film", "faces", "missed", "area covered", "needless", "frames covered", "needless"]
    heading = f"{options.frames} frames each; found again, {' + '.join(finders.names)}: last four columns"
    report("anonymizing", heading, [*columns, "never covered", "none", *WAYS], rows)


def _written(folder: str, how: str, video: Video) -> Path:
    """The clip with everything covered in this way, or the video itself."""
    if how == "none":
        return Path(folder, video.media)
    settings = AnonymizedVideoSettings(audio=False, report=False)
    (row,) = anonymized_files(folder, settings, PaintSettings.model_validate({"how": how}), video)
    return Path(folder, row.file)


def _figures(counts: Counter[str]) -> list[str | float]:
    """The figures of a film, shares of all pixels and of all frames."""
    pixels, frames = counts["frames"] * SIZE[0] * SIZE[1], counts["frames"]
    areas: list[str | float] = [counts["covered pixels"] / pixels, counts["needless pixels"] / pixels]
    shares: list[str | float] = [counts["covered frames"] / frames, counts["needless frames"] / frames]
    return [str(counts["faces"]), str(counts["missed"]), *areas, *shares]


if __name__ == "__main__":
    main()
