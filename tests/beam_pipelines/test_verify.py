"""`manyfaces verify` as it is typed and from Python: the figures, the pairs behind them, what cannot be compared."""

import json
import math

import numpy as np
import pytest

import manyfaces
from beam_pipelines import cli
from tests.embedded_faces import write_pictures
from transforms.tables.files import open_binary

COUNT = 40  # pictures, two of each person
FILES = ("verification.json", "roc.png", "hardest.csv", "hardest.png")


def vectors():
    """Pictures on a circle, both of a person 3 degrees apart, persons 18; picture 1 is far from its person."""
    angles = {f"p{n:02d}": (n // 2) * 18 + 3 * (n % 2) for n in range(COUNT)} | {"p01": 90}
    return {name: (math.cos(math.radians(a)), math.sin(math.radians(a))) for name, a in angles.items()}


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> str:
    return write_pictures(str(tmp_path_factory.mktemp("run")), vectors(), no_face=["nobody"], shards=3)


@pytest.fixture(scope="module")
def pairs(tmp_path_factory) -> str:
    """All pairs but those of picture 1 with others, a bad row and two that cannot be compared."""
    rows = [
        f"p{one:02d}.jpg,/pictures/p{other:02d}.jpg,{int(one // 2 == other // 2)}"
        for one in range(COUNT)
        for other in range(one + 1, COUNT)
        if 1 not in (one, other) or one // 2 == other // 2
    ]
    path = tmp_path_factory.mktemp("pairs") / "pairs.csv"
    path.write_text("\n".join(["a,b,same", *rows, "p01,nobody,1", "p01,stranger,0", "p01,,0"]) + "\n")
    return str(path)


def test_the_command_shows_and_writes_the_figures(run, pairs, tmp_path, capsys):
    output = tmp_path / "out"
    assert cli.main(["verify", pairs, run, "--output", str(output)]) == cli.DONE
    shown = capsys.readouterr().out
    record = json.loads((output / "verification.json").read_text())
    same, different = COUNT // 2, math.comb(COUNT, 2) - (COUNT - 2) - COUNT // 2
    assert (record["same"], record["different"]) == (same, different)
    assert record["pairs"] == {"listed": same + different + 3, "compared": same + different}
    left_out = {reason: count for reason, count in record["left_out"].items() if count}
    assert left_out == {"bad_row": 1, "not_in_run": 1, "no_face": 1}
    # picture 1 is a right angle from its person; neighbours are 15 degrees apart, and others more
    best = record["best"]
    assert (best["true_accepts"], best["false_accepts"]) == (same - 1, 0)
    assert math.cos(math.radians(15)) < best["threshold"] < math.cos(math.radians(3))
    assert record["at_far"]["0.01"]["tar"] == pytest.approx((same - 1) / same)
    assert record["at_far"]["0.001"] is None
    needs = "it needs at least 1,000 pairs of different persons"
    assert record["notes"][0] == f"TAR at FAR 0.001 cannot be told: {needs}, and there are {different}."
    assert record["notes"][0] in shown
    assert "left out: pairs with an item that the run does not know" in shown
    assert shown.splitlines()[-4:] == [f"{output}/{name}" for name in FILES]
    assert sorted(path.name for path in output.iterdir()) == sorted(FILES)
    hardest = (output / "hardest.csv").read_text().splitlines()
    assert "same,0.0" in next(row for row in hardest if row.startswith("same"))


def test_files_go_to_the_run_where_nothing_else_is_said(run, pairs, tmp_path, capsys):
    assert cli.main(["verify", pairs, run]) == cli.DONE
    assert f"{run}/verification/verification.json" in capsys.readouterr().out


def test_from_python_nothing_is_written_unless_it_is_said_where(run, pairs, tmp_path):
    record = manyfaces.verify(pairs, run)
    assert list(tmp_path.iterdir()) == []
    assert manyfaces.verify(pairs, run, output=str(tmp_path / "new" / "out")) == record
    assert json.loads((tmp_path / "new" / "out" / "verification.json").read_text()) == record


def test_a_run_may_be_on_any_storage(folder, pairs):
    run = write_pictures(f"{folder}/run", vectors())
    record = manyfaces.verify(pairs, manyfaces.Run(run), output=f"{run}/verification")
    with open_binary(f"{run}/verification/verification.json") as file:
        assert json.loads(file.read()) == record
    with open_binary(f"{run}/verification/hardest.png") as file:
        assert file.read(4) == b"\x89PNG"


def test_the_order_of_rows_changes_nothing(run, pairs, tmp_path):
    with open(pairs) as file:
        head, *rows = file.read().splitlines()
    np.random.default_rng(0).shuffle(rows)
    (tmp_path / "pairs.csv").write_text("\n".join([head, *rows]))
    one = manyfaces.verify(pairs, run, output=str(tmp_path / "one"))
    other = manyfaces.verify(str(tmp_path / "pairs.csv"), run, output=str(tmp_path / "other"))
    assert one == other
    for name in FILES:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "other" / name).read_bytes(), name


def test_columns_may_be_named(run, tmp_path):
    (tmp_path / "pairs.csv").write_text("w,x,y,z\np00,0,p03,9\np02,yes,p03,9\n")
    record = manyfaces.verify(str(tmp_path / "pairs.csv"), run, first_column="w", second_column="y", same_column="x")
    assert (record["same"], record["different"]) == (1, 1)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("a,b,same\n", "among the pairs that can be compared there is no pair of one person; pairs of both kinds"),
        ("a,b,same\np00,p03,0\np00,x,1\n", "no pair of one person.* Left out are pairs with an item .* know: 1\\."),
        (
            "a,b,same\np02,p03,1\np00,p03,?\n",
            "no pair of two persons.* Left out are rows that name no two items, .*: 1\\.",
        ),
        ("a,b,c\np02,p03,1\n", "none is known to hold whether .* name it with --same-column NAME"),
        ("PAR1", "damaged"),
        (None, "there is no such file"),
    ],
)
def test_pairs_that_cannot_be_compared_are_told_in_a_sentence(run, tmp_path, capsys, content, words):
    path = tmp_path / "pairs.csv"
    if content is not None:
        path.write_text(content)
    assert cli.main(["verify", str(path), run, "--output", str(tmp_path / "out")]) == cli.UNUSABLE
    (line,) = capsys.readouterr().err.strip().splitlines()
    with pytest.raises(manyfaces.ConfigError, match=words):
        manyfaces.verify(str(path), run)
    assert line.startswith(f"manyfaces: PAIRS {path}: ")
    assert not (tmp_path / "out").exists()


def test_a_folder_without_embeddings_is_told_in_a_sentence(pairs, tmp_path, capsys):
    assert cli.main(["verify", pairs, str(tmp_path)]) == cli.UNUSABLE
    assert "the run has no table faces yet; run it to the stage that embeds" in capsys.readouterr().err
    assert cli.main(["verify", pairs, pairs]) == cli.UNUSABLE
    assert "is a file and no folder" in capsys.readouterr().err
