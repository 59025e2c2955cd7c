"""Completion: what the shell offers for values."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from chorus_bench.datasets.named import NAMED_SPLITS
from chorus_bench.metrics.protocol import PROTOCOLS
from chorus_bench.plugins import find_baselines
from chorus_bench.synthesis.settings import preset_names
from tests.cli.test_options import ALL


def offered(words: str) -> list[str]:
    """Return what bash would be offered for the last word."""
    environment = os.environ | {
        "_X_COMPLETE": "complete_bash",
        "COMP_WORDS": f"x {words}",
        "COMP_CWORD": str(len(words.split(" "))),
    }
    code = "import sys; sys.argv = ['x']; from chorus_bench.cli.app import app; app(prog_name='x')"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False
    )
    return done.stdout.split()


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("baseline show chorus-1", ["chorus-10pct", "chorus-1pct"]),
        ("evaluate --split ", sorted(NAMED_SPLITS)),
        ("evaluate --protocol ", sorted(PROTOCOLS)),
        ("synthesize --preset p", [name for name in preset_names() if name[0] == "p"]),
    ],
)
def test_what_is_offered(words, names):
    assert offered(words) == names


#: Parameters that take names, and one name of each.
NAMES = {
    "name": ("baseline", "uniform"),
    "split": (None, "simulated"),
    "data": (None, "example"),
    "dataset": (None, "simulated"),
    "results": (None, "chorus"),
    "preset": (None, "tiny"),
    "protocol": (None, "closed"),
    "track": ("evaluate", "conditioned"),
    "population": (None, "all"),
    "score": (None, "mPAP_hoa"),
    "body": (None, "default"),
}
#: Parameters of the same name that take something else.
OTHERS = {("annotate", "split"), ("datasets", "build", "simulated", "split")}


def test_every_command_offers_them():
    found = set()
    for words, command in ALL.items():
        for parameter in command.params:
            where, name = NAMES.get(parameter.name, ("nowhere", ""))
            if where not in (None, words[0]) or (*words, parameter.name) in OTHERS:
                continue
            offers = [item.value for item in parameter.shell_complete(None, name[:2])]
            assert name in offers, (words, parameter.name)
            found.add(parameter.name)
    assert found == set(NAMES)
    assert "uniform" in find_baselines().specs
