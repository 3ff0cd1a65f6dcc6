import gzip
import io
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest

from model_handlers.errors import ModelError
from model_handlers.weights.archives import MemberAbsent, extract_member


def tar_with(path: Path, *members: tuple[tarfile.TarInfo, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for info, content in members:
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info, b""


def zip_with(path: Path, members: dict[str | zipfile.ZipInfo, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize("name", ["empty.zip", "empty.tgz"])
def test_empty_archive_has_no_member(tmp_path: Path, name: str) -> None:
    archive = zip_with(tmp_path / name, {}) if name.endswith("zip") else tar_with(tmp_path / name)
    with pytest.raises(MemberAbsent, match="there is no a/b"):
        extract_member(archive, "a/b", tmp_path / "out")


@pytest.mark.parametrize(("member", "content"), [("top/a.bin", b"A" * 3000), ("*/a.bin", b"A" * 3000), ("*/x/b", b"")])
def test_tar_member(tmp_path: Path, member: str, content: bytes) -> None:
    members = [(tarfile.TarInfo("top/a.bin"), b"A" * 3000), (tarfile.TarInfo("top/x/b"), b"")]
    extract_member(tar_with(tmp_path / "a.tar.gz", *members), member, tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == content


def test_zip_member(tmp_path: Path) -> None:
    extract_member(zip_with(tmp_path / "a.whl", {"p/a": b"1", "p/b": b"22"}), "p/b", tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == b"22"


def test_absent_member_names_those_alike(tmp_path: Path) -> None:
    archive = zip_with(tmp_path / "a.whl", {"p/weights.onnx": b"1", "p/b": b"22"})
    with pytest.raises(MemberAbsent, match=r"it has p/weights\.onnx"):
        extract_member(archive, "q/weights.onnx", tmp_path / "out")


@pytest.mark.parametrize("name", ["../../escaped", "/tmp/escaped-absolute", "a/../../escaped"])
def test_a_path_of_the_archive_is_never_written(tmp_path: Path, name: str) -> None:
    inner = tmp_path / "x" / "y"
    inner.mkdir(parents=True)
    archives = [zip_with(inner / "a.zip", {name: b"1"}), tar_with(inner / "a.tgz", (tarfile.TarInfo(name), b"1"))]
    before = set(tmp_path.rglob("*"))
    for archive in archives:
        extract_member(archive, name, inner / "out")
    assert set(tmp_path.rglob("*")) - before == {inner / "out"}
    assert not Path("/tmp/escaped-absolute").exists()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE])
def test_only_regular_files_leave_a_tar(tmp_path: Path, kind: bytes) -> None:
    archive = tar_with(tmp_path / "a.tgz", link("weights", "/etc/passwd", kind))
    with pytest.raises(ModelError, match="is a link or folder"):
        extract_member(archive, "weights", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_links_in_a_zip_are_refused(tmp_path: Path) -> None:
    info = zipfile.ZipInfo("weights")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    with pytest.raises(ModelError, match="is a link or folder"):
        extract_member(zip_with(tmp_path / "a.zip", {info: b"/etc/passwd"}), "weights", tmp_path / "out")


@pytest.mark.parametrize("name", ["bomb.zip", "bomb.tgz"])
def test_member_beyond_the_cap(tmp_path: Path, name: str) -> None:
    big = bytes(3_000_000)
    path = tmp_path / name
    archive = zip_with(path, {"w": big}) if name.endswith("zip") else tar_with(path, (tarfile.TarInfo("w"), big))
    assert archive.stat().st_size < 10_000
    with pytest.raises(ModelError, match="larger than the limit of 2000000 bytes"):
        extract_member(archive, "w", tmp_path / "out", max_member=2_000_000)


def test_zip_that_lies_about_its_size(tmp_path: Path) -> None:
    path = zip_with(tmp_path / "a.zip", {"w": bytes(3_000_000)})
    data = path.read_bytes().replace((3_000_000).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    path.write_bytes(data)
    with pytest.raises(ModelError):
        extract_member(path, "w", tmp_path / "out", max_member=1000)


def test_bomb_in_front_of_the_member(tmp_path: Path) -> None:
    members = [(tarfile.TarInfo("a"), bytes(5_000_000)), (tarfile.TarInfo("w"), b"1")]
    with pytest.raises(ModelError, match="unpacks to more than the limit"):
        extract_member(tar_with(tmp_path / "a.tgz", *members), "w", tmp_path / "out", max_unpacked=1_000_000)


def test_endless_header(tmp_path: Path) -> None:
    info = tarfile.TarInfo("x")
    info.type, info.size = tarfile.XHDTYPE, 2**32
    path = tmp_path / "a.tgz"
    path.write_bytes(gzip.compress(info.tobuf(tarfile.USTAR_FORMAT) + bytes(4_000_000)))
    with pytest.raises(ModelError):
        extract_member(path, "w", tmp_path / "out", max_unpacked=2_000_000)


@pytest.mark.parametrize("name", ["a.zip", "a.tgz", "a.whl", "a.tar.gz", "a.rar"])
@pytest.mark.parametrize(
    "content", [b"", b"not an archive", b"PK\x03\x04" + bytes(50), gzip.compress(b"x" * 100, mtime=0)[:-9]]
)
def test_broken_archives(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ModelError):
        extract_member(tmp_path / name, "w", tmp_path / "out")
