"""The public callables, and arguments with which each of them works."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch

import chorus_bench
from chorus_bench import GridSpec, OccupancyGrid
from chorus_bench.evaluation.results import EvaluationResult
from tests.evaluation.small_split import COARSE, blob_field, make_row

#: The packages that the site documents, and others with a list of public names.
PACKAGES = (
    "chorus_bench",
    "chorus_bench.adapters",
    "chorus_bench.calibration",
    "chorus_bench.engines",
    "chorus_bench.evaluation",
    "chorus_bench.evaluation.torch_projection",
    "chorus_bench.geometry.body",
    "chorus_bench.geometry.camera",
    "chorus_bench.geometry.grid",
    "chorus_bench.metrics",
    "chorus_bench.metrics.torch_metric",
    "chorus_bench.report",
    "chorus_bench.selftest",
    "chorus_bench.simulation",
    "chorus_bench.submission",
    "chorus_bench.synthesis",
    "chorus_baselines.chorus",
)


@dataclass(frozen=True)
class Public:
    """A public callable: a function, a class, or a method of an instance.

    Attributes:
        name: its full name.
        made: returns it; methods need an instance.
        parameters: its own parameters.
    """

    name: str
    made: Callable[[], Callable[..., Any]]
    parameters: Mapping[str, inspect.Parameter]


def public_callables() -> list[Public]:
    """Return every public callable with a parameter, each once."""
    found: dict[int, Public] = {}
    for package in PACKAGES:
        module = import_module(package)
        for name in getattr(module, "__all__", None) or _own_names(module):
            value = getattr(module, name)
            if inspect.isfunction(value) or _is_checked_class(value):
                for one in (
                    _public(name, lambda value=value: value, value),
                    *_methods(name, value),
                ):
                    found.setdefault((id(value), one.name), one)
    return [one for one in found.values() if one.parameters]


def _own_names(module: Any) -> list[str]:
    names = [name for name in vars(module) if not name.startswith("_")]
    return [n for n in names if getattr(getattr(module, n), "__module__", "") == module.__name__]


def _is_checked_class(value: object) -> bool:
    return inspect.isclass(value) and not issubclass(value, BaseException)


def _public(name: str, made: Callable[[], Any], value: Any, skip: int = 0) -> Public:
    parameters = list(inspect.signature(value).parameters.values())[skip:]
    fixed = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    return Public(name, made, {p.name: p for p in parameters if p.kind not in fixed})


def _methods(owner: str, kind: Any) -> Iterator[Public]:
    if not inspect.isclass(kind):
        return
    for name, value in vars(kind).items():
        if name.startswith("_"):
            continue
        if isinstance(value, classmethod):
            bound = getattr(kind, name)
            yield _public(f"{owner}.{name}", lambda bound=bound: bound, bound)
        elif inspect.isfunction(value):
            yield _public(
                f"{owner}.{name}", lambda name=name: getattr(instance(owner), name), value, skip=1
            )


@cache
def instance(name: str) -> Any:
    """Return an instance of a public class."""
    return INSTANCES[name]() if name in INSTANCES else _class(name)(**arguments_of(name))


def _class(name: str) -> Any:
    return next(getattr(m, name) for p in PACKAGES if hasattr(m := import_module(p), name))


def arguments_of(name: str) -> dict[str, Any]:
    """Return arguments with which a public callable works."""
    own = ARGUMENTS.get(name, {})
    if isinstance(own, _Later):
        return dict(own.items())
    return {
        key: value() if inspect.isfunction(value) or hasattr(value, "cache_info") else value
        for key, value in own.items()
    }


@cache
def grid() -> OccupancyGrid:
    """A field on 16 voxels a side."""
    return OccupancyGrid(blob_field(16), GridSpec(16))


@cache
def split() -> Any:
    """A test split of three samples."""
    from chorus_bench.evaluation import split_from_rows

    return split_from_rows([make_row("bench", n) for n in range(3)], "small", min_samples=3)


@cache
def submission() -> Any:
    """An open submission of the one category."""
    from chorus_bench.submission import submission_of

    return submission_of({"bench": grid()})


@cache
def result() -> EvaluationResult:
    """The result of the submission on the split."""
    return chorus_bench.evaluate(submission(), split=split(), protocol=COARSE, workers=1)


@cache
def train_rows() -> list[dict[str, Any]]:
    """Two training rows."""
    from tests.baselines.views import make_rows

    rows = [{**row, "category": "bench"} for row in make_rows(2, size=(16, 16))]
    return [{**train_row(), **row} for row in rows]


@cache
def train_row() -> dict[str, Any]:
    """A simulated training row."""
    from chorus_bench.simulation import simulate_train_row

    arguments = arguments_of("simulate_train_row")
    return simulate_train_row(**arguments)


@cache
def test_row() -> dict[str, Any]:
    """A simulated test row."""
    from chorus_bench.simulation import simulate_test_row

    return simulate_test_row("backpack", 0, image_size=(64, 80), with_image=False)


@cache
def aggregation() -> Any:
    """What the training rows add up to."""
    from chorus_baselines.chorus import aggregate

    return aggregate(train_rows(), grid=GridSpec(16))


@cache
def body() -> Any:
    """The free body."""
    return chorus_bench.load_body()


@cache
def place() -> Path:
    """A folder for what is written."""
    import tempfile

    return Path(tempfile.mkdtemp(prefix="public-"))


def _pair() -> Any:
    from chorus_bench.adapters import Pair

    return Pair(pose=np.zeros(72), points=np.ones((4, 3)))


def _box() -> Any:
    from chorus_bench.adapters import BoxGrid

    return BoxGrid(np.zeros((8, 8, 8), np.float32), (3.0, 3.0, 3.0))


def _statistics() -> Any:
    from chorus_bench.datasets.statistics import row_statistics

    return row_statistics([test_row()])


def _overlay() -> Any:
    from chorus_bench.report import Overlay

    return Overlay.of(split().samples[0], np.full((32, 24), 0.5, np.float32))


def _overlay_row() -> Any:
    from chorus_bench.report import OverlayRow

    sample = split().samples[0]
    photo = np.zeros((sample.height, sample.width, 3), np.uint8)
    return OverlayRow("a sample", photo, {"m": _overlay()}, {"m": 0.5})


def _prepared() -> Any:
    from chorus_bench.evaluation.prepare import prepare_sample

    return prepare_sample(split().samples[0], body(), COARSE)


def _projection() -> Any:
    from chorus_bench.evaluation.torch_projection import Projection

    return Projection.of(split().samples[0], _prepared(), GridSpec(16), protocol=COARSE)


def _truth() -> Any:
    from chorus_bench.evaluation.truth_file import TruthScores
    from chorus_bench.metrics.volumetric import calibration_curve

    values = grid().values
    return TruthScores(0.1, 0.5, {}, calibration_curve(values, values > 0.5))


@cache
def _result_with_truth() -> Path:
    from tests.leaderboard import world
    from tests.leaderboard.measures import saved

    return saved(world.make_result("m", skill=0.5), place() / "measured", 0.1)


def _measured() -> Any:
    from chorus_bench.report import measured_results

    return measured_results([_result_with_truth()], "chamfer")


def _counts() -> Any:
    from chorus_bench.metrics import pixel_counts

    return pixel_counts(np.ones((4, 100), np.int64))


def _calibration() -> Any:
    from chorus_bench.calibration import calibrate

    return calibrate(**arguments_of("calibrate"))


def _people() -> dict[str, Any]:
    points = np.random.default_rng(0).normal(0, 0.4, (1, 24, 3))
    return {
        "points_3d": points,
        "targets_2d": points[..., :2] * 100 + 50,
        "global_orient": np.zeros((1, 3)),
        "weak_camera": np.array([[1.0, 0.0, 0.0]]),
        "image_size": np.array([[100, 100]]),
        "solver": "lm",
    }


def _camera() -> dict[str, Any]:
    return {"rotation": np.eye(3), "translation": [0, 0, 3], "intrinsics": np.diag([9.0, 9, 1])}


def _row(name: str) -> Callable[[], Any]:
    return lambda: _body_arrays()[name]


def _body_arrays() -> dict[str, Any]:
    names = ("template", "weights", "joint_regressor", "faces")
    return {"name": "mine", **{name: getattr(body(), name) for name in names}}


def _sample() -> dict[str, Any]:
    return dict(vars(split().samples[0]))


class _Later:
    """A dictionary of arguments that is made when it is needed."""

    def __init__(self, make: Callable[[], dict[str, Any]], **more: Any) -> None:
        self._make, self._more = make, more

    def items(self) -> Any:
        return {**self._make(), **self._more}.items()


def _files() -> dict[str, Any]:
    file = place() / "aggregation.npz"
    return {"aggregation": aggregation(), "path": file}


def _interaction() -> Any:
    from chorus_bench.simulation import interaction_of

    return interaction_of("backpack", "a person wears a backpack")


@cache
def typed() -> Any:
    """An open submission with a type of interaction."""
    from chorus_bench.submission import InteractionField, InteractionType

    folder = chorus_bench.write_submission(
        place() / "typed",
        method="m",
        fields={"bench": grid()},
        interactions={"bench": [InteractionField(InteractionType.of("a prompt"), grid())]},
    )
    return chorus_bench.open_submission(folder)


def _report() -> Any:
    return chorus_bench.validate("example", split=None).report


def _checked_folder() -> dict[str, Any]:
    from contextlib import ExitStack

    from chorus_bench.submission.check import check_folder

    folder = typed().path
    return {"path": folder, "checked": check_folder(folder), "resources": ExitStack()}


def _setup() -> Callable[[Any], dict[str, Any]]:
    return lambda job: {}


@cache
def _distances() -> Path:
    folder = place() / "distances"
    folder.mkdir()
    np.save(folder / "bench.npy", np.indices((16, 16, 16))[0] - 8.0)
    return folder


def _saved() -> Path:
    from chorus_baselines.chorus import save_aggregation

    return save_aggregation(**_files())


INSTANCES: dict[str, Callable[[], Any]] = {
    "EvaluationResult": result,
    "Submission": submission,
    "EvalSplit": split,
    "BodyModel": body,
    "Calibration": _calibration,
    "Aggregation": aggregation,
    "Overlay": _overlay,
    "Projection": _projection,
    "OccupancyGrid": grid,
}
#: Parameters that take anything: where something was found, for words only.
ANYTHING = {"check_probabilities.where"}
#: Callables that need files or a submission that are not here: these arguments are refused.
NOT_HERE = {
    "Submission.interaction_field",
    "Submission.posed_field",
    "Submission.posed_samples",
    "import_chorus",
    "read_original_field",
    "read_segments",
}

_FIELDS = {"bench": grid}
_IMAGE = np.full((2, 2), 0.5)
_POINTS = np.zeros((4, 3))
_SMALL = {"grid": GridSpec(16)}
ARGUMENTS: dict[str, Any] = {
    "BodyModel": _Later(_body_arrays),
    "BodyModel.bone_transforms": {"pose": np.zeros(72)},
    "BodyModel.pose": {"pose": np.zeros(72)},
    "BodyModel.canonical_to_posed": {"pose": np.zeros(72)},
    "EvaluationResult": _Later(lambda: dict(vars(result()))),
    "EvaluationResult.save": {"folder": lambda: place() / "result"},
    "GridSpec.indices": {"points": _POINTS},
    "OccupancyGrid": {"values": lambda: grid().values, "spec": GridSpec(16)},
    "OccupancyGrid.at": {"points": _POINTS},
    "evaluate": {
        "submission": submission, "split": split, "protocol": COARSE, "workers": 1,
        "progress": False,
    },
    "compare": {"results": lambda: [result(), result()], "resamples": 100},
    "diagnose": {
        "submission": submission, "split": split, "protocol": COARSE, "workers": 1,
        "progress": False,
    },
    "validate": {"submission": "example", "split": split, "progress": False},
    "load_result": {"folder": lambda: result().save(place() / "result")},
    "load_split": {"source": split},
    "open_submission": {"path": "example"},
    "projective_average_precision": {
        "occupancy_image": _IMAGE, "target": _IMAGE > 0, "human": _IMAGE > 1,
    },
    "write_submission": {
        "folder": lambda: place() / "written", "method": "m", "overwrite": True,
        "fields": lambda: {"bench": grid()}, "grid": GridSpec(16),
    },
    "write_posed_submission": {
        "folder": lambda: place() / "posed", "method": "m", "overwrite": True,
        "fields": lambda: {"bench": {1: grid()}}, "grid": GridSpec(16),
    },
    "Ball": {"center": (0, 0, 0), "radius": 0.5},
    "Ball.distances": {"points": _POINTS},
    "Box": {"center": (0, 0, 0), "size": (1, 1, 1)},
    "Box.distances": {"points": _POINTS},
    "BoxGrid": {"values": np.zeros((8, 8, 8)), "size": (3, 3, 3)},
    "BoxGrid.on": {"grid": GridSpec(8)},
    "Conversion": {"folder": Path("x"), "categories": 1, "notes": (), "warnings": ()},
    "Kind": {"name": "a", "takes": "b", "assumes": "c", "loses": "d", "suffixes": (".npy",)},
    "MonteCarloField": {"field": grid, "standard_error": lambda: grid().values, "samples": 2},
    "Pair": {"pose": np.zeros(72), "points": _POINTS},
    "blurred": {"field": grid, "sigma": 0.1},
    "box_grid": {"arrays": {"grid": np.zeros((8, 8, 8))}, "side_length": 3.0},
    "canonical_field": {"pairs": lambda: [_pair(), _pair()], "body": body, **_SMALL},
    "contact_field": {"contact": lambda: np.zeros(body().vertices), "body": body, **_SMALL},
    "convert": {
        "kind": "distances", "source": _distances, "output": lambda: place() / "converted",
        "overwrite": True,
    },
    "cube_of": {"box": lambda: _box()},
    "distance_field": {"distances": np.indices((16, 16, 16))[0] - 8.0, **_SMALL},
    "grid_field": {"grid": _box, "spec": GridSpec(8)},
    "mesh_field": {
        "vertices": np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1.0]]),
        "faces": np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]]), **_SMALL,
    },
    "points_field": {"points": np.ones((4, 3)) * 0.1, **_SMALL},
    "shapes_field": {"shapes": lambda: instance("Ball"), **_SMALL},
    "smpl_pose": {"pose": np.zeros(72)},
    "to_body_frame": {"points": _POINTS, "pair": _pair, "body": body},
    "Calibration": _Later(lambda: dict(vars(_calibration()))),
    "Calibration.camera": {"person": 0},
    "CalibrationSettings": {"name": "a", "max_steps": 3, "stop_below": 0.5, "drop_above": None},
    "CropBox": {"left": 0, "top": 0, "right": 50, "bottom": 50},
    "calibrate": _Later(_people),
    "calibration_settings": {"name": "eft"},
    "crop_box": {"center": (50, 50), "scale": 1.0},
    "crop_problem": {"box": lambda: instance("CropBox"), "image_size": (100, 100)},
    "weak_perspective_to_image": {
        "points": _POINTS, "camera": (1, 0, 0), "center": (50, 50), "scale": 1.0,
        "image_size": (100, 100),
    },
    "end_inner_run": {"workers": 1},
    "run_jobs": {
        "setup": lambda: _setup, "jobs": [],
        "settings": lambda: instance("EngineSettings"),
    },
    "EvalSample": _Later(_sample),
    "EvalSplit": {"name": "mine", "samples": lambda: split().samples},
    "EvalSplit.select": {"categories": None},
    "split_from_rows": {"rows": lambda: [make_row("bench", 0)], "name": "mine"},
    "Projection": _Later(lambda: dict(vars(_projection()))),
    "Projection.of": {
        "sample": lambda: split().samples[0], "prepared": _prepared, "grid": GridSpec(16),
        "protocol": COARSE,
    },
    "Projection.to": {"device": "cpu"},
    "Projection.image": {"field": torch.zeros(16, 16, 16)},
    "projections": {"split": split, "grid": GridSpec(16), "protocol": COARSE},
    "bones": {"rest": np.zeros((24, 3))},
    "forward_kinematics": {"local": np.tile(np.eye(3), (24, 1, 1)), "steps": np.zeros((24, 3))},
    "without_global_orientation": {"pose": np.zeros(72)},
    "PerspectiveCamera": _Later(_camera),
    "PerspectiveCamera.from_row": {"row": test_row},
    "PerspectiveCamera.rescaled": {"factor": 2.0},
    "PerspectiveCamera.to_camera": {"points": _POINTS},
    "PerspectiveCamera.project": {"points": _POINTS},
    "pixel_indices": {"uv": np.zeros((3, 2)), "height": 5, "width": 5},
    "azimuth_degrees": {"x": np.ones(3), "z": np.ones(3)},
    "azimuth_bins": {"degrees": np.ones(3)},
    "check_probabilities": {"values": np.ones(3)},
    "PAPScore": dict.fromkeys(("pap", "pap_strict", "pap_hoa", "pap_strict_hoa"), 0.5)
    | {"target_area": 1, "target_area_hoa": 1},
    "PixelCounts": _Later(lambda: dict(vars(_counts()))),
    "Protocol.signature": {"split": "a@1", "body": "b@2"},
    "available_mean": {"scores": np.ones((3, 4)), "areas": np.ones((3, 2))},
    "average_precision": {"counts": _counts},
    "benchmark_mean": {
        "categories": [dict.fromkeys(("PAP", "PAP_strict", "PAP_hoa", "PAP_strict_hoa"), 0.5)]
    },
    "category_mean": {"scores": np.ones((3, 4)), "areas": np.ones((3, 2))},
    "get_protocol": {"name": "official"},
    "occupancy_levels": {"occupancy": _IMAGE},
    "pixel_counts": {"histogram": np.ones((4, 100), np.int64)},
    "ProjectiveAveragePrecision": {"categories": ["bench"]},
    "ProjectiveAveragePrecision.update": {
        "occupancy": torch.zeros(1, 2, 2), "target": torch.ones(1, 2, 2),
        "human": torch.zeros(1, 2, 2), "categories": ["bench"],
    },
    "Overlay": _Later(lambda: dict(vars(_overlay()))),
    "Overlay.of": {"sample": lambda: split().samples[0], "projection": np.full((32, 24), 0.5)},
    "OverlayRow": _Later(lambda: dict(vars(_overlay_row()))),
    "bars_figure": {"result": result},
    "calibration_figure": {"scores": lambda: {"m": _truth()}},
    "cameras_figure": {"statistics": _statistics},
    "curves_figure": {"results": lambda: {"m": result()}},
    "draw_types": {"submission": typed, "body": body, "folder": lambda: place() / "types"},
    "fields_figure": {"fields": lambda: {"bench": grid()}, "body": body, "sides": ("front",)},
    "measure_figure": {"rows": lambda: _measured(), "measure": "chamfer"},
    "measured_results": {"results": lambda: [_result_with_truth()], "measure": "chamfer"},
    "methods_figure": {"results": lambda: {"m": result()}},
    "overlays_figure": {"rows": lambda: [_overlay_row()]},
    "render_measured": {"rows": lambda: _measured(), "measure": "chamfer"},
    "sample_overlays": {
        "result": result, "submission": submission, "split": split, "body": body,
    },
    "sample_photos": {"split": "example", "wanted": ()},
    "submission_fields": {"submission": submission},
    "view_fields": {"fields": lambda: {"bench": grid()}},
    "write_figure": {
        "kind": "methods", "results": lambda: [result()], "path": lambda: place() / "figure.png",
    },
    "write_report": {"result": result, "output": lambda: place() / "report", "overwrite": True},
    "Comparison": {
        "name": "a", "quantity": "b", "unit": "m", "largest_difference": 0.1, "tolerance": 1.0,
        "count": 3,
    },
    "Interaction": _Later(lambda: dict(vars(_interaction()))),
    "canonical_truth": {"category": "backpack", "samples": 1, "grid": GridSpec(8)},
    "interaction_of": {"category": "backpack", "prompt": "a person wears a backpack"},
    "simulate_test_row": {
        "category": "backpack", "index": 0, "image_size": (64, 80), "with_image": False,
    },
    "simulate_train_row": {
        "category": "backpack", "prompt": "a person wears a backpack", "view": "", "index": 0,
        "size": 32, "with_image": False,
    },
    "simulated_test": {"categories": ("backpack",), "per_category": 1},
    "Finding": {"where": "a", "found": "b"},
    "Finding.of": {"error": chorus_bench.InputError("wrong"), "where": "a"},
    "InteractionField": {"kind": lambda: instance("InteractionType"), "values": grid},
    "InteractionType": {"name": "ride"},
    "Submission": _Later(lambda: _checked_folder()),
    "Submission.field": {"category": "bench"},
    "Submission.grid_of": {"category": "bench"},
    "Submission.interactions": {"category": "bench"},
    "Submission.interaction_field": {"category": "bench", "name": "ride"},
    "Submission.posed_samples": {"category": "bench"},
    "Submission.posed_field": {"category": "bench", "sample_id": "made-bench-000"},
    "Submission.interaction_fields": {"category": "bench"},
    "SubmissionReport": _Later(lambda: dict(vars(_report()))),
    "check_submission": {"path": "example"},
    "field_warnings": {"values": lambda: grid().values, "spec": GridSpec(16)},
    "submission_of": {"fields": lambda: {"bench": grid()}},
    "FilterStatistics.add": {"category": "a", "verdict": lambda: _class("Verdict")(True)},
    "Verdict": {"kept": True},
    "filter_row": {"row": lambda: train_rows()[0]},
    "filter_rows": {"rows": train_rows},
    "without_near_duplicates": {"row": lambda: train_rows()[0]},
    "Aggregation": {"settings": lambda: aggregation().settings, "tallies": {}},
    "BodyPart": {"name": "a", "segments": ("hips",)},
    "Cluster": {"name": "a", "passing": lambda: (instance("BodyPart"),)},
    "Cluster.of": {"part": lambda: instance("BodyPart")},
    "Counts": _Later(lambda: aggregation().counts_of()._asdict()),
    "aggregate": {"rows": train_rows, "grid": GridSpec(8)},
    "draw_ratio": {"rows": train_rows, "ratio": 0.5},
    "draw_without_keypoints": {"rows": train_rows},
    "import_chorus": {"files": {"bench": "nowhere.pkl"}, "output": lambda: place() / "chorus"},
    "load_aggregation": {"path": lambda: _saved()},
    "posed_field": {"field": grid, "pose": np.zeros(72), **_SMALL},
    "read_original_field": {"file": "nowhere.pkl"},
    "read_segments": {"path": "nowhere.json", "body": body},
    "reconstruct": {
        "field": grid, "pose": np.zeros(72), "path": lambda: place() / "scene.glb", **_SMALL,
    },
    "save_aggregation": _Later(_files),
    "select_rows": {"rows": train_rows, "ids": ()},
    "subject_of": {"row": lambda: train_rows()[0]},
}  # fmt: skip
