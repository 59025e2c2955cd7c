"""Arguments with which each of the public callables works."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch

import chorus_bench
from chorus_bench import GridSpec
from tests.evaluation.small_split import COARSE, make_row
from tests.project import public_values as values

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


class _Later:
    """A dictionary of arguments that is made when it is needed."""

    def __init__(self, make: Callable[[], dict[str, Any]], **more: Any) -> None:
        self._make, self._more = make, more

    def items(self) -> Any:
        return {**self._make(), **self._more}.items()


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


INSTANCES: dict[str, Callable[[], Any]] = {
    "EvaluationResult": values.result,
    "Submission": values.submission,
    "EvalSplit": values.split,
    "BodyModel": values.body,
    "Calibration": values.calibration,
    "Aggregation": values.aggregation,
    "Overlay": values.overlay,
    "Projection": values.projection,
    "OccupancyGrid": values.grid,
}
#: Parameters that take anything: where something was found, for words only.
ANYTHING = {"check_probabilities.where"}
#: Callables that need files or a values.submission that are not here: these arguments are refused.
NOT_HERE = {
    "Submission.interaction_field",
    "Submission.posed_field",
    "Submission.posed_samples",
    "import_chorus",
    "read_original_field",
    "read_segments",
}

_FIELDS = {"bench": values.grid}
_IMAGE = np.full((2, 2), 0.5)
_POINTS = np.zeros((4, 3))
_SMALL = {"grid": GridSpec(16)}
ARGUMENTS: dict[str, Any] = {
    "BodyModel": _Later(values.body_arrays),
    "BodyModel.bone_transforms": {"pose": np.zeros(72)},
    "BodyModel.pose": {"pose": np.zeros(72)},
    "BodyModel.pose_vertices": {"numbers": np.arange(3), "pose": np.zeros(72)},
    "BodyModel.canonical_to_posed": {"pose": np.zeros(72)},
    "EvaluationResult": _Later(lambda: dict(vars(values.result()))),
    "EvaluationResult.save": {"folder": lambda: values.place() / "result"},
    "GridSpec.indices": {"points": _POINTS},
    "OccupancyGrid": {"values": lambda: values.grid().values, "spec": GridSpec(16)},
    "OccupancyGrid.at": {"points": _POINTS},
    "evaluate": {
        "submission": values.submission, "split": values.split, "protocol": COARSE, "workers": 1,
        "progress": False,
    },
    "compare": {"results": lambda: [values.result(), values.result()], "resamples": 100},
    "diagnose": {
        "submission": values.submission, "split": values.split, "protocol": COARSE, "workers": 1,
        "progress": False,
    },
    "validate": {"submission": "example", "split": values.split, "progress": False},
    "load_result": {"folder": lambda: values.result().save(values.place() / "result")},
    "load_split": {"source": values.split},
    "open_submission": {"path": "example"},
    "projective_average_precision": {
        "occupancy_image": _IMAGE, "target": _IMAGE > 0, "human": _IMAGE > 1,
    },
    "write_submission": {
        "folder": lambda: values.place() / "written", "method": "m", "overwrite": True,
        "fields": lambda: {"bench": values.grid()}, "grid": GridSpec(16),
    },
    "write_posed_submission": {
        "folder": lambda: values.place() / "posed", "method": "m", "overwrite": True,
        "fields": lambda: {"bench": {1: values.grid()}}, "grid": GridSpec(16),
    },
    "Ball": {"center": (0, 0, 0), "radius": 0.5},
    "Ball.distances": {"points": _POINTS},
    "Box": {"center": (0, 0, 0), "size": (1, 1, 1)},
    "Box.distances": {"points": _POINTS},
    "BoxGrid": {"values": np.zeros((8, 8, 8)), "size": (3, 3, 3)},
    "BoxGrid.on": {"grid": GridSpec(8)},
    "Conversion": {"folder": Path("x"), "categories": 1, "notes": (), "warnings": ()},
    "Kind": {"name": "a", "takes": "b", "assumes": "c", "loses": "d", "suffixes": (".npy",)},
    "MonteCarloField": {"field": values.grid, "standard_error": lambda: values.grid().values, "samples": 2},
    "Pair": {"pose": np.zeros(72), "points": _POINTS},
    "blurred": {"field": values.grid, "sigma": 0.1},
    "box_grid": {"arrays": {"grid": np.zeros((8, 8, 8))}, "side_length": 3.0},
    "canonical_field": {"pairs": lambda: [values.pair(), values.pair()], "body": values.body, **_SMALL},
    "contact_field": {"contact": lambda: np.zeros(values.body().vertices), "body": values.body, **_SMALL},
    "convert": {
        "kind": "distances", "source": values.distances, "output": lambda: values.place() / "converted",
        "overwrite": True,
    },
    "cube_of": {"box": lambda: values.box()},
    "distance_field": {"distances": np.indices((16, 16, 16))[0] - 8.0, **_SMALL},
    "grid_field": {"grid": values.box, "spec": GridSpec(8)},
    "mesh_field": {
        "vertices": np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1.0]]),
        "faces": np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]]), **_SMALL,
    },
    "points_field": {"points": np.ones((4, 3)) * 0.1, **_SMALL},
    "shapes_field": {"shapes": lambda: instance("Ball"), **_SMALL},
    "smpl_pose": {"pose": np.zeros(72)},
    "to_body_frame": {"points": _POINTS, "pair": values.pair, "body": values.body},
    "Calibration": _Later(lambda: dict(vars(values.calibration()))),
    "Calibration.camera": {"person": 0},
    "CalibrationSettings": {"name": "a", "max_steps": 3, "stop_below": 0.5, "drop_above": None},
    "CropBox": {"left": 0, "top": 0, "right": 50, "bottom": 50},
    "calibrate": _Later(values.people),
    "calibration_settings": {"name": "eft"},
    "crop_box": {"center": (50, 50), "scale": 1.0},
    "crop_problem": {"box": lambda: instance("CropBox"), "image_size": (100, 100)},
    "weak_perspective_to_image": {
        "points": _POINTS, "camera": (1, 0, 0), "center": (50, 50), "scale": 1.0,
        "image_size": (100, 100),
    },
    "end_inner_run": {"workers": 1},
    "run_jobs": {
        "setup": lambda: values.setup, "jobs": [],
        "settings": lambda: instance("EngineSettings"),
    },
    "EvalSample": _Later(values.sample),
    "EvalSplit": {"name": "mine", "samples": lambda: values.split().samples},
    "EvalSplit.select": {"categories": None},
    "split_from_rows": {"rows": lambda: [make_row("bench", 0)], "name": "mine"},
    "Projection": _Later(lambda: dict(vars(values.projection()))),
    "Projection.of": {
        "sample": lambda: values.split().samples[0], "prepared": values.prepared, "grid": GridSpec(16),
        "protocol": COARSE,
    },
    "Projection.to": {"device": "cpu"},
    "Projection.image": {"field": torch.zeros(16, 16, 16)},
    "projections": {"split": values.split, "grid": GridSpec(16), "protocol": COARSE},
    "bones": {"rest": np.zeros((24, 3))},
    "forward_kinematics": {"local": np.tile(np.eye(3), (24, 1, 1)), "steps": np.zeros((24, 3))},
    "joint_and_parent": {"local": np.tile(np.eye(3), (24, 1, 1)), "steps": np.zeros((24, 3)), "joint": 5},
    "without_global_orientation": {"pose": np.zeros(72)},
    "PerspectiveCamera": _Later(values.camera),
    "PerspectiveCamera.from_row": {"row": values.test_row},
    "PerspectiveCamera.rescaled": {"factor": 2.0},
    "PerspectiveCamera.to_camera": {"points": _POINTS},
    "PerspectiveCamera.project": {"points": _POINTS},
    "pixel_indices": {"uv": np.zeros((3, 2)), "height": 5, "width": 5},
    "azimuth_degrees": {"x": np.ones(3), "z": np.ones(3)},
    "azimuth_bins": {"degrees": np.ones(3)},
    "check_probabilities": {"values": np.ones(3)},
    "PAPScore": dict.fromkeys(("pap", "pap_strict", "pap_hoa", "pap_strict_hoa"), 0.5)
    | {"target_area": 1, "target_area_hoa": 1},
    "PixelCounts": _Later(lambda: dict(vars(values.counts()))),
    "Protocol.signature": {"split": "a@1", "body": "b@2"},
    "available_mean": {"scores": np.ones((3, 4)), "areas": np.ones((3, 2))},
    "average_precision": {"counts": values.counts},
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
    "Overlay": _Later(lambda: dict(vars(values.overlay()))),
    "Overlay.of": {"sample": lambda: values.split().samples[0], "projection": np.full((32, 24), 0.5)},
    "OverlayRow": _Later(lambda: dict(vars(values.overlay_row()))),
    "bars_figure": {"result": values.result},
    "calibration_figure": {"scores": lambda: {"m": values.truth()}},
    "cameras_figure": {"statistics": values.statistics},
    "curves_figure": {"results": lambda: {"m": values.result()}},
    "draw_types": {"submission": values.typed, "body": values.body, "folder": lambda: values.place() / "types"},
    "fields_figure": {"fields": lambda: {"bench": values.grid()}, "body": values.body, "sides": ("front",)},
    "measure_figure": {"rows": lambda: values.measured(), "measure": "chamfer"},
    "measured_results": {"results": lambda: [values.result_with_truth()], "measure": "chamfer"},
    "methods_figure": {"results": lambda: {"m": values.result()}},
    "overlays_figure": {"rows": lambda: [values.overlay_row()]},
    "render_measured": {"rows": lambda: values.measured(), "measure": "chamfer"},
    "sample_overlays": {
        "result": values.result, "submission": values.submission, "split": values.split, "body": values.body,
    },
    "sample_photos": {"split": "example", "wanted": ()},
    "submission_fields": {"submission": values.submission},
    "view_fields": {"fields": lambda: {"bench": values.grid()}},
    "write_figure": {
        "kind": "methods", "results": lambda: [values.result()], "path": lambda: values.place() / "figure.png",
    },
    "write_report": {"result": values.result, "output": lambda: values.place() / "report", "overwrite": True},
    "Comparison": {
        "name": "a", "quantity": "b", "unit": "m", "largest_difference": 0.1, "tolerance": 1.0,
        "count": 3,
    },
    "Interaction": _Later(lambda: dict(vars(values.interaction()))),
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
    "InteractionField": {"kind": lambda: instance("InteractionType"), "values": values.grid},
    "InteractionType": {"name": "ride"},
    "Submission": _Later(lambda: values.checked_folder()),
    "Submission.field": {"category": "bench"},
    "Submission.grid_of": {"category": "bench"},
    "Submission.interactions": {"category": "bench"},
    "Submission.interaction_field": {"category": "bench", "name": "ride"},
    "Submission.posed_samples": {"category": "bench"},
    "Submission.posed_field": {"category": "bench", "sample_id": "made-bench-000"},
    "Submission.interaction_fields": {"category": "bench"},
    "SubmissionReport": _Later(lambda: dict(vars(values.report()))),
    "check_submission": {"path": "example"},
    "field_warnings": {"values": lambda: values.grid().values, "spec": GridSpec(16)},
    "submission_of": {"fields": lambda: {"bench": values.grid()}},
    "FilterStatistics.add": {"category": "a", "verdict": lambda: _class("Verdict")(True)},
    "Verdict": {"kept": True},
    "filter_row": {"row": lambda: values.train_rows()[0]},
    "filter_rows": {"rows": values.train_rows},
    "without_near_duplicates": {"row": lambda: values.train_rows()[0]},
    "Aggregation": {"settings": lambda: values.aggregation().settings, "tallies": {}},
    "BodyPart": {"name": "a", "segments": ("hips",)},
    "Cluster": {"name": "a", "passing": lambda: (instance("BodyPart"),)},
    "Cluster.of": {"part": lambda: instance("BodyPart")},
    "Counts": _Later(lambda: values.aggregation().counts_of()._asdict()),
    "aggregate": {"rows": values.train_rows, "grid": GridSpec(8)},
    "draw_ratio": {"rows": values.train_rows, "ratio": 0.5},
    "draw_without_keypoints": {"rows": values.train_rows},
    "import_chorus": {"files": {"bench": "nowhere.pkl"}, "output": lambda: values.place() / "chorus"},
    "load_aggregation": {"path": lambda: values.saved()},
    "posed_field": {"field": values.grid, "pose": np.zeros(72), **_SMALL},
    "read_original_field": {"file": "nowhere.pkl"},
    "read_segments": {"path": "nowhere.json", "body": values.body},
    "reconstruct": {
        "field": values.grid, "pose": np.zeros(72), "path": lambda: values.place() / "scene.glb", **_SMALL,
    },
    "save_aggregation": _Later(values.files),
    "select_rows": {"rows": values.train_rows, "ids": ()},
    "subject_of": {"row": lambda: values.train_rows()[0]},
}  # fmt: skip
