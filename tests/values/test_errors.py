"""What messages say: lists of names, suggestions, counts, and equal faults."""

import pytest

from chorus_bench.datasets.rows import DatasetRows
from chorus_bench.errors import InputError, count_of, did_you_mean, suggestion
from chorus_bench.evaluation import load_result, load_split
from chorus_bench.geometry.body_files import load_body
from chorus_bench.io.findings import Finding, grouped, listed_problems
from chorus_bench.metrics.ranking import rank_methods
from chorus_bench.submission import open_submission


def test_few_names_are_listed_by_the_alphabet():
    assert did_you_mean("z", ["b", "a"]) == "Available: a, b"
    assert did_you_mean("z", []) == "Available: nothing"
    assert did_you_mean("Kyte", ["tie", "kite"]) == "Did you mean 'kite'? Available: kite, tie"


def test_of_many_names_the_most_alike_are_listed():
    names = [f"simulated-{number:03}" for number in range(286)]
    text = did_you_mean("simulated-12x", names)
    first, _, listed = text.partition("? Available: ")
    assert first == "Did you mean 'simulated-012'"
    assert len(listed.split(", ")) == 12
    assert text.endswith(" and 274 more")
    assert {"simulated-112", "simulated-120"} <= set(listed.split(" and ")[0].split(", "))


def test_a_suggestion():
    assert suggestion("exmple", ["example", "simulated"]) == "Did you mean 'example'?"
    assert suggestion("my-split", ["example", "simulated"]) is None
    assert suggestion("x", []) is None


@pytest.mark.parametrize(
    ("take", "name", "known"),
    [
        (load_split, "exmple", "example"),
        (load_split, "simulatd", "simulated"),
        (DatasetRows.open, "simulate", "simulated"),
        (load_body, "defualt", "default"),
        (load_result, "exampel", "example"),
        (lambda name: open_submission(name).close(), "exmaple", "example"),
        (lambda name: rank_methods({"a": {}}, score=name), "PAP", "mPAP"),
    ],
)
def test_names_of_what_comes_along_are_suggested(take, name, known, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=f"Did you mean '{known}'"):
        take(name)


def test_a_folder_with_nearly_such_a_name_is_no_typing_error(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "examples").mkdir()
    with pytest.raises(InputError, match=r"no (Parquet|data) files") as caught:
        load_split("examples")
    assert "Did you mean" not in str(caught.value)


def test_equal_faults_are_one_message():
    faults = [Finding(f"grids/{n}.npy", "is empty", fix="write it again") for n in range(15)]
    other = Finding("submission.yaml", "no method")
    text = listed_problems([faults[0], other, *faults[1:]], "the submission")
    places = ", ".join(f"grids/{n}.npy" for n in range(5))
    assert text.splitlines() == [
        "16 problems in the submission",
        f"- 15 places ({places} and 10 more): is empty",
        "    What to do: write it again",
        "- submission.yaml: no method",
    ]
    assert grouped(faults[:7]) == faults[:7]
    assert grouped([]) == []


def test_counts():
    assert [count_of(n, "entry") for n in (0, 1, 2)] == ["0 entries", "1 entry", "2 entries"]
