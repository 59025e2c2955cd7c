"""The original project's exported aggregations."""

import pickle
import sys
import types

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from chorus_baselines.chorus import import_chorus, read_original_field
from chorus_baselines.chorus.original_files import find_original_files
from chorus_bench.cli.app import app
from chorus_bench.errors import InputError
from chorus_bench.submission import SubmissionError, open_submission

N = 12


class EasyDict(dict):
    """Stands in for the easydict package, which the reader must not import."""


@pytest.fixture
def easydict(monkeypatch):
    module = types.ModuleType("easydict")
    monkeypatch.setattr(EasyDict, "__module__", "easydict")
    module.EasyDict = EasyDict
    monkeypatch.setitem(sys.modules, "easydict", module)
    return EasyDict


def hulls():
    rng = np.random.default_rng(0)
    seen = rng.random((N, N, N)).astype(np.float32) * 12
    seen[:2] = 0
    seen[2] = 5e-8
    hit = (seen * rng.random((N, N, N))).astype(np.float32)
    return hit, seen


def exported(hit, seen, wrap=dict):
    smpl = wrap(visual_hull=hit, full_image_visual_hull=seen, views=[0, 1])
    return {"category": "skateboard", "full_aggregations": wrap(SMPL=smpl), "extra": None}


def write(tmp_path, content, name="skateboard.pickle"):
    path = tmp_path / name
    path.write_bytes(pickle.dumps(content))
    return path


@pytest.mark.parametrize("kind", ["numpy", "torch", "easydict"])
def test_the_field_is_the_ratio_of_the_hulls(tmp_path, kind, easydict):
    hit, seen = hulls()
    arrays = [torch.from_numpy(a) for a in (hit, seen)] if kind == "torch" else [hit, seen]
    content = exported(*arrays, wrap=easydict if kind == "easydict" else dict)
    field = read_original_field(write(tmp_path, content))
    expected = hit / np.where(seen > 1e-7, seen, np.float32(1e-7))
    assert field.dtype == np.float32
    assert np.array_equal(field, expected)
    assert not field[:2].any()
    assert field[2].max() == pytest.approx(hit[2].max() / 1e-7, rel=1e-5)


def test_a_submission_is_written(tmp_path):
    files = {
        "skateboard": write(tmp_path, exported(*hulls())),
        "tennis racket": write(tmp_path, exported(*(a[::-1] for a in hulls())), "racket.pickle"),
    }
    fields = import_chorus(files, tmp_path / "out", method="original", authors=["Han", "Joo"])
    submission = open_submission(tmp_path / "out")
    assert submission.method == "original"
    assert submission.grid.shape == (N, N, N)
    for category, field in fields.items():
        assert np.array_equal(submission.field(category).values, field)
    with pytest.raises(InputError, match="already exists"):
        import_chorus(files, tmp_path / "out")
    import_chorus(files, tmp_path / "out", overwrite=True)
    with pytest.raises(SubmissionError, match="author"):
        import_chorus(files, tmp_path / "other", author="Han")


def test_rounding_above_one_is_cut(tmp_path):
    hit, seen = hulls()
    hit[5, 5, 5] = np.nextafter(seen[5, 5, 5], np.float32(99))
    field = read_original_field(write(tmp_path, exported(hit, seen)))
    assert field.max() == field[5, 5, 5] == 1


def broken():
    hit, seen = hulls()
    nan = hit.copy()
    nan[0, 0, 0] = np.nan
    return {
        "no 'full_aggregations'.*Did you mean 'full_aggregation'": {"full_aggregation": 1},
        "no 'SMPL'": {"full_aggregations": {}},
        "no 'visual_hull'": {"full_aggregations": {"SMPL": {}}},
        "no 'SMPL' in": {"full_aggregations": 5},
        "'visual_hull' has shape \\(3,\\)": exported(np.zeros(3), seen),
        "'full_image_visual_hull' has shape \\(\\)": exported(hit, None),
        "'visual_hull' has shape \\(1, 1, 1\\) and dtype <U1": exported([[["a"]]], seen),
        "'visual_hull' has values that are NaN": exported(nan, seen),
        "the hulls have shapes": exported(hit[:8, :8, :8], seen),
        "the ratio of the hulls goes from 0 to 2": exported(2 * seen, seen),
        "the field would be empty": exported(0 * hit, seen),
        "not a dictionary|no 'full_aggregations'": [1, 2],
    }


@pytest.mark.parametrize("message", broken())
def test_other_contents(tmp_path, message):
    path = write(tmp_path, broken()[message])
    with pytest.raises(InputError, match=f"(?s)skateboard.pickle: .*{message}"):
        import_chorus({"skateboard": path}, tmp_path / "out")
    assert not (tmp_path / "out").exists()


class Unexpected:
    def __reduce__(self):
        return (print, ("this must not run",))


