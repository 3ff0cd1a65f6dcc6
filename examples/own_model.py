"""Call a model of the catalogue, or of a catalogue of one's own, with a picture: prints the faces that it finds.

python -m examples.own_model photograph.jpg
python -m examples.own_model photograph.jpg --model my-detector --catalogue mine.yaml
"""

import argparse
import sys
from pathlib import Path

import manyfaces
from model_handlers.interface import Detections, Pixels
from transforms.images.pixels import open_image
from transforms.tables.reasons import Rejected


def find_faces(pixels: Pixels, model: str = "centerface", catalogue: str | None = None) -> Detections:
    """The faces of a picture, RGB uint8 (H,W,3), by falling score. ModelError for a model that cannot be had."""
    detect = manyfaces.models.load(model, extra=catalogue)
    found = detect(pixels)
    assert isinstance(found, Detections)  # what models of the task `face` give
    return found


def main(words: list[str] | None = None) -> None:
    """Print a line for each face: its score, and the corners of its box in pixels of the upright picture."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("picture", help="a JPEG, PNG, WebP, ... file")
    parser.add_argument("--model", default="centerface", help="a model of the task `face` (default: %(default)s)")
    parser.add_argument("--catalogue", metavar="FILE", help="a YAML file with models of one's own")
    parser.add_argument("--min-score", type=float, default=0.35, help="default: %(default)s")
    given = parser.parse_args(words)
    try:
        found = find_faces(open_image(Path(given.picture).read_bytes()), given.model, given.catalogue)
    except Rejected as why:
        sys.exit(f"{given.picture}: {why.code}, {why.detail}")
    except (OSError, manyfaces.ModelError) as error:
        sys.exit(str(error))
    for box, score in zip(found.boxes, found.scores, strict=True):
        if score >= given.min_score:
            print(f"{score:.2f}  " + " ".join(f"{value:7.1f}" for value in box.tolist()))


if __name__ == "__main__":
    main()
