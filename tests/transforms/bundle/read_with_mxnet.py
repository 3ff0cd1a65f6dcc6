"""Run by an interpreter that has MXNet: prints what MXNet reads from `<stem>.rec` and `<stem>.idx` as JSON."""

import hashlib
import json
import sys

import mxnet as mx


def main(stem: str) -> None:
    indexed = mx.recordio.MXIndexedRecordIO(f"{stem}.idx", f"{stem}.rec", "r")
    found = []
    for key in sorted(indexed.keys):
        header, image = mx.recordio.unpack(indexed.read_idx(key))
        pixels = mx.image.imdecode(image, flag=1).shape if image[:2] == b"\xff\xd8" else None
        fields = [header.flag, float(header.label), header.id, header.id2]
        found.append([key, fields, hashlib.sha256(image).hexdigest(), pixels])
    plain = mx.recordio.MXRecordIO(f"{stem}.rec", "r")
    in_file_order = []
    while (record := plain.read()) is not None:
        in_file_order.append(mx.recordio.unpack(record)[0].id)
    print(json.dumps({"indexed": found, "in_file_order": in_file_order}))


if __name__ == "__main__":
    main(sys.argv[1])
