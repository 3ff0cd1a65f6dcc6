"""Run by an interpreter that has MXNet: prints what insightface's way of reading gets of a set, as JSON."""

import hashlib
import json
import sys

import mxnet as mx
from mx_face_dataset import Faces, read_property


def main(root: str) -> None:
    data = Faces(root, mx.recordio)
    items = [data[place] for place in range(len(data))]
    shapes = {mx.image.imdecode(image).asnumpy().shape for image, _ in items}
    told = {
        "items": [[hashlib.sha256(image).hexdigest(), label] for image, label in items],
        "shapes": sorted(shapes),
        "ranges": data.ranges(),
        "property": read_property(root),
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1])
