"""The report of a result: what is in the page, what is left out, and what bad input says."""

import base64
import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from chorus_bench.errors import InputError
from chorus_bench.evaluation import evaluate
from chorus_bench.evaluation.results import mean_curves
from chorus_bench.geometry.grid import GridSpec, OccupancyGrid
from chorus_bench.io.shipped import submission_folder
from chorus_bench.report import view_fields, write_report
from chorus_bench.report.fields import SmallFields
from chorus_bench.report.page import curves_data, diagnosis_table
from chorus_bench.report.web import asset, script_json
from chorus_bench.submission import write_submission
from tests.cli.cli_tools import run_cli as run
from tests.evaluation.small_split import blob_field

HOSTILE = "</script><script>alert(1)</script>"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("result") / "example"
    evaluate("example", output=place)
    return place


@pytest.fixture(scope="module")
def report(folder):
    return write_report(folder, folder.parent / "report", submission="example", diagnose=True)


class Elements(HTMLParser):
    """Collects what a browser would fetch, and the scripts."""

    def __init__(self):
        super().__init__()
        self.sources, self.scripts = [], 0

    def handle_starttag(self, tag, attrs):
        self.sources += [v for k, v in attrs if k in ("src", "href") and v]
        self.scripts += tag == "script"


def elements(page):
    parser = Elements()
    parser.feed(page)
    return parser


def test_the_page_holds_everything_itself(report):
    page = report.page.read_text()
    found = elements(page)
    assert all(source.startswith(("data:", "#")) for source in found.sources)
    assert not re.search(r"""(?:src|href)=["']https?:""", page)
    for text in ("31.48", "44.43", "27.15", "simulated-test-backpack", "Where the score is lost"):
        assert text in page
    assert not report.left_out


def test_measures_in_3d_are_shown_beside(folder, tmp_path):
    place = tmp_path / "result"
    shutil.copytree(folder, place)
    measures = {"f_10cm": 0.25, "contact_geodesic": None}
    entry = {**measures, "samples": 7, "intervals": {}}
    content = {"brier": 0.1, "soft_iou": 0.1, "measures": measures, "categories": {"tie": entry}}
    content["calibration"] = []
    content["intervals"] = {"f_10cm": [0.2, 0.3]}
    content["sha256"] = json.loads((place / "results.json").read_text())["submission"]["sha256"]
    (place / "truth.json").write_text(json.dumps(content))
    page = write_report(place, tmp_path / "report").page.read_text()
    for text in ("Against the truth in 3D", "25.00 [20.00, 30.00]", "tie (7)", "n/a"):
        assert text in page
    (place / "truth.json").write_text("{")
    with pytest.raises(InputError, match=r"truth\.json"):
        write_report(place, tmp_path / "other")
    content["sha256"] = "0" * 64
    (place / "truth.json").write_text(json.dumps(content))
    page = write_report(place, tmp_path / "old").page.read_text()
    assert "Against the truth in 3D" not in page
    assert "truth.json: not of this result" in page


def three_js_licence():
    """The notice that three.js asks for, as NOTICE has it."""
    notice = (Path(__file__).parents[2] / "NOTICE").read_text()
    return notice[notice.index("Copyright © 2010-2026 three.js authors") :].strip()


def words(text):
    return " ".join(text.split())


def test_pages_with_three_js_hold_its_licence(report, tmp_path):
    """In every page that holds the script, and in the script that others link to."""
    licence = words(three_js_licence())
    assert "THE SOFTWARE IS PROVIDED" in licence
    field = OccupancyGrid(blob_field(24, (0.3, 0, 0), 0.2), GridSpec(24))
    view = view_fields({"a": field}).save(tmp_path / "view.html")
    for text in (report.page.read_text(), view.read_text(), asset("viewer.js")):
        assert "THREE.WebGLRenderer" in text
        assert licence in words(text)
    assert licence in words(asset("LICENSES.txt"))


def test_a_page_without_fields_holds_no_3d_view(folder, tmp_path):
    page = write_report(folder, tmp_path / "report").page.read_text()
    assert "THREE.WebGLRenderer" not in page
    assert elements(page).scripts == 2


def test_the_pictures_are_files_too(report):
    names = {file.relative_to(report.folder / "pictures").as_posix() for file in report.pictures}
    assert {"categories.png", "curves.png", "fields.png"} < names
    assert sum(name.startswith("overlays/") for name in names) == 12


def test_without_the_submission_the_page_says_what_is_missing(folder, tmp_path):
    report = write_report(folder, tmp_path / "report")
    assert any("--submission" in text for text in report.left_out)
    assert any("--diagnose" in text for text in report.left_out)
    page = report.page.read_text()
    assert "--submission" in page
    assert 'id="viewer"' not in page


def test_a_diagnosis_without_the_submission_is_refused_in_words(folder, tmp_path):
    report = write_report(folder, tmp_path / "report", diagnose=True)
    wanted = "where the score is lost: give the submission (--submission)"
    assert wanted in report.left_out
    assert f"Left out: {wanted}." in report.page.read_text()


def test_a_diagnosis_in_the_folder_is_shown(folder, report, tmp_path):
    place = tmp_path / "result"
    evaluate("example", output=place)
    text = re.search(r"<h2 id=\"lost\">.*?</section>", report.page.read_text(), re.DOTALL)
    assert text is not None
    (place / "diagnosis.json").write_text("{")
    with pytest.raises(InputError, match="is truncated"):
        write_report(place, tmp_path / "report")
    assert not (tmp_path / "report").exists()


