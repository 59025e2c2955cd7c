"""Archives: the same as the folder, and nothing leaves the private folder or the limits."""

import errno
import gzip
import io
import os
import struct
import tarfile
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chorus_bench.io.files import WriteError
from chorus_bench.submission import archive as archive_module
from chorus_bench.submission import check_submission, open_submission
from tests.submission.submission_files import MANIFEST, fill, npy, problems, ramp, tensor

GOOD = {
    "submission.yaml": MANIFEST.encode(),
    "grids/bench.safetensors": tensor(ramp()),
    "grids/tennis racket.npy": npy(ramp(1)),
}


@pytest.fixture(autouse=True)
def private(tmp_path, monkeypatch):
    """Where archives are unpacked; empty again after every test."""
    folder = tmp_path / "private"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    assert list(folder.iterdir()) == []


def make_zip(path: Path, members: list[tuple[str | zipfile.ZipInfo, bytes]]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return path


def make_tar(path: Path, members: list[tuple[str | tarfile.TarInfo, bytes]]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, data in members:
            info = name if isinstance(name, tarfile.TarInfo) else tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


MAKERS = [pytest.param(make_zip, "s.zip", id="zip"), pytest.param(make_tar, "s.tar.gz", id="tar")]
either = pytest.mark.parametrize(("make", "name"), MAKERS)


def special(name: str, kind: bytes, target: str = "") -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info, b""


def mode(name: str, bits: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = bits << 16
    return info


@either
@pytest.mark.parametrize("top", ["", "./", "my submission/"])
def test_an_archive_is_the_same_as_its_folder(tmp_path, private, make, name, top):
    folder = fill(tmp_path / "folder", GOOD)
    path = make(tmp_path / name, [(top + member, data) for member, data in GOOD.items()])
    with open_submission(folder) as one, open_submission(path) as other:
        assert one.sha256 == other.sha256
        assert one.categories == other.categories == ("bench", "tennis racket")
        np.testing.assert_array_equal(other.field("bench").values, ramp())
        assert other.path == path
        (unpacked,) = private.iterdir()
        assert unpacked.stat().st_mode & 0o077 == 0
    assert check_submission(path).sha256 == one.sha256


def test_tgz_and_capitals_are_archives_too(tmp_path):
    path = make_tar(tmp_path / "S.TGZ", list(GOOD.items()))
    assert check_submission(path).ok


@either
def test_folders_and_system_files_are_passed_over(tmp_path, make, name):
    folders: list = [("top/", b""), ("top/grids/", b"")]
    if make is make_tar:
        folders = [special("top", tarfile.DIRTYPE), special("top/grids", tarfile.DIRTYPE)]
    junk = [("__MACOSX/top/._x", b"x"), ("top/.DS_Store", b"x"), ("top/grids/._tie.npy", b"x")]
    members = [*folders, *junk, *((f"top/{n}", data) for n, data in GOOD.items())]
    report = check_submission(make(tmp_path / name, members))
    assert report.ok
    assert report.warnings == ()


@either
def test_problems_inside_an_archive_are_all_reported(tmp_path, make, name):
    members = [("submission.yaml", b"trak: x"), ("grids/a.npy", b"x"), ("../b", b"x")]
    said = problems(make(tmp_path / name, members))
    for part in ("unknown key 'trak'", "grids/a.npy: is not a .npy", "../b: is a path that"):
        assert part in said


@either
@pytest.mark.parametrize(
    "member",
    ["../evil.npy", "grids/../../evil.npy", "/evil.npy", "C:/evil.npy", "grids\\..\\evil.npy"],
)
def test_names_that_leave_the_folder_are_refused(tmp_path, make, name, member):
    path = make(tmp_path / name, [*GOOD.items(), (member, npy(ramp()))])
    said = problems(path)
    if member.startswith("/") and make is make_tar:
        member = member.lstrip("/") if member.lstrip("/") in said else member
    assert "is a path that could lead outside the submission" in said
    assert "without '..', '\\' or a drive" in said
    assert not list(tmp_path.rglob("evil*"))
    assert not Path("/evil.npy").exists()


@either
def test_names_that_cannot_be_shown_are_refused(tmp_path, make, name):
    members = [*GOOD.items(), ("grids/a\x1b[2J.npy", b""), ("a/" * 20 + "b", b"")]
    said = problems(make(tmp_path / name, members))
    assert "grids/a\\x1b[2J.npy: is not a usable name" in said
    assert "use plain names and fewer folders" in said
    assert "a/a/a" in said


@either
def test_a_name_that_the_disk_refuses_is_reported(tmp_path, make, name):
    said = problems(make(tmp_path / name, [*GOOD.items(), ("grids/" + "x" * 300, b"")]))
    assert "cannot be unpacked: File name too long" in said


@either
def test_a_member_that_comes_twice_is_refused(tmp_path, make, name):
    again = [("grids/bench.safetensors", b"other"), ("grids", b""), ("submission.yaml/x", b"")]
    if make is make_zip:
        again = again[1:]
    said = problems(make(tmp_path / name, [*GOOD.items(), *again]))
    assert said.count("has the name of another member") == len(again)
    assert "pack every file once" in said


@pytest.mark.parametrize(
    ("member", "kind"),
    [
        (special("grids/tie.npy", tarfile.SYMTYPE, "/etc/passwd"), "a link"),
        (special("grids/tie.npy", tarfile.LNKTYPE, "submission.yaml"), "a link"),
        (special("grids/tie.npy", tarfile.CHRTYPE), "a special file"),
        (special("grids/tie.npy", tarfile.FIFOTYPE), "a special file"),
        (special("grids/tie.npy", tarfile.GNUTYPE_SPARSE), "a special file"),
    ],
)
def test_tar_members_that_are_no_files_are_refused(tmp_path, member, kind):
    said = problems(make_tar(tmp_path / "s.tgz", [*GOOD.items(), member]))
    if member[0].type != tarfile.GNUTYPE_SPARSE:
        assert f"grids/tie.npy: is {kind}, which is never unpacked" in said
        assert "pack the file itself" in said


def test_a_link_to_a_folder_cannot_be_written_through(tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    members = [*GOOD.items(), special("grids/deep", tarfile.SYMTYPE, str(outside))]
    problems(make_tar(tmp_path / "s.tgz", [*members, ("grids/deep/evil.npy", b"x")]))
    assert list(outside.iterdir()) == []


@pytest.mark.parametrize(
    ("bits", "kind"), [(0o120777, "a symbolic link"), (0o010644, "a special file")]
)
def test_zip_members_that_are_no_files_are_refused(tmp_path, bits, kind):
    members = [*GOOD.items(), (mode("grids/tie.npy", bits), b"/etc/passwd")]
    said = problems(make_zip(tmp_path / "s.zip", members))
    assert f"grids/tie.npy: is {kind}, which is never unpacked" in said


def test_zip_members_in_other_packings_are_refused(tmp_path):
    path = make_zip(tmp_path / "s.zip", list(GOOD.items()))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("grids/tie.npy", npy(ramp()), zipfile.ZIP_BZIP2)
    said = problems(path)
    assert "grids/tie.npy: is packed with method 12" in said
    assert "stored or deflated" in said
    data = bytearray(make_zip(tmp_path / "t.zip", list(GOOD.items())).read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "t.zip").write_bytes(data)
    assert "submission.yaml: is encrypted" in problems(tmp_path / "t.zip")


def test_a_zip_member_with_a_wrong_checksum_is_refused(tmp_path):
    path = make_zip(tmp_path / "s.zip", list(GOOD.items()))
    data = bytearray(path.read_bytes())
    data[data.rindex(b"PK\x01\x02") + 16] ^= 0xFF
    path.write_bytes(data)
    said = problems(path)
    assert "grids/tennis racket.npy: cannot be unpacked: Bad CRC-32" in said
    assert "make the file again" in said


@either
def test_an_archive_beyond_the_limit_is_refused(tmp_path, monkeypatch, make, name):
    monkeypatch.setattr(archive_module, "MAX_UNPACKED_BYTES", 10_000)
    said = problems(make(tmp_path / name, [*GOOD.items(), ("grids/tie.npy", bytes(10_000))]))
    assert "the archive: unpacks to more than the limits allow" in said
    assert "at most 10000 bytes" in said
    assert "submit the folder itself" in said
    assert "grids/bench" not in said


@either
def test_members_that_are_passed_over_count_where_they_must_be_unpacked(
    tmp_path, monkeypatch, make, name
):
    monkeypatch.setattr(archive_module, "MAX_UNPACKED_BYTES", 100_000)
    path = make(tmp_path / name, [(".hidden", bytes(200_000)), *GOOD.items()])
    assert check_submission(path).ok == (make is make_zip)  # a .zip needs no reading to pass over


@either
def test_a_bomb_is_refused_by_its_ratio(tmp_path, monkeypatch, make, name):
    monkeypatch.setattr(archive_module, "RATIO_FREE_BYTES", 2**20)
    path = make(tmp_path / name, [*GOOD.items(), ("grids/tie.npy", bytes(2**24))])
    assert path.stat().st_size * 200 < 2**24
    said = problems(path)
    assert "unpacks to more than the limits allow" in said
    assert "not more than 200 times the archive's size" in said


@either
def test_a_flood_of_members_is_refused(tmp_path, monkeypatch, make, name):
    monkeypatch.setattr(archive_module, "MAX_FILES", 50)
    said = problems(make(tmp_path / name, [(f"{i}", b"") for i in range(60)]))
    assert "the archive: has more than 50 members" in said


def test_a_zip_with_an_endless_list_is_refused(tmp_path):
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 17 * 2**20, 0, 0)
    (tmp_path / "s.zip").write_bytes((b"PK\x01\x02" + bytes(42)) * 390_000 + end)
    said = problems(tmp_path / "s.zip")
    assert "the archive: is not a readable .zip file" in said
    assert "its list of members takes more than" in said


def test_an_archive_that_is_too_long_is_not_opened(tmp_path):
    with (tmp_path / "s.zip").open("wb") as file:
        file.truncate(2**32 + 1)
    said = problems(tmp_path / "s.zip")
    assert f"the archive: has {2**32 + 1} bytes" in said


@pytest.mark.parametrize("name", ["s.zip", "s.tar.gz"])
@pytest.mark.parametrize("data", [b"", b"x" * 1000, bytes(1024), b"\x1f\x8b\x08" + bytes(20)])
def test_what_is_no_archive_is_refused(tmp_path, name, data):
    (tmp_path / name).write_bytes(data)
    said = problems(tmp_path / name)
    ending = name.partition(".")[2]
    assert f"the archive: is not a readable .{ending} file" in said
    assert "make it again" in said


@pytest.mark.parametrize("cut", [50, 600, 1500, 2500])
@either
def test_an_archive_that_is_cut_off_is_refused(tmp_path, make, name, cut):
    path = make(tmp_path / name, list(GOOD.items()))
    path.write_bytes(path.read_bytes()[:cut])
    assert "is not a readable" in problems(path)


def tar_header(**fields: object) -> bytes:
    info = tarfile.TarInfo("grids/tie.npy")
    for key, value in fields.items():
        setattr(info, key, value)
    return info.tobuf(tarfile.GNU_FORMAT)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (tar_header(type=tarfile.XHDTYPE, size=2**33), "a header that is too long"),
        (tar_header(type=tarfile.GNUTYPE_LONGNAME, size=2**33), "a header that is too long"),
        (tar_header(size=2**40) + bytes(5000), "unpacks to more than the limits allow"),
        (tar_header(size=5000) + bytes(600), "is not a readable .tar.gz file"),
        (tar_header(name=".hidden", size=2**40) + bytes(600), "is not a readable .tar.gz"),
        (tar_header(size=-1024) + bytes(5000), "is not a readable .tar.gz file"),
    ],
)
def test_a_tar_that_lies_about_lengths_is_refused(tmp_path, content, said):
    (tmp_path / "s.tar.gz").write_bytes(gzip.compress(content))
    assert said in problems(tmp_path / "s.tar.gz")


def test_a_chain_of_tar_headers_is_refused(tmp_path):
    record = b"11 path=ab\n"
    link = tar_header(type=tarfile.XHDTYPE, size=len(record)) + record.ljust(512, b"\0")
    (tmp_path / "s.tar.gz").write_bytes(gzip.compress(link * 5000))
    assert "a header that is too long" in problems(tmp_path / "s.tar.gz")


def test_a_sparse_map_without_end_is_refused(tmp_path):
    header = bytearray(tar_header(type=tarfile.GNUTYPE_SPARSE))
    header[482] = 1
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    block = (b"00000000001 " * 42 + bytes(8))[:504] + b"\x01" + bytes(7)
    (tmp_path / "s.tar.gz").write_bytes(gzip.compress(bytes(header) + block * 20_000))
    assert "a header that is too long" in problems(tmp_path / "s.tar.gz")


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
@either
def test_any_damage_gives_a_report(tmp_path, make, name, data):
    """Random damage, for a .tar inside its compression: never an exception, never a leftover."""
    path = make(tmp_path / name, list(GOOD.items()))
    content = bytearray(path.read_bytes())
    if make is make_tar:
        content = bytearray(gzip.decompress(bytes(content)))
    positions = st.integers(0, len(content) - 1) | st.integers(0, 511)
    for _ in range(data.draw(st.integers(1, 5))):
        content[data.draw(positions)] = data.draw(st.integers(0, 255))
    path.write_bytes(gzip.compress(content) if make is make_tar else content)
    check_submission(path)
    assert list((tmp_path / "private").iterdir()) == []


@either
def test_a_full_disk_while_unpacking_is_explained(tmp_path, private, monkeypatch, make, name):
    path = make(tmp_path / name, list(GOOD.items()))
    opened = Path.open

    def full(self, mode="r", *args, **kwargs):
        file = opened(self, mode, *args, **kwargs)
        if mode == "xb":
            file.close()
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return file

    monkeypatch.setattr(Path, "open", full)
    for use in (open_submission, check_submission):
        with pytest.raises(WriteError) as caught:
            use(path)
        assert "the archive cannot be unpacked: No space left on device" in str(caught.value)
        assert "set TMPDIR to a folder on another disk" in str(caught.value)
        assert caught.value.exit_code == 2
        assert list(private.iterdir()) == []


def test_no_folder_for_temporary_files_is_explained(tmp_path, monkeypatch):
    path = make_zip(tmp_path / "s.zip", list(GOOD.items()))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    with pytest.raises(WriteError, match="cannot be written: No such file"):
        open_submission(path)


def test_an_archive_that_cannot_be_read_is_reported(tmp_path, monkeypatch):
    path = make_zip(tmp_path / "s.zip", list(GOOD.items()))

    def denied(*_args, **_kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", denied)
    assert "the archive: cannot be read: Permission denied" in problems(path)


def test_an_archive_that_fails_leaves_nothing_behind(tmp_path, private):
    path = make_zip(tmp_path / "s.zip", [("submission.yaml", b"x: y")])
    with pytest.raises(ValueError, match="problems in the submission"):
        open_submission(path)
    assert list(private.iterdir()) == []
