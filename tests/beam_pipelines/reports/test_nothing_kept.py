"""A run of which nothing came says so, and why."""

import pytest

from beam_pipelines.driver.record import write_record
from beam_pipelines.reports import summary
from beam_pipelines.reports.nothing_kept import sentence


def stage(kept=0, dropped=0, failed=0, **reasons):
    return {"kept": kept, "dropped": dropped, "failed": failed, "rows": kept, "seconds": 1.0, "reasons": reasons}


KEPT = stage(kept=5)
CASES = [
    ("all is well", {"manifest": KEPT, "download": stage(kept=1, failed=4, timeout=4)}, None),
    ("an empty list", {"manifest": stage()}, "NOTHING WAS KEPT: list.csv has no rows."),
    (
        "no row can be read",
        {"manifest": stage(failed=8, bad_row=5, no_url=3), "download": stage()},
        "NOTHING WAS KEPT: the stage manifest kept none of its 8 items. Most often: bad_row 5 (the row cannot be "
        "read); no_url 3 (the row has no URL).",
    ),
    (
        "what can be tried again",
        {"manifest": KEPT, "download": stage(dropped=1, failed=4, opted_out=1, timeout=3, http_404=1)},
        "NOTHING WAS KEPT: the stage download kept none of its 5 items. Most often: timeout 3 (connecting, reading or "
        "the whole transfer took too long); opted_out 1 (the server's headers reserve the item against this use); "
        "http_404 1 (HTTP status 404). `manyfaces retry run --transient-only` tries 3 of them again.",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("stages", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_the_stage_at_which_all_ended_is_named_with_its_reasons(stages, expected):
    assert sentence("run", {"recipe": "webbody", "manifest": "list.csv", "stages": stages}) == expected


def test_only_the_most_frequent_reasons_are_told():
    stages = {"faces": stage(dropped=7, no_face=3, small_face=2, low_score=1, large_yaw=1)}
    told = sentence("run", {"stages": stages})
    assert "no_face 3" in told
    assert "large_yaw" not in told


def test_the_report_ends_with_it(tmp_path, capsys):
    run = str(tmp_path / "run[1]")
    write_record(run, {"recipe": "webbody", "manifest": "m", "stages": {"download": stage(failed=2, dns_error=2)}})
    summary.show(run)
    shown = " ".join(capsys.readouterr().out.split())
    assert "NOTHING WAS KEPT: the stage download kept none of its 2 items. Most often: dns_error 2" in shown
    write_record(run, {"recipe": "webbody", "manifest": "m", "stages": {"download": KEPT}})
    summary.show(run)
    assert "NOTHING" not in capsys.readouterr().out
