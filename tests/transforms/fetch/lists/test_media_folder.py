"""A folder of images or videos is a list by itself."""

import pytest

from transforms.fetch.lists.files import is_media_folder, list_digest
from transforms.fetch.lists.image_settings import Columns, ManifestSettings
from transforms.fetch.lists.manifest import split_manifest, to_listed_image
from transforms.fetch.lists.read import read_records
from transforms.fetch.lists.video_manifest import to_listed_video
from transforms.fetch.lists.video_settings import VideoManifestSettings
from transforms.tables.ledger import tally


def put(top, *names):
    for name in names:
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_bytes(b"x")
    return top


@pytest.fixture
def people(tmp_path):
    top = put(
        tmp_path / "people", "b.PNG", "ann/2.jpg", "ann/1.jpg", "ann/old/3.webp", "bob/1.mp4", "bob/notes.txt",
        ".hidden/4.jpg", "ann/.5.jpg",
    )  # fmt: skip
    (top / "link").symlink_to(tmp_path)
    return top


def records(path, settings):
    return read_records(path, settings, endings=settings.endings)


def test_images_in_order_with_their_folders(people):
    found = [(row["url"], row["folder"], row["file"]) for row in records(f"{people}/", ManifestSettings())]
    assert found == [
        (f"{people}/b.PNG", None, "b.PNG"),
        (f"{people}/ann/1.jpg", "ann", "1.jpg"),
        (f"{people}/ann/2.jpg", "ann", "2.jpg"),
        (f"{people}/ann/old/3.webp", "ann/old", "3.webp"),
    ]


def test_folders_may_be_labels(people):
    settings = ManifestSettings(columns=Columns(label="folder"))
    labels = [to_listed_image(row, settings).label for row in records(str(people), settings)]
    assert labels == [None, "ann", "ann", "ann/old"]


def test_a_list_of_videos_has_the_videos(people):
    settings = VideoManifestSettings()
    (row,) = records(str(people), settings)
    assert to_listed_video(row, settings).url == f"{people}/bob/1.mp4"


@pytest.mark.parametrize(
    ("names", "is_one"),
    [
        (["a.jpg"], True),
        (["a.jpg", "labels.csv"], True),
        (["below/a.jpg"], True),
        (["below/a.jpg", "README.md"], True),
        (["below/a.jpg", "list.csv"], False),
        (["list.csv"], False),
        (["below/a.txt"], False),
        ([".a.jpg"], False),
    ],
)
def test_which_folders_are_lists_of_media(names, is_one, tmp_path):
    assert is_media_folder(str(put(tmp_path / "x", *names))) == is_one
    assert not is_media_folder(str(tmp_path / "x" / names[0]))
    assert not is_media_folder("gs://bucket/x")


def test_new_files_are_new_rows(people, tmp_path):
    run, before = str(tmp_path / "run"), list_digest(str(people))
    assert split_manifest(str(people), run, ManifestSettings()).kept == 4
    put(people, "cy/1.jpg")
    assert list_digest(str(people)) != before
    assert split_manifest(str(people), run, ManifestSettings()).kept == 5
    assert tally(run, "manifest").by_reason == {"kept": 5}
