"""What words of the command line, and files that they name, ask to remove."""

import pytest

from beam_pipelines.errors import ConfigError
from beam_pipelines.removal.asked import Asked, read_asked


def test_nothing_is_asked_for():
    assert read_asked([], [], []) == Asked()
    assert not Asked().anything


@pytest.mark.parametrize(
    ("name", "content", "items"),
    [
        ("list.txt", "", ()),
        ("list.txt", "\ufeffhttp://a/1,2.jpg\r\n\r\n  http://a/3.jpg \nhttp://a/1,2.jpg", ("http://a/1,2.jpg", "http://a/3.jpg")),
        ("list.csv", "", ()),
        ("list.csv", 'http://a/1.jpg,x\n"http://a/1,2.jpg",y\n', ("http://a/1.jpg", "http://a/1,2.jpg")),
        ("list.CSV", "who,URL\nme,http://a/1.jpg\nyou\n", ("http://a/1.jpg",)),
        ("none", None, ("none",)),
    ],
)  # fmt: skip
def test_a_file_has_one_a_line_and_csv_a_column_of_the_name(tmp_path, monkeypatch, name, content, items):
    monkeypatch.chdir(tmp_path)
    if content is not None:
        (tmp_path / name).write_bytes(content.encode())
    assert read_asked([name], [], []).urls == items


def test_files_and_values_may_stand_together(tmp_path):
    path = tmp_path / "ids.csv"
    path.write_text("face_id,image_id\nf,a\ng,b\n")
    asked = read_asked([], ["c", str(path), "a"], ["7", "07", "12"], pictures=True, reference="r")
    assert asked == Asked((), ("c", "a", "b"), (7, 7, 12), True, "r")


@pytest.mark.parametrize("text", ["-1", "1.5", "\u0661", "one"])
def test_an_identity_is_a_number(text):
    with pytest.raises(ConfigError, match="neither a file nor the number of an identity"):
        read_asked([], [], [text], pictures=False)


def test_what_becomes_of_the_images_of_people_must_be_said():
    with pytest.raises(ConfigError, match="--with-images removes them too; --keep-images"):
        read_asked([], [], ["1"])


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b'"' + b"x" * 140_000])
def test_what_is_no_text_is_told(tmp_path, content):
    path = tmp_path / "list.csv"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match="this is no text with one a line"):
        read_asked([str(path)], [], [])
