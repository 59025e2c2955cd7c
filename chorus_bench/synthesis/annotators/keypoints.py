"""COCO's 17 keypoints of people in given boxes, by ViTPose from transformers."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from chorus_bench.errors import InputError
from chorus_bench.synthesis.annotators.transformers_models import LoadedModel, Source, describe
from chorus_bench.synthesis.interfaces import Context, Detection, Float32, Picture

if TYPE_CHECKING:
    import torch

_PURPOSE = "the keypoint detector 'transformers'"
_CLASSES = {"vitpose": "VitPoseForPoseEstimation"}
_COUNT = 17

#: A ViTPose+ has one expert per training dataset; the first is COCO's.
_COCO_EXPERT = 0


def make_keypoints(
    context: Context,
    *,
    model: str = "usyd-community/vitpose-plus-base",
    dtype: str = "float32",
    revision: str | None = None,
    local_files_only: bool = False,
) -> TopDownKeypoints:
    """Load a keypoint detector.

    Args:
        context: the run's context.
        model: the hub's id of a ViTPose or ViTPose+, or a folder with one.
        dtype: number type of the computation, ``float32``, ``float16`` or ``bfloat16``.
        revision: a branch, tag or commit of the model on the hub.
        local_files_only: do not contact the hub.

    Raises:
        InputError: a wrong option, no such device, a model that cannot be loaded, or one without
            COCO's 17 keypoints.
        MissingDependencyError: transformers or one of its requirements is not installed.
    """
    source = Source(model, _PURPOSE, _CLASSES, revision, local_files_only)
    loaded = LoadedModel(source, context, dtype)
    if (count := loaded.network.config.num_labels) != _COUNT:
        raise InputError(
            f"the model '{model}' has {count} keypoints",
            where=_PURPOSE,
            expected=f"COCO's {_COUNT} keypoints",
            fix="choose a model for COCO, for example usyd-community/vitpose-plus-base",
        )
    return TopDownKeypoints(loaded)


class Crops(NamedTuple):
    """People as the model gets them.

    Attributes:
        places: (picture, person) of each crop.
        boxes: the boxes of each picture, left, top, width, height.
        inputs: the model's inputs.
    """

    places: list[tuple[int, int]]
    boxes: list[list[list[float]]]
    inputs: dict[str, torch.Tensor]


class TopDownKeypoints:
    """Finds the keypoints of people, each in a crop around the box; see `make_keypoints`."""

    def __init__(self, loaded: LoadedModel) -> None:
        self.loaded = loaded
        self._experts = getattr(loaded.network.config.backbone_config, "num_experts", 1)

    @property
    def description(self) -> str:
        """The model, its settings and the library's version."""
        return describe(self.loaded.description)

    def prepare(self, pictures: Sequence[Picture], people: Sequence[Sequence[Detection]]) -> Crops:
        """Return the crops of all people whose box has an area; for any thread."""
        asked = [
            (i, [j for j, person in enumerate(group) if _has_area(person.box)])
            for i, group in enumerate(people)
        ]
        asked = [(i, those) for i, those in asked if those]
        boxes = [[_to_xywh(people[i][j].box) for j in those] for i, those in asked]
        cut = [pictures[i] for i, _ in asked]
        inputs = self.loaded.prepare(cut, boxes=boxes) if boxes else {}
        return Crops([(i, j) for i, those in asked for j in those], boxes, inputs)

    def detect(
        self,
        pictures: Sequence[Picture],
        people: Sequence[Sequence[Detection]],
        prepared: Crops | None = None,
    ) -> list[Float32]:
        """Return keypoints (P, 17, 3), x, y and confidence, of each picture's people.

        People whose box has no area, and keypoints without confidence, get zeros. NaN from the
        model is returned unchanged.

        Args:
            pictures: the pictures.
            people: the people in each of them.
            prepared: what `prepare` has returned for these people.

        Raises:
            OutOfDeviceMemoryError: too many people for the device.
        """
        found = [np.zeros((len(group), _COUNT, 3), np.float32) for group in people]
        crops = self.prepare(pictures, people) if prepared is None else prepared
        for (i, j), points in zip(crops.places, self._keypoints(crops), strict=True):
            found[i][j] = points
        return found

    def _keypoints(self, crops: Crops) -> list[Float32]:
        """Return keypoints (17, 3) of each crop."""
        if not crops.places:
            return []
        with self.loaded.running():
            output = self.loaded.forward(crops.inputs, **self._expert(len(crops.places)))
            heatmaps = output.heatmaps.float().cpu()
        with np.errstate(invalid="ignore"):
            results = self.loaded.processor.post_process_pose_estimation(
                SimpleNamespace(heatmaps=heatmaps), boxes=crops.boxes
            )
        return [_points(person) for picture in results for person in picture]

    def _expert(self, count: int) -> dict[str, Any]:
        """Return the argument that selects COCO's expert, for a model with several."""
        import torch

        if self._experts < 2:
            return {}
        index = torch.full((count,), _COCO_EXPERT, device=self.loaded.device)
        return {"dataset_index": index}


def _has_area(box: Float32) -> bool:
    return bool(box[2] > box[0] and box[3] > box[1])


def _to_xywh(box: Float32) -> list[float]:
    left, top, right, bottom = (float(edge) for edge in box)
    return [left, top, right - left, bottom - top]


def _points(person: dict[str, Any]) -> Float32:
    """Return a person's keypoints (17, 3)."""
    scores = np.asarray(person["scores"], np.float32).clip(max=1)[:, None]
    points = np.concatenate([np.asarray(person["keypoints"], np.float32), scores], axis=1)
    points[scores[:, 0] <= 0] = 0
    return points
