"""Ours is not worse than the best of the others, on the same detections, by TrackEval."""

import pytest

from benchmarks.peer_trackers import ours, peers, theirs
from benchmarks.track_scores import scores
from benchmarks.tracking import JUDGED, SETTINGS, scenes

pytestmark = pytest.mark.frameworks


def test_not_worse_than_the_best():
    for module in ("trackeval", "supervision", "trackers", "ultralytics", "lap"):
        pytest.importorskip(module)
    sequences = scenes(JUDGED)
    truths = [each.truth for each in sequences]
    mine = scores(truths, [ours(each.frames, each.frame_rate, SETTINGS) for each in sequences])
    makers = peers(SETTINGS)
    assert len(makers) == 10
    found = {
        name: scores(truths, [theirs(each.frames, make(each.frame_rate)) for each in sequences])
        for name, make in makers.items()
    }
    for measure in ("HOTA", "IDF1", "MOTA"):
        best = max(found, key=lambda name: found[name][measure])
        assert mine[measure] >= found[best][measure], f"{measure}: {best} {found[best]}, ours {mine}"
