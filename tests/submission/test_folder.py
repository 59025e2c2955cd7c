"""The folder of a submission: what is where, names, links, and reading it back."""

import os
import pickle
import socket

import numpy as np
import pytest

from chorus_bench.errors import InputError
from chorus_bench.geometry.grid import GridSpec
from chorus_bench.io import untrusted_files as submission_files_module
from chorus_bench.submission import (
    Finding,
    SubmissionError,
    check_submission,
    layout,
    open_submission,
)
from tests.submission.submission_files import (
    MANIFEST,
    POSED_MANIFEST,
    fill,
    lines,
    npy,
    npz,
    problems,
    ramp,
    tensor,
)


def test_a_canonical_submission_is_read(tmp_path):
    names = {"tennis racket.safetensors": tensor(ramp(1)), "bench.npz": npz(occupancy=ramp(2))}
    fill(tmp_path, {f"grids/{name}": data for name, data in names.items()})
    with open_submission(str(tmp_path)) as submission:
        assert (submission.method, submission.track) == ("test", "canonical")
        assert submission.grid == GridSpec(8)
        assert submission.categories == ("bench", "tennis racket")
        assert submission.warnings == ()
        assert submission.metadata == {}
        field = submission.field("tennis racket")
        assert field.spec == submission.grid
        np.testing.assert_array_equal(field.values, ramp(1))
        np.testing.assert_array_equal(submission.field("bench").values, ramp(2))
        assert "categories=2" in repr(submission)


def test_a_posed_submission_is_read(tmp_path):
    names = {"bench/2.safetensors": 0, "bench/10.npy": 1, "tie/coco.7.npz": 2}
    writers = {"safetensors": tensor, "npy": npy, "npz": lambda a: npz(occupancy=a)}
    files = {f"posed/{n}": writers[n.rpartition(".")[2]](ramp(i)) for n, i in names.items()}
    with open_submission(fill(tmp_path, files, POSED_MANIFEST)) as submission:
        assert submission.track == "posed"
        assert submission.categories == ("bench", "tie")
        assert submission.posed_samples("bench") == ("10", "2")
        assert submission.posed_samples("tie") == ("coco.7",)
        np.testing.assert_array_equal(submission.posed_field("tie", "coco.7").values, ramp(2))
        with pytest.raises(InputError, match=r"unknown sample '3'[\s\S]*Available: 10, 2"):
            submission.posed_field("bench", "3")
        with pytest.raises(InputError, match=r"unknown category 'ties'[\s\S]*Did you mean 'tie'"):
            submission.posed_samples("ties")
        with pytest.raises(InputError, match=r"posed track[\s\S]*posed_field\(category"):
            submission.field("bench")


def test_wrong_questions_are_answered(tmp_path):
    submission = open_submission(fill(tmp_path))
    with pytest.raises(InputError, match=r"unknown category 'bensh'[\s\S]*Did you mean 'bench'"):
        submission.field("bensh")
    for ask in (
        lambda: submission.posed_samples("bench"),
        lambda: submission.posed_field("a", "b"),
    ):
        with pytest.raises(InputError, match=r"canonical track[\s\S]*field\(category\)"):
            ask()
    submission.close()
    submission.close()
    with pytest.raises(InputError, match=r"is closed[\s\S]*open it again"):
        submission.field("bench")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda p: p / "none", "cannot be read: No such file or directory"),
        (lambda p: p / "a\0b", "embedded null"),
        (lambda p: (p / "file.txt").write_bytes(b"") or p / "file.txt", "is not a submission"),
        (lambda p: os.mkfifo(p / "pipe.zip") or p / "pipe.zip", "is not a submission"),
    ],
)
def test_what_is_no_submission_is_explained(tmp_path, make, said):
    path = make(tmp_path)
    text = problems(path)
    assert said in text
    assert "a folder, or an archive ending in .zip, .tar.gz, .tgz" in text
    with pytest.raises(SubmissionError, match="1 problem in the submission"):
        open_submission(path)


def test_an_empty_folder_says_what_belongs_there(tmp_path):
    said = problems(tmp_path)
    assert "submission.yaml: is missing" in said
    assert "'method: ...' and 'track: canonical'" in said
    assert "grids/: has no grid file" in said
    assert "grids/<category>.safetensors (or .npz, .npy)" in said


def test_an_empty_posed_submission_names_its_own_folder(tmp_path):
    said = problems(fill(tmp_path, {"grids/bench.npy": npy(ramp())}, POSED_MANIFEST))
    assert "posed/<category>/<sample_id>.safetensors" in said


def test_without_a_track_the_grids_of_both_are_checked(tmp_path):
    files = {"grids/tie.npy": b"x", "posed/tie/1.npy": b"y", "posed/tie/2.npy": npy(ramp())}
    said = problems(fill(tmp_path, files, "method: m\ngrid: {resolution: 8}"))
    for part in ("track: is missing", "grids/tie.npy: is not", "posed/tie/1.npy: is not"):
        assert part in said
    assert "posed/tie/2.npy" not in said


