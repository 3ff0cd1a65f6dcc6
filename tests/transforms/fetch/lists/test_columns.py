"""The column that is meant is guessed, and named as it is given on the command line."""

import shlex

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from transforms.fetch.lists.columns import check_columns, nearest_column, set_column, told_apart
from transforms.fetch.lists.image_settings import Columns
from transforms.fetch.lists.video_settings import VideoColumns


@pytest.mark.parametrize(
    ("names", "guess"),
    [
        (["id", "URL", "url_hash"], "URL"),
        (["image_url", "caption"], "image_url"),
        (["thumbnail_url", "Url2", "x"], "Url2"),
        (["id", "link"], "link"),
        (["id", "image_href"], "image_href"),
        (["name", "file_path"], "file_path"),
        (["urk", "caption"], "urk"),
        (["a", "b"], None),
        ([], None),
    ],
)
def test_the_column_of_the_url(names, guess):
    assert nearest_column("url", "url", names) == guess


def test_other_columns_are_guessed_by_their_names():
    assert nearest_column("label", "class", ["url", "Class"]) == "Class"
    assert nearest_column("label", "clas", ["url", "class"]) == "class"
    assert nearest_column("label", "genre", ["url", "link"]) is None


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (
            ["image_url", "c"],
            "manifest.columns.url: the manifest has no column 'url'; it has image_url, c. If 'image_url' is meant, "
            "give --set manifest.columns.url=image_url",
        ),
        (
            ["a", "b"],
            "manifest.columns.url: the manifest has no column 'url'; it has a, b. Say which it is with --set "
            "manifest.columns.url=NAME.",
        ),
        (
            ["the url", "c"],
            "manifest.columns.url: the manifest has no column 'url'; it has the url, c. If 'the url' is meant, give "
            "--set 'manifest.columns.url=the url'",
        ),
    ],
)
def test_what_is_said_of_a_missing_column(names, message):
    with pytest.raises(ValueError, match="no column") as error:
        check_columns(Columns(), names)
    assert str(error.value) == message


def test_many_and_odd_names_are_shown_short():
    with pytest.raises(ValueError, match="and others") as error:
        check_columns(Columns(), ["x\0\n" * 100, *(f"c{number}" for number in range(1000))])
    assert len(str(error.value)) < 500
    assert "\n" not in str(error.value)


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1))
def test_what_is_to_be_given_gives_the_name(name):
    (word,) = shlex.split(set_column("url", name))
    key, _, value = word.partition("=")
    assert (key, yaml.safe_load(value)) == ("manifest.columns.url", name)


def test_names_are_told_apart():
    assert told_apart(["a", "a", "a_2", "a"]) == ["a", "a_2", "a_2_2", "a_3"]


@pytest.mark.parametrize(
    ("columns", "names", "column"),
    [
        (Columns(), ["url", "id"], "id"),
        (Columns(), ["url", "image_id", "id"], "id"),
        (Columns(), ["url", "image_id"], "image_id"),
        (Columns(), ["url"], None),
        (Columns(id="n"), ["url", "id"], "n"),
        (Columns(id=None), ["url", "id"], None),
        (VideoColumns(), ["url", "id"], "id"),
        (VideoColumns(), ["url", "id", "video_id"], "video_id"),
        (VideoColumns(id=None), ["url", "id"], None),
    ],
)
def test_the_column_of_the_ids(columns, names, column):
    assert columns.id_column(names) == column


def test_an_id_that_is_not_called_for_says_no_video():
    with pytest.raises(ValueError, match=r"--set manifest\.columns\.url=link"):
        check_columns(VideoColumns(), ["id", "link"])
