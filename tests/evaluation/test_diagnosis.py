"""Where a score is lost: each planted fault is found by its own oracle."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from chorus_bench.cli import main
from chorus_bench.datasets.schema import TEST_SCHEMA
from chorus_bench.errors import InputError
from chorus_bench.evaluation import evaluate
from chorus_bench.evaluation.diagnosis import diagnose
from chorus_bench.evaluation.prepare import prepare_sample
from chorus_bench.evaluation.repairs import MOVING, REPAIRS, SearchSettings
from chorus_bench.geometry.body_files import load_body
from chorus_bench.geometry.grid import OccupancyGrid
from chorus_bench.report.diagnosis import render_diagnosis
from chorus_bench.submission import write_posed_submission, write_submission
from tests.cli.cli_tools import run_process
from tests.evaluation.planted import (
    PROTOCOL,
    VOXEL,
    enlarged,
    good_field,
    hidden_target,
    planted_split,
    shifted,
    turned_over,
)
from tests.evaluation.small_split import blob_field, make_row

FULL = SearchSettings()
#: For tests that are not about what the oracles find.
QUICK = SearchSettings(reach=0.1, steps=(0.1,), octaves=0.5, octave_steps=(0.5,))


@pytest.fixture(scope="module")
def split():
    return planted_split(good_field())


@pytest.fixture
def diagnosed(tmp_path):
    """Return a function that diagnoses a field, checks what always holds, and returns it."""

    def run(field, split, *, search=FULL, **options):
        folder = write_submission(
            tmp_path / "s", method="planted", fields={"kite": field}, overwrite=True
        )
        options = {"protocol": PROTOCOL} | options
        found = diagnose(folder, split=split, search=search, **options)
        _check(found, evaluate(folder, split=split, **options))
        return found.categories["kite"]

    return run


def _check(found, result):
    """Check the invariants: the same numbers as an evaluation; no gain below zero or above."""
    assert found.signature == result.signature
    assert found.mean.pap == result.scores["mPAP"]
    assert found.mean.pap_hoa == result.scores["mPAP_hoa"]
    for name, entry in found.categories.items():
        assert entry.pap == result.categories[name]["PAP"]
        assert entry.pap_hoa == result.categories[name]["PAP_hoa"]
        assert entry.occlusion == entry.pap_hoa - entry.pap
        ceiling = entry.repairs["ceiling"]
        for repair in filter(None, entry.repairs.values()):
            assert repair.gain == repair.pap - entry.pap >= 0
            assert repair.gain_hoa == repair.pap_hoa - entry.pap_hoa
            assert repair.pap <= ceiling.pap + 1e-12
            assert repair.pap_hoa <= ceiling.pap_hoa + 1e-12


def _gains(entry):
    return {name: entry.repairs[name].gain for name in REPAIRS if name != "ceiling"}


def _only(entry, fault):
    """Check that a fault's own oracle gains most by far."""
    gains = _gains(entry)
    others = max(gain for name, gain in gains.items() if name != fault)
    assert gains[fault] > 2 * others, gains
    assert gains[fault] > 0.05, gains


def test_a_good_field_has_little_to_gain(diagnosed, split):
    entry = diagnosed(good_field(), split)
    assert entry.pap > 0.9
    assert max(_gains(entry).values()) < 0.05
    assert entry.repairs["mirror"].found["form"] == "as it is"


@pytest.mark.parametrize("voxels", [(3, -2, 2), (-4, 0, 0), (0, 4, -3)])
def test_position(diagnosed, split, voxels):
    entry = diagnosed(shifted(good_field(), voxels), split)
    _only(entry, "position")
    expected = -VOXEL * np.array(voxels)
    found = entry.repairs["position"].found["translation"]
    np.testing.assert_allclose(found, expected, atol=0.0125)
    assert entry.repairs["position"].pap > 0.9


@pytest.mark.parametrize("factor", [0.6, 1.5])
def test_scale(diagnosed, split, factor):
    entry = diagnosed(enlarged(good_field(), factor), split)
    _only(entry, "scale")
    found = entry.repairs["scale"].found
    assert abs(math.log2(found["factor"] * factor)) < 0.1
    assert found["center"] == pytest.approx((0.4, 0.11, 0.31), abs=0.05)


def test_mirror(diagnosed, split):
    entry = diagnosed(turned_over(good_field()), split)
    _only(entry, "mirror")
    found = entry.repairs["mirror"].found
    assert found["form"] == "mirrored"
    assert found["forms"]["mirrored"] == entry.repairs["mirror"].pap > 0.9


def test_one_side_of_two(diagnosed):
    """Where objects are on both sides, a field of one side wants both."""
    both = planted_split(np.maximum(good_field(), turned_over(good_field())))
    entry = diagnosed(good_field(), both)
    _only(entry, "mirror")
    assert entry.repairs["mirror"].found["form"] == "maximum"


