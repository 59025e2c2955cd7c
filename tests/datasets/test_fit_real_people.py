"""The tool that fits real people saves as it goes, and goes on where it stopped."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from chorus_bench.geometry.body_files import load_body

FILE = Path(__file__).parents[2] / "tools" / "fit_real_people" / "fit_people.py"


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location("fit_people", FILE)
    module = importlib.util.module_from_spec(spec)
    sys.modules["fit_people"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["fit_people"]


def person(number: int, points: int = 17) -> dict:
    keypoints = np.tile([40.0 + number, 50.0, 2.0], 17).tolist()
    box = [10.0, 20.0, 60.0, 80.0 + number]
    found = {"id": number, "image_id": number, "num_keypoints": points}
    return found | {"keypoints": keypoints, "bbox": box}


@pytest.fixture
def fitted(tool, monkeypatch):
    """The ids of those who were fitted; fitting number 3 is interrupted."""
    done: list[int] = []

    def fit(self, someone):
        if someone.annotation_id == 3 and 3 not in done:
            done.append(3)
            raise KeyboardInterrupt
        done.append(someone.annotation_id)
        return tool._start(0.0)

    monkeypatch.setattr(tool.Fitter, "fit", fit)
    return done


def ids(file: Path) -> list[int]:
    return [entry["annotId"] for entry in json.loads(file.read_text())["data"]]


def test_an_interrupted_run_goes_on(tool, fitted, tmp_path, capsys):
    people, output = [person(n) for n in (1, 2, 3, 4)] + [person(5, points=7)], tmp_path / "f.json"
    with pytest.raises(KeyboardInterrupt):
        tool.fit_people(people, load_body("default"), output)
    assert ids(output) == [1, 2]
    entries = tool.fit_people(people, load_body("default"), output)
    assert fitted == [1, 2, 3, 3, 4]
    assert ids(output) == [1, 2, 3, 4] == [entry["annotId"] for entry in entries]
    said = capsys.readouterr().out
    assert "4 people, 2 of them fitted before" in said
    assert "s a person, 0 minutes to go" in said


def test_another_box_is_fitted_again_and_later_fits_are_kept(tool, fitted, tmp_path):
    people, output = [person(n) for n in (1, 2)], tmp_path / "f.json"
    tool.fit_people(people, load_body("default"), output)
    people[0] = {**person(1), "bbox": [0.0, 0.0, 30.0, 40.0]}
    with pytest.raises(KeyboardInterrupt):
        tool.fit_people([people[0], person(3), people[1]], load_body("default"), output)
    assert fitted == [1, 2, 1, 3]
    assert ids(output) == [1, 2], "the interruption loses nothing"


def test_a_file_of_somebody_else_is_not_replaced(tool, tmp_path):
    output = tmp_path / "f.json"
    output.write_text('{"ver": "10", "data": []}')
    with pytest.raises(SystemExit, match="not a file of this tool"):
        tool.fit_people([person(1)], load_body("default"), output)
    assert json.loads(output.read_text())["ver"] == "10"
