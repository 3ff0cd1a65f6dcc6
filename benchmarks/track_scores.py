"""How good tracks are, by TrackEval: HOTA, IDF1, MOTA and switches of identity."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment

from model_handlers.interface import Array
from transforms.tracking.association import overlaps

SAME = 0.5  # least IoU of an ignored object and the result that is left out with it


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """The objects of some frames of a sequence: a number, a box x1,y1,x2,y2 in pixels, and whether it is ignored."""

    places: list[int]
    ids: list[Array]
    boxes: list[Array]
    ignored: list[Array]


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """What a tracker said: in each frame of the sequence (N,) numbers of tracks and (N,4) boxes."""

    ids: list[Array]
    boxes: list[Array]


def read_truth(path: Path) -> Truth:
    """The truth of a file in MOTChallenge's form: frame from 1, id, left, top, width, height, 0 for ignored."""
    rows = np.loadtxt(path, delimiter=",")
    places = np.unique(rows[:, 0]).astype(int)
    frames = [rows[rows[:, 0] == place] for place in places]
    boxes = [np.concatenate([each[:, 2:4], each[:, 2:4] + each[:, 4:6]], axis=1) for each in frames]
    return Truth(
        [int(place) - 1 for place in places], [each[:, 1].astype(int) for each in frames], boxes,
        [each[:, 6] == 0 for each in frames],
    )  # fmt: skip


def scores(truths: Sequence[Truth], results: Sequence[Result]) -> dict[str, float]:
    """HOTA, IDF1 and MOTA (shares) and IDSW (a count) of all sequences together.

    Frames without truth are left out, and so is what a tracker found of ignored objects.
    """
    from trackeval.metrics import CLEAR, HOTA, Identity

    quiet = {"PRINT_CONFIG": False}
    all_data = {str(number): _data(*pair) for number, pair in enumerate(zip(truths, results, strict=True))}
    values: dict[str, Any] = {}
    for metric in (HOTA(), CLEAR(quiet), Identity(quiet)):
        each = {name: metric.eval_sequence(data) for name, data in all_data.items()}
        values |= metric.combine_sequences(each)
    return {
        "HOTA": float(np.mean(values["HOTA"])),
        "IDF1": float(values["IDF1"]),
        "MOTA": float(values["MOTA"]),
        "IDSW": float(values["IDSW"]),
    }


def _data(truth: Truth, result: Result) -> dict[str, Any]:
    """A sequence as TrackEval's metrics take it: numbers from 0 without gaps, and IoUs frame by frame."""
    true_ids, found_ids, similarity = [], [], []
    for place, ids, boxes, ignored in zip(truth.places, truth.ids, truth.boxes, truth.ignored, strict=True):
        alike = overlaps(np.asarray(boxes, np.float64), np.asarray(result.boxes[place], np.float64).reshape(-1, 4))
        rows, columns = linear_sum_assignment(np.where(alike >= SAME, -alike, 0))
        out = columns[ignored[rows] & (alike[rows, columns] >= SAME)]
        stays = np.setdiff1d(np.arange(alike.shape[1]), out)
        true_ids.append(np.asarray(ids)[~ignored])
        found_ids.append(np.asarray(result.ids[place], np.int64)[stays])
        similarity.append(alike[~ignored][:, stays])
    data: dict[str, Any] = {"num_timesteps": len(true_ids), "similarity_scores": similarity}
    for name, ids in (("gt", true_ids), ("tracker", found_ids)):
        known, numbers = np.unique(np.concatenate(ids), return_inverse=True)
        data[f"{name}_ids"] = np.split(numbers, np.cumsum([len(each) for each in ids])[:-1])
        data[f"num_{name}_ids"] = len(known)
        data[f"num_{name}_dets"] = len(numbers)
    return data
