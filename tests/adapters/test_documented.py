"""The examples of docs/converting.md run as they stand, and there is one for every kind."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from chorus_bench.adapters import KINDS
from chorus_bench.submission import check_submission

TEXT = (Path(__file__).parents[2] / "docs" / "converting.md").read_text(encoding="utf-8")
_EXAMPLE = r"^## ([^\n]+)\n(?:(?!^## ).)*?```python\n(.*?)```"
EXAMPLES = dict(re.findall(_EXAMPLE, TEXT, re.M | re.S))


@pytest.mark.parametrize("title", EXAMPLES)
@pytest.mark.filterwarnings("ignore:Sparse:UserWarning")
def test_the_example_runs(title, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code = EXAMPLES[title]
    assert len(code.splitlines()) <= 12
    exec(compile(code, f"docs/converting.md, {title}", "exec"), {})
    report = check_submission(tmp_path / "submission")
    assert report.ok
    assert "conversion" in report.manifest.metadata or "memory" in title


def test_every_kind_has_its_example():
    code = "".join(EXAMPLES.values())
    assert set(re.findall(r'convert\(\s*"([^"]+)"', code)) == set(KINDS)
    assert len(EXAMPLES) == len(KINDS) + 1
    for name in KINDS:
        assert f"| `{name}` |" in TEXT
