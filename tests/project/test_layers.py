"""Imports run one way: values, files, formats, jobs, faces. There is no exception."""

from __future__ import annotations

from collections.abc import Iterable
from graphlib import CycleError, TopologicalSorter

import pytest

from tests.project.imports import PACKAGES, ROOT, import_graph, imported

#: From the ground up. A module belongs to the longest name that it begins with. It may import
#: what is below, and its own room; the rooms of one layer do not know each other.
LAYERS: tuple[tuple[str, ...], ...] = (
    # values
    ("chorus_bench.errors", "chorus_bench._version", "chorus_bench.lazy"),
    (
        "chorus_bench.array_types",
        "chorus_bench.displays",
        "chorus_bench.names",
        "chorus_bench.option_types",
    ),
    ("chorus_bench.arrays", "chorus_bench.progress"),
    ("chorus_bench.annotations",),
    ("chorus_bench.boundary",),
    ("chorus_bench.geometry",),
    ("chorus_bench.calibration", "chorus_bench.metrics", "chorus_bench.seeds"),
    # files, plug-ins, engines
    ("chorus_bench.engines", "chorus_bench.golden", "chorus_bench.io", "chorus_bench.plugins"),
    ("chorus_bench.geometry.body_files",),
    # formats
    (
        "chorus_bench.datasets.features",
        "chorus_bench.datasets.fingerprint",
        "chorus_bench.datasets.bodies",
        "chorus_bench.datasets.facts",
        "chorus_bench.datasets.folder",
        "chorus_bench.datasets.interaction_labels",
        "chorus_bench.datasets.labels",
        "chorus_bench.datasets.lengths",
        "chorus_bench.datasets.masks",
        "chorus_bench.datasets.metadata",
        "chorus_bench.datasets.occupancy",
        "chorus_bench.datasets.parquet",
        "chorus_bench.datasets.recipe",
        "chorus_bench.datasets.registry",
        "chorus_bench.datasets.sample_ids",
        "chorus_bench.datasets.samples",
        "chorus_bench.datasets.schema",
        "chorus_bench.datasets.sources",
        "chorus_bench.datasets.view_conditions",
        "chorus_bench.submission",
        "chorus_bench.evaluation.result_schema",
        "chorus_bench.evaluation.results",
        "chorus_bench.evaluation.samples_file",
        "chorus_bench.evaluation.truth_file",
    ),
    # adapters: other kinds of predictions as a format of ours
    ("chorus_bench.adapters",),
    # jobs
    ("chorus_bench.datasets", "chorus_bench.simulation"),
    ("chorus_bench.evaluation", "chorus_bench.synthesis"),
    ("chorus_bench.baseline", "chorus_bench.selftest"),
    ("chorus_baselines",),
    # faces
    ("chorus_bench.report",),
    ("chorus_bench.demo", "chorus_bench.doctor", "chorus_bench.leaderboard"),
    ("chorus_bench.cli",),
    ("chorus_bench",),
    (
        "chorus_baselines.cli",
        "chorus_baselines.clusters_cli",
        "chorus_baselines.posed_cli",
        "chorus_baselines.reconstruct_cli",
        "chorus_baselines.table_text",
    ),
)
_DEPTHS = {name: depth for depth, names in enumerate(LAYERS) for name in names}


def _part(module: str) -> str:
    """Return the entry of `LAYERS` that a module belongs to."""
    known = [name for name in _DEPTHS if f"{module}.".startswith(f"{name}.")]
    return max(known, key=len)


def _room(module: str) -> str:
    """Return a module's room: the folder or the file in its package; of baselines all."""
    package, *rest = module.split(".")
    return ".".join([package, *rest[:1]]) if package == "chorus_bench" else package


def _allowed(module: str, other: str) -> bool:
    depth, below = _DEPTHS[_part(module)], _DEPTHS[_part(other)]
    return below < depth or (below == depth and _room(module) == _room(other))


def _wrong(graph: dict[str, set[str]]) -> list[str]:
    """Return the imports of a graph that go up, or sideways into another room."""
    return [
        f"{module} imports {other}"
        for module, others in sorted(graph.items())
        for other in sorted(others)
        if not _allowed(module, other)
    ]


def _circle(edges: Iterable[tuple[str, str]]) -> list[str] | None:
    """Return a circle of a graph, None where there is none."""
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for start, end in edges:
        sorter.add(start, end)
    try:
        sorter.prepare()
    except CycleError as error:
        return list(error.args[1])
    return None


def test_imports_run_one_way():
    assert _wrong(import_graph()) == []


def test_no_circle_of_modules():
    graph = import_graph()
    assert _circle((one, other) for one, others in graph.items() for other in others) is None


def test_no_circle_of_rooms():
    rooms = {
        (_room(one), _room(other))
        for one, others in import_graph().items()
        for other in others
        if _room(one) != _room(other)
    }
    assert _circle(rooms) is None


def test_the_package_knows_no_baseline():
    graph = import_graph()
    theirs = {other for name in graph if name.startswith("chorus_bench") for other in graph[name]}
    assert not [name for name in theirs if name.startswith("chorus_baselines")]
    assert "chorus_baselines" in graph


def test_every_layer_is_there():
    """No name stays in the list after its module has gone."""
    assert {name for name in _DEPTHS if name not in import_graph()} == set()


def test_only_the_root_stands_for_itself():
    """A new module of the root package says where it belongs."""
    own = {name for name in import_graph() if _part(name) == "chorus_bench"}
    assert own <= {"chorus_bench", "chorus_bench.__main__"}


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("import chorus_bench.io.files as f", {"chorus_bench.io.files"}),
        ("def f():\n    from chorus_bench.io import files", {"chorus_bench.io.files"}),
        ("if TYPE_CHECKING:\n    from chorus_bench.io.files import x", {"chorus_bench.io.files"}),
        ("from chorus_bench.io import files, locks", {"chorus_bench.io"}),
    ],
)
def test_every_kind_of_import_is_seen(source, names):
    assert names <= set(imported(source))


def test_wrong_imports_are_seen():
    graph = {
        "chorus_bench.geometry.grid": {"chorus_bench.io.files"},
        "chorus_bench.geometry.body_files": {"chorus_bench.io.files", "chorus_bench.geometry.body"},
        "chorus_bench.datasets.schema": {"chorus_bench.datasets.export"},
        "chorus_bench.simulation.rows": {"chorus_bench.datasets.export"},
        "chorus_bench.cli.app": {"chorus_baselines.cli"},
    }
    assert _wrong(graph) == [
        "chorus_bench.cli.app imports chorus_baselines.cli",
        "chorus_bench.datasets.schema imports chorus_bench.datasets.export",
        "chorus_bench.geometry.grid imports chorus_bench.io.files",
        "chorus_bench.simulation.rows imports chorus_bench.datasets.export",
    ]
    assert _circle([("a", "b"), ("b", "c"), ("c", "a")]) is not None


def test_the_tests_mirror_the_rooms():
    """Every room has its folder of tests; `values` has those of the modules without a room."""
    tests = ROOT / "tests"
    folders = {file.parent.name for file in tests.glob("*/__init__.py")}
    rooms = {file.parent.name for file in PACKAGES["chorus_bench"].glob("*/__init__.py")}
    assert folders - {"documents", "fuzz", "parity", "project", "site", "values"} == rooms - {
        "golden"
    } | {"baselines"}
    assert {file.name for file in tests.glob("*.py")} == {"__init__.py", "conftest.py"}