@pytest.mark.parametrize("squash", [lambda p: p**8, lambda p: 0.03 * p, lambda p: p ** (1 / 64)])
def test_spread(diagnosed, split, squash):
    entry = diagnosed(squash(good_field()), split)
    _only(entry, "recalibration")
    mended = entry.repairs["recalibration"]
    assert mended.found["changed"]
    assert mended.pap > 0.9
    assert mended.pap <= mended.found["limit"] + 1e-12
    assert mended.found["limit"] - mended.pap < 0.005
    cuts = [math.inf if cut is None else cut for cut in mended.found["cuts"]]
    assert cuts == sorted(cuts)
    assert min(cuts) > 0


def test_occlusion(diagnosed):
    """Targets without the parts that the person hides, and a field that cannot know."""
    near = shifted(good_field(), (-5, 0, -4))
    entry = diagnosed(near, planted_split(near, hide=True))
    assert entry.occlusion > 0.05
    assert entry.occlusion > 2 * max(_gains(entry).values())


def test_closed_protocol(diagnosed, split):
    closed = replace(PROTOCOL, name="PAP-closed", closed=True)
    entry = diagnosed(np.float32(0.03) * good_field(), split, protocol=closed, search=QUICK)
    assert entry.repairs["recalibration"].pap > 0.9


def test_one_sample(diagnosed, split):
    one = replace(split, samples=split.samples[:1])
    entry = diagnosed(shifted(good_field(), (3, 0, 0)), one)
    assert entry.samples == 1
    assert entry.repairs["position"].pap > entry.pap + 0.04
    mended = entry.repairs["recalibration"]
    assert mended.pap == pytest.approx(mended.found["limit"])


def test_no_target(diagnosed, split):
    """Where no sample has a target pixel there is no score, and nothing to mend."""
    with pytest.raises(InputError, match="has a target pixel"):
        diagnosed(good_field(), hidden_target(split), search=QUICK)


def test_empty_field(diagnosed, split):
    entry = diagnosed(np.zeros((48,) * 3, np.float32), split, search=QUICK)
    assert set(_gains(entry).values()) == {0.0}
    assert entry.repairs["position"].found["translation"] == [0, 0, 0]
    assert entry.repairs["scale"].found["factor"] == 1
    assert not entry.repairs["recalibration"].found["changed"]
    assert entry.repairs["ceiling"].gain > 0.99


def test_missing_category_counts_as_zero(tmp_path, split):
    other = planted_split(good_field(), "umbrella")
    both = replace(split, name="both", samples=split.samples + other.samples[:2])
    folder = write_submission(tmp_path / "s", method="half", fields={"kite": good_field()})
    found = diagnose(folder, split=both, protocol=PROTOCOL, search=QUICK)
    _check(found, evaluate(folder, split=both, protocol=PROTOCOL))
    kite, umbrella = found.categories["kite"], found.categories["umbrella"]
    assert (kite.missing, umbrella.missing) == (False, True)
    assert set(_gains(umbrella).values()) == {0.0}
    assert found.mean.pap == kite.pap / 2
    assert found.mean.repairs["position"].gain == pytest.approx(_gains(kite)["position"] / 2)
    assert found.mean.repairs["ceiling"].pap == pytest.approx(1)
    assert found.mean.samples == 8
    assert any("lacks 1 of 2" in text for text in found.warnings)
    text = render_diagnosis(found)
    assert "umbrella (missing)" in text
    alone = diagnose(folder, split=both, protocol=PROTOCOL, search=QUICK, categories=["kite"])
    assert alone.categories == {"kite": kite}
    assert "|cat:kite|" in alone.signature


def test_posed_track(tmp_path, split):
    body, field = load_body("default"), OccupancyGrid(np.float32(0.03) * good_field())
    posed = {}
    for sample in split.samples:
        prepared = prepare_sample(sample, body, PROTOCOL)
        values = np.zeros(PROTOCOL.grid.voxels, np.float32)
        values[prepared.voxels] = field.at(prepared.points)
        posed[sample.sample_id] = values.reshape(PROTOCOL.grid.shape)
    folder = write_posed_submission(
        tmp_path / "p", method="posed", fields={"kite": posed}, grid=PROTOCOL.grid
    )
    plain = write_submission(tmp_path / "c", method="c", fields={"kite": field.values})
    found, same = (
        diagnose(f, split=split, protocol=PROTOCOL, search=QUICK) for f in (folder, plain)
    )
    _check(found, evaluate(folder, split=split, protocol=PROTOCOL))
    entry, other = found.categories["kite"], same.categories["kite"]
    assert [name for name in REPAIRS if entry.repairs[name] is None] == list(MOVING)
    assert set(found.unavailable) == set(MOVING)
    assert found.mean.repairs["scale"] is None
    for name in ("recalibration", "ceiling"):
        assert entry.repairs[name] == other.repairs[name]
    assert entry.occlusion == other.occlusion
    assert json.loads(render_diagnosis(found, "json"))["mean"]["repairs"]["mirror"] is None
    assert "Does not apply: position, scale, mirror: a posed field" in render_diagnosis(found)


