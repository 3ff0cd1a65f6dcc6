"""The faces of one video as arrays: what clustering needs to know of them."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Appearances:
    """The N faces of one video.

    face_id (N,); frame (N,) number of the frame; time (N,) seconds; shot (N,), -1 where it is not known; box (N,4)
    pixels; faces (N,D) unit vectors, none of them zero; clothes (N,C) unit vectors, zero where no clothes were seen.
    """

    face_id: tuple[str, ...]
    frame: I64
    time: F64
    shot: I64
    box: F32
    faces: F32
    clothes: F32

    def __len__(self) -> int:
        return len(self.face_id)

    def take(self, rows: I64) -> "Appearances":
        """These rows (M,), in this order."""
        return Appearances(
            tuple(self.face_id[row] for row in rows.tolist()),
            self.frame[rows],
            self.time[rows],
            self.shot[rows],
            self.box[rows],
            self.faces[rows],
            self.clothes[rows],
        )

    def order(self) -> I64:
        """(N,) the rows by frame and face id: what is found must not depend on the order in which they came."""
        return np.lexsort((np.array(self.face_id, dtype=np.str_), self.frame)).astype(np.int64)
