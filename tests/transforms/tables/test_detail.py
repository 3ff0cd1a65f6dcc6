import io
import tempfile

import pytest

from transforms.tables.detail import steady
from transforms.tables.files import temporary_name
from transforms.tables.ledger import write_ledger
from transforms.tables.shards import read_shard, shard_path
from transforms.tables.verdicts import Verdict, verdict

DETAILS = [
    (f"cannot identify image file {io.BytesIO()!r}", "cannot identify image file <_io.BytesIO object>"),
    ("[mov,mp4,m4a @ 0x55d0c8a1b2c0] moov atom not found", "[mov,mp4,m4a] moov atom not found"),
    ("<function f at 0x7f1aefdcc410>, <X at 0x7F1A>: bad", "<function f>, <X>: bad"),
    ("Could not connect to ::1 port 9 after 12 ms: no", "Could not connect to ::1 port 9: no"),
    ("Operation timed out after 20001 milliseconds with 0 bytes received", "Operation timed out with 0 bytes received"),
    (f"looking at /r/media/{temporary_name('fetching')}/3/part failed: no", "looking at /r/media/ failed: no"),
    (f"No such file: '{tempfile.gettempdir()}/tmpab12_x9z/copy'", f"No such file: '{tempfile.gettempdir()}/'"),
    # what does not vary stays
    ("starts with b'\\x00\\x01' at 0 of 0x10 bytes", "starts with b'\\x00\\x01' at 0 of 0x10 bytes"),
    ("HRESULT 0x80070005, looked after 3 times", "HRESULT 0x80070005, looked after 3 times"),
    ("http://h/tmp/a.jpg is /data/tmp/b", "http://h/tmp/a.jpg is /data/tmp/b"),
]  # fmt: skip


@pytest.mark.parametrize(("detail", "expected"), DETAILS, ids=range(len(DETAILS)))
def test_what_differs_from_run_to_run_is_left_out(detail, expected):
    assert steady(detail) == expected


def test_a_detail_is_cut_where_it_no_longer_varies():
    one, other = (verdict("a", "internal_error", "x" * 480 + f" at {hex(number)}!") for number in (2**30, 2**46))
    assert one == other


def test_two_equal_runs_have_equal_ledgers(tmp_path):
    tables = []
    for run in ("one", "two"):
        verdict = Verdict("a", "failed", "internal_error", detail=f"TypeError: {object()!r}")
        write_ledger(str(tmp_path / run), "download", "0", [(verdict, 0)])
        tables.append(read_shard(shard_path(str(tmp_path / run), "ledger/download", "0")).to_pylist())
    assert tables[0] == tables[1]
    assert tables[0][0]["detail"] == "TypeError: <object object>"
