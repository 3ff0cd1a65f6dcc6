"""`manyfaces evaluate` on a real run of photographs, with its own list as labels."""

import json
import shutil

import pytest

from beam_pipelines.cli import main

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("webbody")]


@pytest.mark.parametrize("item", ["url", "id"])
def test_a_real_run_agrees_with_its_own_list(whole_run, site, tmp_path, item, capsys):
    run = shutil.copytree(whole_run, tmp_path / "run")
    words = ["evaluate", str(site.manifest), str(run), "--item-column", item, "--identity-column", "who"]
    assert main(words) == 0, capsys.readouterr().err
    record = json.loads((run / "evaluation" / "evaluation.json").read_text())
    labelled = {row.id for row in site.rows if row.who and "|" not in row.who}
    counts = record["counts"]
    assert counts["items"] - counts["without_identity"] - counts["several_identities"] == len(labelled)
    assert counts["with_face"] + counts["without_face"] == len(labelled)
    assert record["kept"]["pairwise_precision"] == 1
    assert record["kept"]["identities_found"] >= 2
    assert (run / "evaluation" / "mistakes.png").stat().st_size > 1000
