"""Lists are hostile: nothing is read outside the folders that the user allows, however it is named."""

import os
from pathlib import Path

import pytest

from transforms.fetch.lists import local
from transforms.fetch.lists.local import open_allowed, path_of, read_allowed
from transforms.tables.reasons import Rejected


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("/a/b.jpg", "/a/b.jpg"),
        ("file:///a/b%20c.jpg", "/a/b c.jpg"),
        ("file:/a/b.jpg", "/a/b.jpg"),
        ("FILE://localhost/a/b.jpg", "/a/b.jpg"),
        ("/a/100%25.jpg", "/a/100%25.jpg"),
        ("//a.example/b.jpg", None),
        ("file://a.example/b.jpg", None),
        ("http://a.example/b.jpg", None),
        ("b.jpg", None),
        ("", None),
    ],
)
def test_which_rows_name_files(url, path):
    assert path_of(url) == path


@pytest.mark.parametrize("url", ["/a/../b", "/a\0b", "file:///a/..", "file:///a/%2e%2e/b", "file:///a%00b"])
def test_odd_paths(url):
    with pytest.raises(Rejected) as why:
        path_of(url)
    assert why.value.code == "bad_url"


@pytest.fixture
def tree(tmp_path):
    """An allowed folder `in`, and a file beside it."""
    for folder in ("in/below", "out", "inside"):
        (tmp_path / folder).mkdir(parents=True)
    for file in ("in/a.jpg", "in/below/b.jpg", "out/secret", "inside/c.jpg"):
        (tmp_path / file).write_text(file)
    (tmp_path / "in" / "to-below.jpg").symlink_to("below/b.jpg")
    (tmp_path / "in" / "to-secret.jpg").symlink_to(tmp_path / "out" / "secret")
    (tmp_path / "in" / "to-out").symlink_to(tmp_path / "out")
    (tmp_path / "in" / "to-root").symlink_to("/proc/self/root")
    (tmp_path / "in" / "lost.jpg").symlink_to("nowhere")
    (tmp_path / "in" / "round.jpg").symlink_to("round.jpg")
    (tmp_path / "alias").symlink_to("in")
    os.mkfifo(tmp_path / "in" / "pipe.jpg")
    return tmp_path


@pytest.mark.parametrize("path", ["in/a.jpg", "in/below/b.jpg", "in/to-below.jpg", "alias/a.jpg"])
@pytest.mark.parametrize("folder", ["in", "in/", "alias"])
def test_files_in_an_allowed_folder(tree, path, folder):
    assert read_allowed(str(tree / path), [f"{tree}/other", f"{tree}/{folder}"], 100) == (tree / path).read_bytes()


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("out/secret", "blocked_path"),
        ("inside/c.jpg", "blocked_path"),
        ("in", "blocked_path"),
        ("in/to-secret.jpg", "blocked_path"),
        ("in/to-out/secret", "blocked_path"),
        ("in/to-root/etc/passwd", "blocked_path"),
        ("/etc/passwd", "blocked_path"),
        ("/proc/self/environ", "blocked_path"),
        ("/proc/self/cwd/setup.py", "blocked_path"),
        ("/dev/zero", "blocked_path"),
        ("in/below", "no_file"),
        ("in/pipe.jpg", "no_file"),
        ("in/lost.jpg", "no_file"),
        ("in/round.jpg", "no_file"),
        ("in/a.jpg/b", "no_file"),
        ("in/" + "x" * 300, "no_file"),
    ],
)
def test_what_is_not_read(tree, path, code):
    with pytest.raises(Rejected) as why:
        open_allowed(os.path.join(tree, path), [f"{tree}/in"])
    assert why.value.code == code


def test_a_device_in_an_allowed_folder():
    with pytest.raises(Rejected, match="no_file"):
        open_allowed("/dev/zero", ["/dev"])


def test_what_is_too_large(tree):
    path, folders = str(tree / "in/a.jpg"), [str(tree / "in")]
    assert read_allowed(path, folders, 8) == b"in/a.jpg"
    with pytest.raises(Rejected, match="too_large"):
        read_allowed(path, folders, 7)


@pytest.mark.parametrize("swapped", ["below/b.jpg", "below"])
def test_a_link_that_is_swapped_in_after_the_check_is_not_followed(tree, swapped, monkeypatch):
    (tree / "out" / "b.jpg").write_text("secret")
    inside = tree / "in" / swapped
    real = os.path.realpath

    def checked(path):
        place = real(path)
        if str(path).endswith("b.jpg"):
            inside.rename(tree / "moved")
            inside.symlink_to(tree / "out" / Path(*Path(swapped).parts[1:]))
        return place

    monkeypatch.setattr(local.os.path, "realpath", checked)
    monkeypatch.setattr(local.os, "lstat", lambda _: os.stat(tree / "in" / "a.jpg"))  # the swap comes after it, too
    with pytest.raises(Rejected, match="no_file"):
        open_allowed(str(tree / "in" / "below" / "b.jpg"), [str(tree / "in")])