def test_a_pickle_with_anything_unexpected_is_refused(tmp_path, capsys):
    path = write(tmp_path, exported(*hulls()) | {"extra": Unexpected()})
    with pytest.raises(InputError, match="print"):
        read_original_field(path)
    assert capsys.readouterr().out == ""


def test_files_that_do_not_go_together(tmp_path):
    small = [array[:8, :8, :8] + 1e-3 for array in hulls()]
    files = {
        "a": write(tmp_path, exported(*hulls()), "a.pickle"),
        "b": write(tmp_path, exported(*small), "b.pickle"),
    }
    with pytest.raises(InputError, match=r"b.pickle: a field of 8\^3 voxels, while others have 12"):
        import_chorus(files, tmp_path / "out")
    with pytest.raises(InputError, match="no file to import"):
        import_chorus({}, tmp_path / "out")


FULL, PART = "filter(3)-aggr(quant:full).pickle", "filter(3)-aggr(part:hand).pickle"
RIDES, HOLDS = "a person rides it", "a person holds it"


@pytest.fixture
def results(tmp_path):
    """Return a folder of results as the original lays it out, of two categories."""
    for number, category in enumerate(("skateboard", "tennis_racket")):
        for folder, names in (
            ("total-aggregation", (FULL, PART)),
            (RIDES, (FULL,)),
            (HOLDS, (PART,)),
        ):
            place = tmp_path / "results" / category / folder
            place.mkdir(parents=True)
            for name in names:
                hit, seen = hulls()
                write(place, exported(hit * (0.5 + 0.4 * number), seen), name)
    return tmp_path / "results"


def test_categories_are_named_by_folder(results):
    found = find_original_files([results])
    assert sorted(found) == ["skateboard", "tennis racket"]
    racket = found["tennis racket"]
    assert racket.total == results / "tennis_racket" / "total-aggregation" / FULL
    assert racket.prompts == {RIDES: results / "tennis_racket" / RIDES / FULL}
    assert list(find_original_files([results / "skateboard"])) == ["skateboard"]
    (one,) = find_original_files([racket.total])
    assert one == "tennis racket"
    (prompt,) = find_original_files([racket.prompts[RIDES]])
    assert prompt == "tennis racket"


def test_other_settings_and_other_files(results, tmp_path):
    found = find_original_files([results], "part:hand")
    assert found["skateboard"].total.name == PART
    assert list(found["skateboard"].prompts) == [HOLDS]
    own = find_original_files(["tie=some/where.pickle", tmp_path / "cell_phone.pickle"])
    assert {name: files.total.name for name, files in own.items()} == {
        "tie": "where.pickle",
        "cell phone": "cell_phone.pickle",
    }


def test_a_folder_that_does_not_say_which_file(results, tmp_path):
    with pytest.raises(InputError, match=r"2 files to choose from: filter(?s:.*)--settings"):
        find_original_files([results], "filter(3)")
    with pytest.raises(InputError, match=r"no such file: filter(?s:.*)is there"):
        find_original_files([results], "filter(4)")
    with pytest.raises(InputError, match="no folder 'total-aggregation'"):
        find_original_files([results / "skateboard" / RIDES])
    with pytest.raises(InputError, match="two files for the category 'skateboard'"):
        find_original_files([results, "skateboard=x.pickle"])


def test_the_command_takes_the_folder(results, tmp_path):
    output = tmp_path / "submission"
    done = CliRunner().invoke(app, ["import-chorus", str(results), "--output", str(output)])
    assert done.exit_code == 0, done.output
    with open_submission(output) as submission:
        assert submission.categories == ("skateboard", "tennis racket")
        expected = read_original_field(results / "skateboard" / "total-aggregation" / FULL)
        assert np.array_equal(submission.field("skateboard").values, expected)
        (kind,) = submission.interactions("skateboard")
        assert (kind.prompt, kind.part) == (RIDES, None)
        of_prompt = submission.interaction_field("skateboard", kind.name).values
        assert np.array_equal(of_prompt, read_original_field(results / "skateboard" / RIDES / FULL))


def test_prompts_without_a_field_are_left_out(results, tmp_path):
    hit, seen = hulls()
    files = {RIDES: results / "skateboard" / RIDES / FULL}
    files[HOLDS] = write(tmp_path, exported(0 * hit, seen), "nothing.pickle")
    total = {"skateboard": results / "skateboard" / "total-aggregation" / FULL}
    import_chorus(total, tmp_path / "out", prompts={"skateboard": files})
    with open_submission(tmp_path / "out") as submission:
        assert [kind.prompt for kind in submission.interactions("skateboard")] == [RIDES]
    small = write(tmp_path, exported(*(a[:8, :8, :8] + 1e-3 for a in (hit, seen))), "small.pickle")
    with pytest.raises(InputError, match=r"small.pickle: a field of 8\^3 voxels"):
        import_chorus(total, tmp_path / "o", prompts={"skateboard": {RIDES: small}})
