"""`manyfaces evaluate` as it is typed, and from Python: figures, mistakes, their picture, and what cannot be done."""

import csv
import json
from pathlib import Path

import cv2
import pytest

import manyfaces
from beam_pipelines import cli
from tests.labelled_run import write_images, write_no_persons
from transforms.tables.files import exists

FATES = {
    **{f"ann{n}": ("c1", 0) for n in range(5)},
    **{f"bob{n}": ("c1", 0) for n in range(3)},
    **{f"bob{n}": ("c2", 1) for n in range(3, 7)},
    **{f"eve{n}": ("c3", None) for n in range(2)},
}
NAMES = {"ann": "=Änn()[red]", "bob": "bob\n" + "o" * 300, "eve": "eve"}


def write_labels(path, names, header="file,person"):
    with path.open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out)
        writer.writerow(header.split(","))
        writer.writerows([f"{name}.jpg", NAMES[name[:3]]] for name in names)
    return str(path)


@pytest.fixture
def run(tmp_path) -> str:
    write_images(str(tmp_path / "run"), FATES, ("eve9",))
    return str(tmp_path / "run")


@pytest.fixture
def labels(tmp_path) -> str:
    return write_labels(tmp_path / "labels.csv", [*FATES, "eve9", "eve-unknown"])


def test_figures_mistakes_and_picture_are_in_the_run(run, labels, capsys):
    assert cli.main(["evaluate", labels, run]) == cli.DONE
    shown = capsys.readouterr().out
    folder = Path(run, "evaluation")
    names = ("evaluation.json", "mistakes.csv", "mistakes.png")
    assert shown.splitlines()[-3:] == [str(folder / name) for name in names]
    assert sorted(path.name for path in folder.iterdir()) == sorted(names)
    assert "14 of 16 items in 16 rows of labels were counted." in shown
    assert "left out: 1 items that the run does not know." in shown
    assert "left out: 1 items without a face." in shown

    record = json.loads((folder / "evaluation.json").read_text(encoding="utf-8"))
    assert (record["step"], record["mistakes"]) == ("cleaning", {"merged": 1, "split": 1, "lost": 1})
    before, after, kept = (record[name] for name in ("before", "after", "kept"))
    assert (before["faces"], before["identities_true"], before["identities_found"]) == (14, 3, 3)
    assert (before["coverage"], after["coverage"]) == (14 / 15, 12 / 15)
    assert after["pairwise_precision"] == pytest.approx((10 + 3 + 6) / (28 + 6))
    assert after["pairwise_recall"] == pytest.approx((10 + 3 + 6) / (10 + 21 + 1))
    assert (kept["faces"], kept["purity"]) == (12, 9 / 12)
    for name, value in after.items():
        if isinstance(value, float):
            assert f"{value:.4f}" in shown, name

    rows = list(csv.DictReader((folder / "mistakes.csv").open(newline="", encoding="utf-8")))
    long = f"{NAMES['bob'][:200]}..."
    assert [(row["mistake"], row["identity"], row["person"], row["faces"]) for row in rows] == [
        ("merged", "0", "", "8"),
        ("split", "", long, "7"),
        ("lost", "", "eve", "2"),
    ]
    assert rows[0]["consists_of"] == f"'{NAMES['ann']}: 5; {long}: 3"
    assert (rows[1]["consists_of"], rows[1]["wrong_pairs"], rows[1]["largest_share"]) == ("1: 4; 0: 3", "12", "0.5714")
    assert cv2.imread(str(folder / "mistakes.png")).shape[0] == 3 * (120 + 22 + 6)


def test_a_second_time_and_another_order_of_rows_give_the_same_files(run, labels, tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    manyfaces.evaluate(labels, run, output=str(one))
    write_labels(Path(labels), ["eve-unknown", "eve9", *reversed(FATES)])
    manyfaces.evaluate(labels, run, output=str(other))
    manyfaces.evaluate(labels, run, output=str(other))
    assert sorted(path.name for path in other.iterdir()) == sorted(path.name for path in one.iterdir())
    for path in one.iterdir():
        assert (other / path.name).read_bytes() == path.read_bytes()


def test_from_python_it_is_a_typed_result_and_nothing_is_written(run, labels):
    found = manyfaces.evaluate(labels, manyfaces.Run(run))
    assert isinstance(found, manyfaces.Evaluation)
    assert (found.counts.with_face, found.counts.without_face, found.counts.not_in_run) == (14, 1, 1)
    assert found.kept.agreement.purity == 9 / 12
    assert not Path(run, "evaluation").exists()


def test_columns_and_folder_may_be_named(run, tmp_path):
    labels = write_labels(tmp_path / "labels.csv", FATES, "key,who")
    words = [
        "evaluate",
        labels,
        run,
        "--item-column",
        "key",
        "--identity-column",
        "who",
        "--output",
        str(tmp_path / "o"),
    ]
    assert cli.main(words) == cli.DONE
    assert len(list((tmp_path / "o").iterdir())) == 3


def test_of_persons_the_step_is_merging(run, labels, capsys):
    write_no_persons(run)
    assert cli.main(["evaluate", labels, run]) == cli.DONE
    assert "after merging" in capsys.readouterr().out


def test_on_every_storage(folder, tmp_path):
    write_images(folder, FATES)
    labels = write_labels(tmp_path / "labels.csv", FATES)
    found = manyfaces.evaluate(labels, folder, output=f"{folder}/evaluation")
    assert found.counts.with_face == len(FATES)
    assert exists(f"{folder}/evaluation/mistakes.png")


CASES = [
    ("file,person\nnobody.jpg,x\n", [], "none of its 1 labelled items, such as 'nobody.jpg', names one item of"),
    ("file,person\nann0.jpg,\nann1.jpg,a|b\n", [], "none of its 2 items has one identity (1 have none, 1 several)"),
    ("file,person\n", [], "none of its 0 items has one identity"),
    ("file,person\neve9.jpg,eve\n", [], "none of the 1 labelled items of"),
    ("file,who\nann0.jpg,x\n", [], "none is called 'identity' or as usual"),
    ("file,person\nann0.jpg,x\n", ["--item-column", "key"], "none is called 'key': say which has the item"),
]


@pytest.mark.parametrize(("content", "words", "sentence"), CASES)
def test_what_cannot_be_compared_is_one_sentence_and_leaves_nothing(run, tmp_path, content, words, sentence, capsys):
    (tmp_path / "l.csv").write_text(content)
    assert cli.main(["evaluate", str(tmp_path / "l.csv"), run, *words]) == cli.UNUSABLE
    told = capsys.readouterr().err
    assert sentence in told
    assert told.count("\n") == 1
    assert not Path(run, "evaluation").exists()


def test_places_that_cannot_be_used(run, labels, tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "l.npy").touch()
    for words, sentence in (
        ([labels, str(tmp_path / "empty")], "the run has no identities yet"),
        ([labels, str(tmp_path / "file")], "is a file and no folder"),
        ([labels, run, "--output", str(tmp_path / "file")], "--output"),
        ([str(tmp_path / "none.csv"), run], "there is no such file"),
        ([str(tmp_path / "l.npy"), run], "labels are CSV, TSV or parquet"),
        ([labels, run, "--item-colum", "x"], "did you mean --item-column?"),
    ):
        assert cli.main(["evaluate", *words]) == cli.UNUSABLE
        assert sentence in capsys.readouterr().err