def test_a_manifest_under_another_name_is_recognised(tmp_path):
    fill(tmp_path)
    (tmp_path / "submission.yaml").rename(tmp_path / "Submission.yml")
    said = problems(tmp_path)
    assert "submission.yaml: is missing" in said
    assert "rename 'Submission.yml'" in said


def test_the_folder_around_a_submission_is_recognised(tmp_path):
    fill(tmp_path / "mine")
    assert "there is 'mine/submission.yaml': give the folder that holds it" in problems(tmp_path)


def test_the_error_lists_every_problem(tmp_path):
    fill(tmp_path, {"grids/a.npy": b"", "grids/b.npy": b""}, "trak: x")
    with pytest.raises(SubmissionError) as caught:
        open_submission(tmp_path)
    error = caught.value
    assert error.exit_code == 2
    assert len(error.findings) == 5
    assert error.findings == check_submission(tmp_path).errors
    assert str(error).startswith(f"{tmp_path}: 5 problems in the submission\n- submission.yaml:1: ")
    assert "\n- grids/a.npy: is not a .npy file" in str(error)
    assert "\n    What to do: write it with numpy.save" in str(error)
    copy = pickle.loads(pickle.dumps(error))
    assert str(copy) == str(error)
    assert copy.findings == error.findings


@pytest.mark.parametrize("inside", [True, False])
@pytest.mark.parametrize("name", ["grids/tie.npy", "grids", "submission.yaml", "extra", ".hidden"])
def test_links_are_never_followed(tmp_path, name, inside):
    folder = fill(tmp_path / "submission")
    target = (folder if inside else tmp_path) / "target"
    (folder / "grids" / "tie.npy").write_bytes(npy(ramp()))
    if (folder / name).exists():
        (folder / name).rename(target)
    (folder / name).symlink_to(target)
    said = problems(folder)
    assert f"{name}: is a symbolic link, which is never followed or opened" in said
    assert "put the file itself there" in said


def test_special_files_are_never_opened(tmp_path, monkeypatch):
    fill(tmp_path)
    os.mkfifo(tmp_path / "grids" / "tie.npy")
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("grids/sock.npy")
        said = problems(tmp_path)
    assert "grids/tie.npy: is a named pipe" in said
    assert "grids/sock.npy: is a socket" in said


def test_two_files_for_one_category_are_an_error(tmp_path):
    said = problems(fill(tmp_path, {"grids/tie.npy": npy(ramp()), "grids/tie.npz": b""}))
    assert "grids/tie.npz: is a second grid for category 'tie', beside grids/tie.npy" in said
    assert "remove one of them" in said


def test_two_files_for_one_sample_are_an_error(tmp_path):
    files = {"posed/tie/1.npy": npy(ramp()), "posed/tie/1.NPZ": b""}
    said = problems(fill(tmp_path, files, POSED_MANIFEST))
    assert "is a second grid for sample '1', beside posed/tie/1.NPZ" in said


@pytest.mark.parametrize(
    ("names", "manifest"),
    [
        (("grids/Tie.npy", "grids/tie.npz"), MANIFEST),
        (("posed/Tie/1.npy", "posed/tie/2.npy"), POSED_MANIFEST),
    ],
)
def test_categories_that_differ_in_case_are_an_error(tmp_path, names, manifest):
    writers = {"npy": npy, "npz": lambda a: npz(occupancy=a)}
    said = problems(fill(tmp_path, {n: writers[n[-3:]](ramp()) for n in names}, manifest))
    assert "Tie, tie: are categories that differ only in case" in said
    assert "keep the split's spelling" in said


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("a\x1b[2Jb", "the category name 'a\\x1b[2Jb' has characters that cannot be displayed"),
        ("a\u202eb", "'a\\u202eb' has characters that cannot be displayed"),
        ("a\nb", "'a\\nb' has characters that cannot be displayed"),
        ("a\udcffb", "'a\\udcffb' has characters that cannot be displayed"),
        ("a\\b", "is a path"),
        (" tie", "begins or ends with a space"),
        ("tie ", "begins or ends with a space"),
        ("e\u0301", "is not in Unicode's normal form NFC"),
        ("x" * 81, "has 81 characters, but may have 1 to 80"),
    ],
)
def test_names_that_are_not_allowed(tmp_path, name, said):
    text = problems(fill(tmp_path, {f"grids/{name}.npy": npy(ramp())}))
    assert said in text
    assert "the name of the category in the split" in text
    assert text.isprintable() or text.replace("\n", "").isprintable()
    posed = fill(tmp_path / "posed", {f"posed/tie/{name}.npy": npy(ramp())}, POSED_MANIFEST)
    if len(name) < 81:
        assert said.replace("category", "sample") in problems(posed)


