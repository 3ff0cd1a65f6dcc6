"""Up to how many means of a cover a face is found again, and how many faces are never covered: whole photographs.

    python -m benchmarks.painting [--yunet FILE] [--folder FOLDER]

Each photograph of the demo, or of a folder, at several sizes. What CenterFace finds (score 0.2) is covered with the
default margin, and in the painted image both detectors look again; `found again` is CenterFace + YuNet, as in
`benchmarks.anonymizing`. `YuNet alone` counts faces that YuNet finds in the photograph itself where nothing is covered.
The photographs of the demo are in two halves by the hash of their names: settings are chosen with one, judged with
the other.
"""

import argparse
import hashlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import cv2
import yaml

import configs
from benchmarks.face_finders import Finders, centerface, on_covers, painted, yunet_file
from benchmarks.results import report
from model_handlers.interface import Pixels
from model_handlers.models import store
from transforms.anonymizing.covers_settings import FindSettings, PaintSettings
from transforms.anonymizing.finding import hits, with_margin
from transforms.anonymizing.paint import cover
from transforms.images.pixels import open_image

SIDES = (160, 224, 320, 448, 640, 900)  # the longer side of a photograph, pixels; none is enlarged
WAYS = {f"{how} {cells}": PaintSettings(how=how, cells=cells) for how in ("blur", "pixelate") for cells in (1, 2, 3, 4)}
WAYS["fill"] = PaintSettings(how="fill")


def photographs(folder: Path | None) -> Iterator[tuple[str, Pixels]]:
    """The group and the image of each photograph."""
    if folder is not None:
        for file in sorted(folder.rglob("*.[jp][pn]g")):
            yield folder.name, open_image(file.read_bytes())
        return
    for row in yaml.safe_load((configs.FOLDER / "demo-photographs.yaml").read_text()):
        odd = hashlib.sha256(row["id"].encode()).digest()[0] % 2
        yield "choose" if odd else "judge", open_image(store.fetch_file(row["source"], row["sha256"]).read_bytes())


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--yunet", type=Path, default=yunet_file(), help="face_detection_yunet's ONNX file")
    parser.add_argument("--folder", type=Path, help="photographs to look at instead of the demo's")
    options = parser.parse_args()
    center, find = centerface(), FindSettings()
    finders = Finders(center, options.yunet)
    counts: dict[str, Counter[tuple[str, str]]] = {}
    for group, image in photographs(options.folder):
        count = counts.setdefault(group, Counter())
        longer = max(image.shape[:2])
        for side in [side for side in SIDES if side <= longer]:
            small = cv2.resize(image, None, fx=side / longer, fy=side / longer, interpolation=cv2.INTER_AREA)
            height, width = small.shape[:2]
            boxes = with_margin(hits("face", find, [center(small)]).boxes, find.margin, width, height)
            covered, before = painted(boxes, width, height), finders(small)
            count["covers", ""] += len(boxes)
            if "yunet" in before:
                count["alone", ""] += len(before["yunet"]) - on_covers(before["yunet"], covered)
            for name, found in before.items():
                count["none", name] += on_covers(found, covered)
            for way, paint in WAYS.items():
                for name, found in finders(cover(small, boxes, paint)).items():
                    count[way, name] += on_covers(found, covered)
    rows: list[list[str | float]] = []
    for group, count in counts.items():
        again = ["+".join(str(count[way, name]) for name in finders.names) for way in ("none", *WAYS)]
        rows.append([group, str(count["covers", ""]), str(count["alone", ""]), *again])
    columns = ["photographs", "covers", "YuNet alone", "none", *WAYS]
    report("painting", f"found again, {' + '.join(finders.names)}: columns from `none` on", columns, rows)


if __name__ == "__main__":
    main()
