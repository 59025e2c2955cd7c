"""What decides a row, a vote, a field or a score uses no arithmetic that depends on a processor.

Read from the sources: the modules of these paths may use what `chorus_bench.geometry.exact` offers
and single NumPy operations, and none of what is named here. What differs between processors,
versions and compilers is listed in docs/reproducibility.md.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

PATHS = (
    "chorus_bench/seeds.py",
    "chorus_bench/geometry/*.py",
    "chorus_bench/calibration/*.py",
    "chorus_bench/simulation/*.py",
    "chorus_bench/datasets/masks.py",
    "chorus_bench/datasets/occupancy.py",
    "chorus_bench/datasets/samples.py",
    "chorus_bench/datasets/coco_eft/*.py",
    "chorus_bench/synthesis/cameras.py",
    "chorus_bench/synthesis/filters.py",
    "chorus_bench/synthesis/non_maximum_suppression.py",
    "chorus_bench/evaluation/area_scaling.py",
    "chorus_bench/evaluation/cache.py",
    "chorus_bench/evaluation/prepare.py",
    "chorus_bench/evaluation/scoring.py",
    "chorus_bench/evaluation/warping.py",
    "chorus_bench/metrics/pap.py",
    "baselines/chorus_baselines/body_proximity.py",
    "baselines/chorus_baselines/chorus/*.py",
)
FILES = sorted(str(file.relative_to(ROOT)) for pattern in PATHS for file in ROOT.glob(pattern))

_FUNCTIONS = [
    "sin",
    "cos",
    "tan",
    "arcsin",
    "arccos",
    "arctan",
    "arctan2",
    "asin",
    "acos",
    "atan",
    "atan2",
    "sinh",
    "cosh",
    "tanh",
    "arcsinh",
    "arccosh",
    "arctanh",
    "asinh",
    "acosh",
    "atanh",
    "exp",
    "exp2",
    "expm1",
    "log",
    "log2",
    "log10",
    "log1p",
    "pow",
    "power",
    "float_power",
    "hypot",
    "dist",
    "cbrt",
]
#: What NumPy and the C library compute each in its own way.
FORBIDDEN = {
    "np": {
        *_FUNCTIONS,
        *[
            "linalg",
            "fft",
            "random",
            "dot",
            "vdot",
            "inner",
            "matmul",
            "tensordot",
            "einsum",
            "kron",
            "convolve",
            "correlate",
        ],
        *[
            "sum",
            "nansum",
            "mean",
            "nanmean",
            "average",
            "std",
            "var",
            "median",
            "quantile",
            "percentile",
            "prod",
        ],
        *["interp", "polyfit", "polyval", "trapezoid", "cov", "corrcoef", "cross"],
    },
    "math": {*_FUNCTIONS, "sumprod", "fma"},
}
METHODS = {"dot", "mean", "std", "var", "prod", "trace"}
LIBRARIES = {"scipy", "cv2", "torch", "random", "statistics", "cmath", "skimage"}

#: file, what it uses -> why that cannot move a bit.
ALLOWED = {
    ("chorus_bench/geometry/exact.py", "np.matmul"): "no partial sum of whole numbers is rounded",
    ("chorus_bench/geometry/nearest.py", "@"): "proposes points; exact distances decide",
    ("chorus_bench/geometry/nearest.py", "scipy"): "proposes points; exact distances decide",
    (
        "chorus_bench/geometry/nearest.py",
        ".argsort() that is not stable",
    ): "rows with equal distances are sorted again, by index",
    ("chorus_bench/geometry/skinning.py", "scipy"): "proposes voxels, with room to spare",
    ("chorus_bench/geometry/torch_skinning.py", "torch"): "single sums and products, see there",
    ("chorus_bench/geometry/torch_skinning.py", "@"): "proposes points; exact distances decide",
    ("chorus_bench/geometry/grid.py", "**"): "of whole numbers",
    ("chorus_bench/datasets/occupancy.py", "**"): "of whole numbers",
    ("chorus_bench/datasets/coco_eft/segmentations.py", "sum"): "of whole numbers",
    ("chorus_bench/synthesis/filters.py", "sum"): "of whole numbers",
    ("chorus_bench/evaluation/scoring.py", "sum"): "of whole numbers",
    ("chorus_bench/simulation/annotators.py", "cv2"): "blurs whole numbers, no sum is rounded",
    ("chorus_bench/simulation/shading.py", "cv2"): "arranges bytes, encodes JPEG, in whole numbers",
    ("chorus_bench/seeds.py", "np.random"): "raw bits of Philox, which NumPy keeps",
    ("baselines/chorus_baselines/chorus/aggregation.py", "sum"): "of tallies and whole numbers",
    ("baselines/chorus_baselines/chorus/device.py", "@"): "no partial sum is rounded",
    ("baselines/chorus_baselines/chorus/device.py", "torch"): "the same, on other devices",
}


def uses(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Yield what is used that may differ between processors, with its line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.BinOp | ast.AugAssign):
            yield from _operator(node)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if node.attr in FORBIDDEN.get(node.value.id, ()):
                yield f"{node.value.id}.{node.attr}", node.lineno
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names]
            modules = [node.module or ""] if isinstance(node, ast.ImportFrom) else names
            for library in {module.split(".")[0] for module in modules} & LIBRARIES:
                yield library, node.lineno
            if isinstance(node, ast.ImportFrom) and node.module in ("math", "numpy"):
                yield f"from {node.module} import", node.lineno
        elif isinstance(node, ast.Call):
            yield from _call(node)


def _operator(node: ast.BinOp | ast.AugAssign) -> Iterator[tuple[str, int]]:
    if isinstance(node.op, ast.MatMult):
        yield "@", node.lineno
    if isinstance(node.op, ast.Pow):
        sides = (node.left, node.right) if isinstance(node, ast.BinOp) else ()
        if not sides or not all(_is_number(side) for side in sides):
            yield "**", node.lineno


def _is_number(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) or (
        isinstance(node, ast.UnaryOp) and isinstance(node.operand, ast.Constant)
    )


def _call(node: ast.Call) -> Iterator[tuple[str, int]]:
    """Yield sums that nobody says to be of whole numbers, and sorts that may swap equals."""
    keywords = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
    if isinstance(node.func, ast.Name) and node.func.id == "sum":
        yield "sum", node.lineno
    if not isinstance(node.func, ast.Attribute):
        return
    name = node.func.attr
    own = isinstance(node.func.value, ast.Name) and node.func.value.id in ("np", "exact", "math")
    if name in METHODS and not own:
        yield f".{name}()", node.lineno
    if name == "sum" and keywords.get("dtype") != "np.int64":
        yield ".sum() without dtype=np.int64", node.lineno
    if name in ("argsort", "argpartition") and keywords.get("kind") != "'stable'":
        yield f".{name}() that is not stable", node.lineno


@pytest.mark.parametrize("file", FILES)
def test_only_exact_arithmetic(file: str) -> None:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    found = [(use, line) for use, line in uses(tree) if (file, use) not in ALLOWED]
    assert not found, f"{file}: use chorus_bench.geometry.exact instead of {found}"


def test_every_exception_is_needed() -> None:
    used = {(f, use) for f in FILES for use, _ in uses(ast.parse((ROOT / f).read_text()))}
    assert set(ALLOWED) <= used


@pytest.mark.parametrize(
    ("code", "use"),
    [
        ("a @ b", "@"),
        ("a @= b", "@"),
        ("x ** 0.5", "**"),
        ("np.sin(x)", "np.sin"),
        ("np.linalg.norm(x)", "np.linalg"),
        ("math.hypot(a, b)", "math.hypot"),
        ("x.mean(axis=0)", ".mean()"),
        ("x.sum()", ".sum() without dtype=np.int64"),
        ("sum(x)", "sum"),
        ("np.argsort(x)", ".argsort() that is not stable"),
        ("from scipy import sparse", "scipy"),
        ("from math import sin", "from math import"),
    ],
)
def test_what_is_found(code: str, use: str) -> None:
    assert [found for found, _ in uses(ast.parse(code))] == [use]


def test_what_is_not_found() -> None:
    code = "x * y + np.sqrt(z) / 2.0**-53; x.sum(dtype=np.int64); exact.mean(x); np.cumsum(x)"
    assert not list(uses(ast.parse(code)))
