"""Readers of an insightface training set, step by step as its own: MXFaceDataset and FaceImageIter.

insightface, recognition/arcface_torch/dataset.py and recognition/arcface_mxnet/image_iter.py. `recordio` has what they
call of mxnet.recordio: MXNet's own module, or `PlainRecordIO` of this one.
"""

import numbers
import os
from collections import namedtuple

import numpy as np

IRHeader = namedtuple("IRHeader", ["flag", "label", "id", "id2"])


class PlainRecordIO:
    """What the readers need of mxnet.recordio, without MXNet: an index in memory, a seek and a read for each record."""

    class MXIndexedRecordIO:
        def __init__(self, idx_path, uri, flag):
            assert flag == "r"
            with open(idx_path) as index:
                lines = [line.strip().split("\t") for line in index]
            self.idx = {int(key): int(offset) for key, offset in lines}
            self.keys = list(self.idx)
            self._file = open(uri, "rb")  # noqa: SIM115 -- as long as the reader

        def read_idx(self, key):
            self._file.seek(self.idx[key])
            parts, flag = [], None
            while flag not in (0, 3):
                magic, word = np.frombuffer(self._file.read(8), np.uint32).tolist()
                assert magic == 0xCED7230A
                flag, length = word >> 29, word & (1 << 29) - 1
                parts.append(self._file.read(length + -length % 4)[:length])
            return b"\x0a\x23\xd7\xce".join(parts)

    @staticmethod
    def unpack(record):
        (flag, label, number, number2) = np.frombuffer(record[:24], "<u4,<f4,<u8,<u8")[0].tolist()
        rest = record[24:]
        if flag > 0:
            return IRHeader(flag, np.frombuffer(rest, np.float32, flag), number, number2), rest[flag * 4 :]
        return IRHeader(flag, label, number, number2), rest


class Faces:
    """MXFaceDataset, up to what it does with pixels."""

    def __init__(self, root_dir, recordio):
        self._unpack = recordio.unpack
        path_imgrec, path_imgidx = os.path.join(root_dir, "train.rec"), os.path.join(root_dir, "train.idx")
        self.imgrec = recordio.MXIndexedRecordIO(path_imgidx, path_imgrec, "r")
        header, _ = self._unpack(self.imgrec.read_idx(0))
        if header.flag > 0:
            self.header0 = (int(header.label[0]), int(header.label[1]))
            self.imgidx = np.array(range(1, int(header.label[0])))
        else:
            self.imgidx = np.array(list(self.imgrec.keys))

    def __getitem__(self, index):
        header, image = self._unpack(self.imgrec.read_idx(int(self.imgidx[index])))
        label = header.label
        if not isinstance(label, numbers.Number):
            label = label[0]
        return image, int(label)

    def __len__(self):
        return len(self.imgidx)

    def ranges(self):
        """The range of records of each identity, as FaceImageIter gathers them."""
        found = []
        for identity in range(*self.header0):
            header, _ = self._unpack(self.imgrec.read_idx(identity))
            found.append((int(header.label[0]), int(header.label[1])))
        return found


def read_property(root_dir):
    """num_classes and image size, as insightface's load_property."""
    with open(os.path.join(root_dir, "property")) as file:
        for line in file:
            values = line.strip().split(",")
            assert len(values) == 3
            return int(values[0]), [int(values[1]), int(values[2])]
