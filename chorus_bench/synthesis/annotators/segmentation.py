"""Instance segmentation with a fixed list of names, by Mask2Former or MaskFormer."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from chorus_bench.errors import InputError, did_you_mean
from chorus_bench.geometry.boxes import mask_box
from chorus_bench.synthesis.annotators.transformers_models import (
    LoadedModel,
    Source,
    check_threshold,
    describe,
    map_by_size,
)
from chorus_bench.synthesis.batching import group_by_size
from chorus_bench.synthesis.interfaces import Context, Detection, Picture

if TYPE_CHECKING:
    import torch

_PURPOSE = "the segmenter 'transformers'"
_CLASSES = {
    "mask2former": "Mask2FormerForUniversalSegmentation",
    "maskformer": "MaskFormerForInstanceSegmentation",
}

#: COCO's names for those in the list of many converted models, including the default one
#: (``coco-detection-mmdet-id2label.json``).
_SAME = {
    "aeroplane": "airplane",
    "diningtable": "dining table",
    "motorbike": "motorcycle",
    "pottedplant": "potted plant",
    "sofa": "couch",
    "tvmonitor": "tv",
}


def make_segmentation(
    context: Context,
    *,
    model: str = "facebook/mask2former-swin-small-coco-instance",
    threshold: float = 0.8,
    dtype: str = "float32",
    revision: str | None = None,
    local_files_only: bool = False,
) -> InstanceSegmenter:
    """Load an instance segmentation model.

    Args:
        context: the run's context.
        model: hub id or folder of a Mask2Former or MaskFormer.
        threshold: lowest score of a detection: the probability of its name times the mean
            probability of its mask's pixels.
        dtype: number type of the computation, ``float32``, ``float16`` or ``bfloat16``.
        revision: a branch, tag or commit of the model on the hub.
        local_files_only: do not contact the hub.

    Raises:
        InputError: a wrong option, no such device, or a model that cannot be loaded.
        MissingDependencyError: transformers or one of its requirements is not installed.
    """
    check_threshold(threshold, where=_PURPOSE)
    source = Source(model, _PURPOSE, _CLASSES, revision, local_files_only)
    return InstanceSegmenter(LoadedModel(source, context, dtype), threshold)


class InstanceSegmenter:
    """Finds instances with a model that has one mask and name per query; see `make_segmentation`.

    Masks are resized to the picture before they are thresholded at one half, as in the models'
    original code; transformers' own post-processing thresholds Mask2Former's at 384 x 384 pixels.
    """

    def __init__(self, loaded: LoadedModel, threshold: float) -> None:
        self.loaded = loaded
        self._threshold = threshold
        self._names: Mapping[int, str] = loaded.network.config.id2label
        self._labels = _label_index(self._names)

    @property
    def description(self) -> str:
        """The model, its settings and the library's version."""
        return describe(self.loaded.description, f"score >= {self._threshold:g}")

    def check_categories(self, categories: Sequence[str]) -> None:
        """Raise an `InputError` that names a category without a label in the model."""
        for category in categories:
            self._label(category)

    def prepare(self, pictures: Sequence[Picture]) -> list[dict[str, torch.Tensor]]:
        """Return the model's inputs for the pictures of each size; for any thread."""
        groups = group_by_size(pictures)
        return [self.loaded.prepare([pictures[n] for n in group]) for group in groups]

    def segment(
        self,
        pictures: Sequence[Picture],
        categories: Sequence[str],
        prepared: list[dict[str, torch.Tensor]] | None = None,
    ) -> list[list[Detection]]:
        """Return detections of the categories in each picture, in descending order of score.

        Args:
            pictures: the pictures.
            categories: names to look for.
            prepared: what `prepare` has returned for these pictures.

        Raises:
            InputError: a category without a label in the model.
            OutOfDeviceMemoryError: too many pictures for the device.
        """
        labels = [self._label(category) for category in categories]
        if not labels:
            return [[] for _ in pictures]
        inputs = iter(self.prepare(pictures) if prepared is None else prepared)
        return map_by_size(
            lambda group: self._segment(group, next(inputs), categories, labels), pictures
        )

    def _label(self, category: str) -> int:
        for name in (_plain(category), _plain(_coco_name(category))):
            if name in self._labels:
                return self._labels[name]
        raise InputError(
            f"the model has no category '{category}'",
            where=_PURPOSE,
            fix=f"{did_you_mean(category, set(self._names.values()))}. "
            "The segmenter 'open-vocabulary' accepts any name; give it as `object_segmenter`",
        )

    def _segment(
        self,
        pictures: list[Picture],
        inputs: dict[str, torch.Tensor],
        categories: Sequence[str],
        labels: Sequence[int],
    ) -> list[list[Detection]]:
        found = []
        with self.loaded.running():
            output = self.loaded.forward(inputs)
            for index, picture in enumerate(pictures):
                scores = output.class_queries_logits[index].float().softmax(-1)[:, list(labels)]
                masks = output.masks_queries_logits[index].float()
                found.append(_detections(scores, masks, picture.size, categories, self._threshold))
        return found


def _detections(
    scores: torch.Tensor,
    logits: torch.Tensor,
    size: tuple[int, int],
    categories: Sequence[str],
    threshold: float,
) -> list[Detection]:
    """Return one picture's detections from its queries.

    Args:
        scores: (Q, C) probabilities of the categories.
        logits: (Q, h, w) mask logits.
        size: height and width of the picture.
        categories: C names.
        threshold: lowest score; NaN counts as lower.
    """
    queries, columns = (scores >= threshold).nonzero(as_tuple=True)
    if not len(queries):
        return []
    masks, quality = _masks(logits[queries], size)
    total = scores[queries, columns] * quality
    kept = ((total >= threshold) & masks.flatten(1).any(1)).nonzero().flatten()
    kept = kept[total[kept].argsort(descending=True, stable=True)]
    arrays = masks[kept].cpu().numpy()
    found = zip(columns[kept].tolist(), total[kept].tolist(), arrays, strict=True)
    return [
        Detection(categories[column], np.array(mask_box(mask), np.float32), min(score, 1.0), mask)
        for column, score, mask in found
    ]


def _masks(logits: torch.Tensor, size: tuple[int, int]) -> tuple[torch.Tensor, torch.Tensor]:
    """Return masks (K, H, W) and the mean probability of each one's pixels (K,)."""
    from torch.nn.functional import interpolate

    logits = interpolate(logits[None], size, mode="bilinear", align_corners=False)[0]
    masks = logits > 0
    inside = (logits.sigmoid() * masks).flatten(1).sum(1)
    return masks, inside / masks.flatten(1).sum(1).clamp(min=1)


def _plain(name: str) -> str:
    """Return a name without the differences of spelling: case, spaces, underscores, hyphens."""
    return re.sub(r"[\s_-]+", "", name).lower()


def _coco_name(name: str) -> str:
    return _SAME.get(_plain(name), name)


def _label_index(names: Mapping[int, str]) -> dict[str, int]:
    """Return the label of each plain name; COCO's names are added if the list has others."""
    index: dict[str, int] = {}
    for spelling in (_plain, lambda name: _plain(_coco_name(name))):
        for label, name in names.items():
            index.setdefault(spelling(name), int(label))
    return index