def test_names_in_other_languages_are_allowed(tmp_path):
    with open_submission(fill(tmp_path, {"grids/tenis raketi é 网.npy": npy(ramp())})) as opened:
        assert opened.categories == ("tenis raketi é 网",)


def test_extra_files_are_a_warning(tmp_path):
    files = {f"grids/{n}": b"" for n in ("a.pt", "b.pkl", "deep/tie.npy", "notes.txt")}
    files |= {"grids/bench.npy": npy(ramp()), "posed/tie/1.npy": b"", "README.md": b""}
    report = check_submission(fill(tmp_path, files))
    assert report.ok
    (warning,) = report.warnings
    assert warning.found == (
        "has 6 files that will not be read: README.md, grids/a.pt, grids/b.pkl, "
        "grids/deep/tie.npy, grids/notes.txt and 1 more"
    )
    assert ".safetensors, .npz, .npy" in str(warning)


def test_what_systems_leave_behind_is_passed_over(tmp_path):
    fill(tmp_path)
    for name in (".DS_Store", "grids/._bench.safetensors", "__MACOSX/x", ".git/config"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    report = check_submission(tmp_path)
    assert report.ok
    assert report.warnings == ()


def test_too_many_files_are_not_looked_at(tmp_path, monkeypatch):
    monkeypatch.setattr(submission_files_module, "MAX_FILES", 20)
    for i in range(30):
        (tmp_path / f"{i}").write_bytes(b"")
    assert "has more than 20 files" in problems(tmp_path)


def test_too_many_categories_are_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(layout, "MAX_CATEGORIES", 2)
    said = problems(fill(tmp_path, {f"grids/{i}.npy": npy(ramp()) for i in range(3)}))
    assert "has 3 categories" in said
    assert "at most 2" in said


def test_a_folder_that_cannot_be_listed_is_reported(tmp_path, monkeypatch):
    fill(tmp_path)
    scandir = os.scandir

    def denied(path):
        if str(path).endswith("grids"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", denied)
    said = problems(tmp_path)
    assert "grids/: the folder cannot be listed: Permission denied" in said
    assert "check the folder and its permissions" in said


def test_the_digest_depends_on_names_and_content_only(tmp_path):
    def digest(name, files, manifest=MANIFEST):
        return check_submission(fill(tmp_path / name, files, manifest)).sha256

    a, b = npy(ramp(1)), npy(ramp(2))
    base = digest("1", {"grids/x.npy": a, "grids/y.npy": b})
    assert len(base) == 64
    assert base == digest("2", {"grids/y.npy": b, "grids/x.npy": a, "README": b"x", ".z": b""})
    others = [
        digest("3", {"grids/x.npy": b, "grids/y.npy": a}),
        digest("4", {"grids/x.npy": a, "grids/z.npy": b}),
        digest("5", {"grids/x.npy": a}),
        digest("6", {"grids/x.npy": a, "grids/y.npy": b}, MANIFEST + "# more\n"),
    ]
    assert len({base, *others}) == 5
    with open_submission(tmp_path / "1") as submission:
        assert submission.sha256 == base


def test_a_report_says_what_is_there(tmp_path):
    report = check_submission(fill(tmp_path))
    assert (report.ok, report.errors, report.warnings) == (True, (), ())
    assert (report.categories, report.grids) == (("bench",), 1)
    assert report.manifest.method == "test"
    assert lines(report) == ""


def test_degenerate_fields_warn_where_they_are(tmp_path):
    binary = (ramp() > 0.5).astype(np.uint8)
    files = {
        "grids/a.npy": npy(binary * 255),
        "grids/b.npy": npy(binary),
        "grids/c.npy": npy(ramp()),
    }
    report = check_submission(fill(tmp_path, files))
    assert report.ok
    first, second = report.warnings
    assert first.where == "grids/a.npy"
    assert "official PAP is 0" in first.found
    assert "protocol `closed`" in str(first.fix)
    assert second.where == "grids/b.npy"
    assert "every voxel is below 0.01 (the largest is 0.003922)" in second.found
    assert "a 0/1 mask saved as uint8 must use 255 for 1" in str(second.fix)


def test_many_degenerate_samples_become_one_warning(tmp_path):
    ones = npy(np.full((8, 8, 8), 255, np.uint8))
    files = {f"posed/{c}/{i}.npy": ones for c in ("tie", "bench") for i in range(7)}
    report = check_submission(fill(tmp_path, files, POSED_MANIFEST))
    assert [w.where for w in report.warnings] == ["posed/bench/", "posed/tie/"]
    assert "7 grids (0.npy, 1.npy, 2.npy, 3.npy, 4.npy and 2 more)" in report.warnings[0].found


def test_a_finding_reads_like_every_error():
    finding = Finding("file", "is wrong", "right", "correct it")
    assert str(finding) == "file: is wrong\n  Expected: right\n  What to do: correct it"