def test_workers_change_nothing(tmp_path, split):
    folder = write_submission(tmp_path / "s", method="m", fields={"kite": good_field() ** 2})
    steps, few = [], replace(split, samples=split.samples[:2])
    options = {"split": few, "protocol": PROTOCOL, "search": QUICK}
    one = diagnose(folder, workers=1, cache=tmp_path, **options)
    three = diagnose(folder, workers=3, progress=lambda *step: steps.append(step), **options)
    assert one.as_dict() | {"seconds": 0} == three.as_dict() | {"seconds": 0}
    assert steps[-1] == (4, 4)
    assert steps == sorted(steps)


def test_formats_and_file(tmp_path, split):
    folder = write_submission(tmp_path / "s", method="méthode", fields={"kite": good_field()})
    found = diagnose(folder, split=split, protocol=PROTOCOL, search=QUICK)
    content = json.loads(found.save(tmp_path / "new" / "d.json").read_text(encoding="utf-8"))
    assert content == json.loads(render_diagnosis(found, "json")) == found.as_dict()
    assert list(content["categories"]["kite"]["repairs"]) == list(REPAIRS)
    assert content["search"]["position_reach"] == 0.1
    table, markdown = render_diagnosis(found), render_diagnosis(found, "markdown")
    for text in (table, markdown):
        assert found.signature in text
        assert all(name in text for name in (*REPAIRS, "occlusion", "méthode", "kite"))
    assert markdown.count("|---") >= 2
    with pytest.raises(InputError, match="unknown format 'html'"):
        render_diagnosis(found, "html")


@pytest.mark.parametrize(
    "wrong",
    [{"reach": 0}, {"steps": ()}, {"steps": (0.1, -0.1)}, {"octaves": math.nan},
     {"octave_steps": (math.inf,)}],
)  # fmt: skip
def test_wrong_search_settings(wrong):
    with pytest.raises(InputError, match="positive"):
        SearchSettings(**wrong)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Return a split folder of two samples, scored on the official grid, and a submission."""
    folder = tmp_path_factory.mktemp("cli")
    rows = [make_row("surfboard", number) | {"image": None} for number in range(2)]
    (folder / "split").mkdir()
    table = pa.Table.from_pylist(rows, schema=TEST_SCHEMA)
    pq.write_table(table, folder / "split" / "test-0.parquet")
    write_submission(folder / "s", method="blob", fields={"surfboard": blob_field()})
    return folder / "s", "--split", folder / "split"


@pytest.fixture
def command(monkeypatch, capsys):
    """Return a function that runs ``chorus-bench diagnose`` and returns code, output, errors."""

    def run(*arguments):
        words = ["chorus-bench", "diagnose", *(str(argument) for argument in arguments)]
        monkeypatch.setattr("sys.argv", words)
        with pytest.raises(SystemExit) as left:
            main()
        return left.value.code or 0, *capsys.readouterr()

    return run


def test_command_line(tmp_path, files, command):
    output = tmp_path / "out" / "diagnosis.json"
    code, out, _ = command(*files, "--min-samples", 2, "--output", output)
    assert code == 0
    assert "moved by x, y, z (m)" in out
    assert f"wrote {output}" in out
    code, out, _ = command(*files, "--min-samples", 2, "--format", "json")
    assert json.loads(out) | {"seconds": 0} == json.loads(output.read_text()) | {"seconds": 0}
    only = ("--category", "surfboard", "--workers", 1, "--format", "markdown")
    code, out, _ = command(*files, "--min-samples", 2, *only)
    assert "| surfboard" in out
    assert "|cat:surfboard|" in out


def test_command_line_refuses(tmp_path, files, command):
    def fails(*arguments):
        code, _, errors = command(*arguments)
        assert code == 2, errors
        assert "Traceback" not in errors
        return errors

    assert "min-samples 2" in fails(*files)
    assert "Did you mean 'surfboard'" in fails(*files, "--category", "surfbord")
    assert "Did you mean 'closed'" in fails(*files, "--protocol", "close")
    assert "--format" in fails(*files, "--format", "latex")
    assert "is a folder" in fails(*files, "--output", tmp_path)
    assert "nowhere" in fails(tmp_path / "nowhere")
    full = fails(*files, "--min-samples", 2, "--output", "/dev/full/d.json")
    assert "cannot be written" in full


def test_command_line_in_a_process(files):
    done = run_process("diagnose", *files, "--min-samples", 2)
    assert done.returncode == 0, done.stderr
    assert "mean over categories" in done.stdout
