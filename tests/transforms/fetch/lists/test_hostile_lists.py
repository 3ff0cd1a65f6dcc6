"""Lists of every format, cut and changed, end in rows that are all accounted for, or in one sentence."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.transforms.fetch.lists.list_samples import URLS, samples, verdicts

SAMPLES = samples()
WHOLE = ("gz", "bz2", "xz", "zst", "parquet", "json")  # of these a cut one is refused


def reading(path):
    """The verdicts on the rows, or the sentence that refuses the list."""
    try:
        return verdicts(path)
    except ValueError as error:
        sentence = str(error)
    assert len(sentence) > 20
    assert "\n" not in sentence
    return sentence


@pytest.mark.parametrize("name", SAMPLES)
def test_the_samples_have_eight_items(tmp_path, name):
    (tmp_path / name).write_bytes(SAMPLES[name])
    assert reading(tmp_path / name) == URLS


@pytest.mark.parametrize("name", SAMPLES)
def test_a_list_that_is_cut_anywhere(tmp_path, name):
    path, content = tmp_path / name, SAMPLES[name]
    for length in range(len(content)):
        path.write_bytes(content[:length])
        found = reading(path)
        if isinstance(found, str):
            continue
        if name.endswith(WHOLE):
            assert length == 0 or found == URLS
        # the last row may be cut, those before it are as they were
        assert found[:-1] == URLS[: max(len(found) - 1, 0)]


@pytest.mark.parametrize("name", SAMPLES)
def test_a_list_with_changed_bytes(tmp_path, name):
    path, chance = tmp_path / name, random.Random(7)
    for _ in range(400):
        content = bytearray(SAMPLES[name])
        for _ in range(chance.choice((1, 1, 2, 5))):
            place = chance.randrange(len(content))
            match chance.randrange(4):
                case 0:
                    content[place] = chance.randrange(256)
                case 1:
                    content[place : place + 1] = bytes([chance.choice(b'"\n\r\t,[]{}\\\x00\xff')])
                case 2:
                    del content[place : place + chance.randrange(1, 9)]
                case _:
                    content[place:place] = content[chance.randrange(len(content)) :][: chance.randrange(1, 60)]
        path.write_bytes(bytes(content))
        reading(path)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(['"', ",", "\n", "\r", "a", "http://a.example/", '""', " ", "\0", "é"]), max_size=60))
def test_no_row_of_a_csv_is_lost_behind_any_text(tmp_path_factory, pieces):
    """Rows before and behind any text are read, whatever quotes are open in it."""
    path = tmp_path_factory.mktemp("m") / "m.csv"
    rows = [f"{url},x\n" for url in URLS]
    path.write_text("url,caption\n" + "".join(rows[:4]) + "".join(pieces) + "\n" + "".join(rows[4:]), newline="")
    found = [verdict for verdict in verdicts(path) if isinstance(verdict, str)]
    assert found[:4] == URLS[:4]
    assert found[-4:] == URLS[-4:]
