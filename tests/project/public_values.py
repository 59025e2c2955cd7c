"""Values of every public class, small, for calls of the public callables."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import chorus_bench
from chorus_bench import GridSpec, OccupancyGrid
from chorus_bench.evaluation.results import EvaluationResult
from tests.evaluation.small_split import COARSE, blob_field, make_row


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
    from tests.project.public_arguments import arguments_of

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


def pair() -> Any:
    from chorus_bench.adapters import Pair

    return Pair(pose=np.zeros(72), points=np.ones((4, 3)))


def box() -> Any:
    from chorus_bench.adapters import BoxGrid

    return BoxGrid(np.zeros((8, 8, 8), np.float32), (3.0, 3.0, 3.0))


def statistics() -> Any:
    from chorus_bench.datasets.statistics import row_statistics

    return row_statistics([test_row()])


def overlay() -> Any:
    from chorus_bench.report import Overlay

    return Overlay.of(split().samples[0], np.full((32, 24), 0.5, np.float32))


def overlay_row() -> Any:
    from chorus_bench.report import OverlayRow

    sample = split().samples[0]
    photo = np.zeros((sample.height, sample.width, 3), np.uint8)
    return OverlayRow("a sample", photo, {"m": overlay()}, {"m": 0.5})


def prepared() -> Any:
    from chorus_bench.evaluation.prepare import prepare_sample

    return prepare_sample(split().samples[0], body(), COARSE)


def projection() -> Any:
    from chorus_bench.evaluation.torch_projection import Projection

    return Projection.of(split().samples[0], prepared(), GridSpec(16), protocol=COARSE)


def truth() -> Any:
    from chorus_bench.evaluation.truth_file import TruthScores
    from chorus_bench.metrics.volumetric import calibration_curve

    values = grid().values
    return TruthScores(0.1, 0.5, {}, calibration_curve(values, values > 0.5))


@cache
def result_with_truth() -> Path:
    from tests.leaderboard import world
    from tests.leaderboard.measures import saved

    return saved(world.make_result("m", skill=0.5), place() / "measured", 0.1)


def measured() -> Any:
    from chorus_bench.report import measured_results

    return measured_results([result_with_truth()], "chamfer")


def counts() -> Any:
    from chorus_bench.metrics import pixel_counts

    return pixel_counts(np.ones((4, 100), np.int64))


def calibration() -> Any:
    from chorus_bench.calibration import calibrate
    from tests.project.public_arguments import arguments_of

    return calibrate(**arguments_of("calibrate"))


def people() -> dict[str, Any]:
    points = np.random.default_rng(0).normal(0, 0.4, (1, 24, 3))
    return {
        "points_3d": points,
        "targets_2d": points[..., :2] * 100 + 50,
        "global_orient": np.zeros((1, 3)),
        "weak_camera": np.array([[1.0, 0.0, 0.0]]),
        "image_size": np.array([[100, 100]]),
        "solver": "lm",
    }


def camera() -> dict[str, Any]:
    return {"rotation": np.eye(3), "translation": [0, 0, 3], "intrinsics": np.diag([9.0, 9, 1])}


def row(name: str) -> Callable[[], Any]:
    return lambda: body_arrays()[name]


def body_arrays() -> dict[str, Any]:
    names = ("template", "weights", "joint_regressor", "faces")
    return {"name": "mine", **{name: getattr(body(), name) for name in names}}


def sample() -> dict[str, Any]:
    return dict(vars(split().samples[0]))


def files() -> dict[str, Any]:
    file = place() / "aggregation.npz"
    return {"aggregation": aggregation(), "path": file}


def interaction() -> Any:
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


def report() -> Any:
    return chorus_bench.validate("example", split=None).report


def checked_folder() -> dict[str, Any]:
    from contextlib import ExitStack

    from chorus_bench.submission.check import check_folder

    folder = typed().path
    return {"path": folder, "checked": check_folder(folder), "resources": ExitStack()}


def setup() -> Callable[[Any], dict[str, Any]]:
    return lambda job: {}


@cache
def distances() -> Path:
    folder = place() / "distances"
    folder.mkdir()
    np.save(folder / "bench.npy", np.indices((16, 16, 16))[0] - 8.0)
    return folder


def saved() -> Path:
    from chorus_baselines.chorus import save_aggregation

    return save_aggregation(**files())
