"""The output folder of an evaluation: one run at a time, and nothing of others is touched."""

import multiprocessing
import os

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from chorus_bench.datasets.eval_split import load_split
from chorus_bench.datasets.rows import DatasetRows
from chorus_bench.datasets.schema import TEST_SCHEMA
from chorus_bench.errors import InputError
from chorus_bench.evaluation import evaluate
from chorus_bench.evaluation.output import discard_result
from chorus_bench.io.locks import only_run
from tests.evaluation.small_split import COARSE, make_row


def names(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def score(submission, split, output, cache=None):
    return evaluate(submission, split=split, protocol=COARSE, output=output, cache=cache)


def test_an_output_that_another_run_is_writing(tmp_path, split, submission):
    out = tmp_path / "out"
    with (
        only_run(out / "partial"),
        pytest.raises(InputError, match=f"another run is working here: process {os.getpid()}"),
    ):
        score(submission, split, out)
    score(submission, split, out)
    assert names(out) == ["results.json", "samples.parquet"]


def _score_quietly(submission, split, output, cache, said):
    try:
        score(submission, split, output, cache)
        said.put("")
    except InputError as error:
        said.put(str(error))


def test_several_at_once(tmp_path, split, submission):
    """Each is right, or refused because another one is writing."""
    context = multiprocessing.get_context("fork")
    said = context.SimpleQueue()
    arguments = (submission, split, tmp_path / "out", tmp_path / "cache", said)
    processes = [context.Process(target=_score_quietly, args=arguments) for _ in range(4)]
    for process in processes:
        process.start()
    answers = [said.get() for _ in processes]
    for process in processes:
        process.join()
    assert "" in answers
    assert all("another run is working here" in answer for answer in answers if answer)
    assert names(tmp_path / "out") == ["results.json", "samples.parquet"]


def test_a_run_that_was_killed_when_it_began(tmp_path, split, submission):
    out = tmp_path / "out"
    (out / "partial").mkdir(parents=True)
    (out / "partial" / ".lock").touch()
    (out / "partial" / ".chorus-bench-00000000-1-1-abc.tmp").touch()
    score(submission, split, out)
    assert names(out) == ["results.json", "samples.parquet"]


@pytest.mark.parametrize("content", ["", "[]", "{}", "[" * 100_000, '{"signature": 1}'])
def test_a_damaged_note_of_an_interrupted_run(content, tmp_path, split, submission):
    (tmp_path / "partial").mkdir()
    (tmp_path / "partial" / "run.json").write_text(content)
    with pytest.raises(InputError, match=r"run.json: is damaged"):
        score(submission, split, tmp_path)


def test_what_others_put_beside_a_result_stays(tmp_path, split, submission):
    out = tmp_path / "out"
    score(submission, split, out)
    (out / "partial").mkdir()
    (out / "partial" / "mine.txt").touch()
    (out / "truth.json").touch()
    score(submission, split, out)
    discard_result(out)
    assert names(out) == ["partial", "partial/mine.txt"]


def test_a_result_alone_goes_with_its_folder(tmp_path, split, submission):
    score(submission, split, tmp_path / "out")
    discard_result(tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_refused_output_stays_as_it_was(tmp_path, split, submission):
    (tmp_path / "photo.jpg").write_bytes(b"x")
    before = names(tmp_path)
    with pytest.raises(InputError, match="not empty and contains no result"):
        score(submission, split, tmp_path)
    assert names(tmp_path) == before


def test_hidden_files_beside_a_split_are_not_read(tmp_path):
    rows = [make_row("cat", number) | {"image": None} for number in range(3)]
    table = pa.Table.from_pylist(rows, schema=TEST_SCHEMA)
    for name in ("data", "data/.ipynb_checkpoints", "__MACOSX", ".chorus-bench-a-1-1-b.tmp"):
        (tmp_path / name).mkdir()
        pq.write_table(table, tmp_path / name / "test-0.parquet")
    (tmp_path / "data" / "._test-0.parquet").write_bytes(b"a resource fork")
    assert load_split(tmp_path).counts == {"cat": 3}
    assert DatasetRows.open(tmp_path).counts == {"cat": 3}
