"""Runs from Python: the small recipe of numbers, and what is read of its folder."""

import json

import pytest
import yaml

import manyfaces

RECIPE = "tests.beam_pipelines.numbers_recipe:RECIPE"


@pytest.fixture
def numbers(tmp_path):
    """A configuration and a list of sixty numbers, as `run` takes them."""
    (tmp_path / "numbers.yaml").write_text(yaml.safe_dump({"recipe": RECIPE}))
    (tmp_path / "numbers.txt").write_text("\n".join(map(str, range(1, 61))))
    return {
        "recipe": str(tmp_path / "numbers.yaml"),
        "input": str(tmp_path / "numbers.txt"),
        "output": str(tmp_path / "run"),
        "beam": ["--direct_num_workers=2"],
    }


@pytest.fixture
def run(numbers):
    return manyfaces.run(**numbers, set={"factor": 4, "halve": {"parts": 1}})


def test_an_empty_list_is_a_run_without_rows(numbers, tmp_path):
    (tmp_path / "numbers.txt").write_text("")
    run = manyfaces.run(**numbers)
    assert run.record["stages"]["double"]["kept"] == 0


def test_a_run_gives_its_tables_and_its_ledger(run, capsys):
    values = run.table("halves").to_table(columns=["value"])["value"].to_pylist()
    kept = [n for n in range(1, 61) if n % 10 and n % 7 and 4 * n % 11]
    assert sorted(values) == [4 * n for n in kept]
    assert run.table("sums").to_table()["value"].to_pylist() == [sum(values)]
    assert {"doubles", "halves", "sums", "ledger/double", "manifest"} <= set(run.tables())
    ledger = run.ledger()
    assert set(ledger["stage"].to_pylist()) == {"manifest", "double", "halve", "sum"}
    of_double = run.ledger("double")
    assert len(of_double) == 60
    assert of_double.filter(of_double["reason"].to_numpy(zero_copy_only=False) == "timeout").num_rows == 8
    assert run.record["config"]["factor"] == 4
    run.show()
    assert "double" in capsys.readouterr().out


def test_the_same_call_goes_on_and_another_one_must_say_so(numbers, run):
    before = run.record["stages"]["double"]
    assert manyfaces.run(**numbers, set={"factor": 4, "halve.parts": 1}) == run
    assert run.record["stages"]["double"]["kept"] == before["kept"]
    with pytest.raises(manyfaces.ConfigError, match=r"factor: 4 -> 2"):
        manyfaces.run(**numbers, set={"halve.parts": 1})
    manyfaces.run(**numbers, set={"halve.parts": 1}, recompute=True)
    assert run.record["config"]["factor"] == 2


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"recipe": "webbodi"}, "there is no such configuration file"),
        ({"set": {"factr": 3}}, "--set factr=3: unknown key; did you mean 'factor'"),
        ({"input": "/nowhere.txt"}, "there is no such file"),
        ({"beam": ["--runner=FlinkRuner"]}, "did you mean 'FlinkRunner'"),
    ],
)
def test_what_cannot_be_run_is_a_sentence(numbers, change, words):
    with pytest.raises(manyfaces.ConfigError, match=words):
        manyfaces.run(**(numbers | change))


def test_a_run_that_fails_says_so(numbers):
    with pytest.raises(manyfaces.RunFailed, match="more than max_failed_share"):
        manyfaces.run(**numbers, set={"max_failed_share": 0.01})


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda run: run.table("face"), "there is no table 'face'; "),
        (lambda run: run.ledger("faces"), "there is no ledger of faces"),
        (lambda run: run.ledger(), "there is no ledger of any stage"),
        (lambda run: run.show(), "there is no run here"),
    ],
)
def test_what_is_not_there_is_a_sentence(tmp_path, ask, words):
    with pytest.raises(manyfaces.ConfigError, match=words):
        ask(manyfaces.Run(str(tmp_path)))


def test_values_are_given_as_they_are(run):
    assert json.dumps(run.record["config"]["halve"]) == '{"parts": 1}'