def test_another_submission_is_refused(folder, tmp_path):
    field = blob_field(24, (0.3, 0.1, 0.2), 0.2)
    other = write_submission(
        tmp_path / "other", method="other", fields={"surfboard": field}, grid=GridSpec(24)
    )
    with pytest.raises(InputError, match="is not the submission that was scored"):
        write_report(folder, tmp_path / "report", submission=other)


def test_hostile_texts_stay_texts(tmp_path):
    field = blob_field(24, (0.3, 0.1, 0.2), 0.2)
    submission = write_submission(
        tmp_path / "submission",
        method=f"{HOSTILE}"[:80],
        fields={"surfboard": field},
        grid=GridSpec(24),
        description=HOSTILE,
    )
    evaluate(submission, output=tmp_path / "result", categories=["surfboard"])
    page = write_report(tmp_path / "result", tmp_path / "report", submission=submission).page
    text = page.read_text()
    assert HOSTILE not in text
    assert "alert(1)" in text
    assert elements(text).scripts == 3


def test_json_for_scripts_cannot_end_them():
    text = script_json({"a": f"{HOSTILE}\u2028&"})
    assert not set("<>&\u2028") & set(text)
    assert json.loads(text) == {"a": f"{HOSTILE}\u2028&"}
    with pytest.raises(InputError, match="JSON"):
        script_json(float("nan"))


def test_curves_are_the_result_s(folder):
    result = evaluate("example")
    curve = curves_data({"x": result})["surfboard"][0]
    assert curve["name"] == "x"
    recall, precision = (
        np.frombuffer(base64.b64decode(curve[name]), "<u2") / 65535
        for name in ("recall", "precision")
    )
    known = curve["undefined_from"] or len(precision)
    expected = mean_curves(result.samples)["surfboard"]
    for found, wanted in ((recall, expected.recall), (precision, expected.precision)):
        np.testing.assert_allclose(found[:known], wanted[:known], atol=1e-5)
        assert len(found) == 99


@pytest.mark.parametrize("in_the_file", ["recalibration", "spread"])
def test_the_diagnosis_names_the_largest_gain(in_the_file):
    def entry(**gains):
        repairs = {name: {"gain": gain} for name, gain in gains.items()}
        return {"PAP": 0.5, "samples": 8, "occlusion": -0.01, "repairs": repairs}

    mean = entry(position=0.1, ceiling=0.4, **{in_the_file: 0.2})
    tie = entry(position=0.0, **{in_the_file: 0.0})
    table = diagnosis_table({"mean": mean, "categories": {"tie": tie}}, {"tie": [0.4, 0.6]})
    assert [row["interval"] for row in table["rows"]] == [None, [0.4, 0.6]]
    assert [row["samples"] for row in table["rows"]] == [8, 8]
    assert "occlusion and ceiling are left out" in table["text"]
    assert table["columns"] == ["position", "recalibration", "occlusion", "ceiling"]
    assert [row["largest"] for row in table["rows"]] == ["recalibration", "none"]
    assert table["rows"][0]["cells"] == [
        (text, "") for text in ("+10.00", "+20.00", "-1.00", "+40.00")
    ]


@pytest.mark.parametrize(("resolution", "smaller"), [(24, 24), (48, 48), (50, 25), (97, 33)])
def test_fields_keep_their_place_when_they_shrink(resolution, smaller):
    values = blob_field(resolution, (0.6, 0.0, -0.3), 0.2)
    data = SmallFields.of({"a": OccupancyGrid(values, GridSpec(resolution))}).data()
    grid = data["grid"]
    assert grid["resolution"] == smaller
    voxel = grid["side_length"] / smaller
    low = [c - grid["side_length"] / 2 for c in grid["center"]]
    assert low == pytest.approx([-1.5] * 3)
    assert voxel == pytest.approx(3.0 / resolution * -(-resolution // 48))


def test_fields_that_are_the_same_are_stored_once():
    grid = GridSpec(24)
    ball = OccupancyGrid(blob_field(24, (0.6, 0.0, 0.0), 0.2), grid)
    other = OccupancyGrid(blob_field(24, (0.0, 0.6, 0.0), 0.2), grid)
    fields = SmallFields.of({"a": ball, "b": other, "c": ball}).data()["fields"]
    assert fields["c"] == {"same": "a"}
    assert isinstance(fields["a"], str)
    assert isinstance(fields["b"], str)


def test_a_view_is_a_page_of_its_own(tmp_path):
    view = view_fields({"a": OccupancyGrid(blob_field(24, (0.3, 0, 0), 0.2), GridSpec(24))})
    assert view._repr_html_().startswith("<iframe srcdoc=")
    file = view.save(tmp_path / "view.html")
    assert elements(file.read_text()).scripts == 2
    with pytest.raises(InputError, match="no field to show"):
        view_fields({})
    assert view_fields({"a": blob_field(24, (0.3, 0, 0), 0.2).tolist()}).page == view.page
    with pytest.raises(InputError, match="outside"):
        view_fields({"a": np.full((24,) * 3, 2.0)})


def test_the_command(folder, tmp_path):
    done = run("report", folder, "--submission", submission_folder("example"),
               "--output", tmp_path / "r")  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "left out: where the score is lost" in done.stderr
    assert (tmp_path / "r" / "report.html").is_file()
    again = run("report", folder, "--output", tmp_path / "r")
    assert again.returncode == 2
    assert "already exists" in again.stderr
    nothing = run("report", tmp_path / "nothing")
    assert nothing.returncode == 2
    assert "no result here" in nothing.stderr
