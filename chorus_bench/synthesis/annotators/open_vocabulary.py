"""Instance segmentation of any name: a zero-shot detector finds boxes, SAM their masks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from chorus_bench.errors import InputError
from chorus_bench.synthesis.annotators.transformers_models import (
    LoadedModel,
    Source,
    check_threshold,
    describe,
    map_by_size,
)
from chorus_bench.synthesis.interfaces import Context, Detection, Picture

if TYPE_CHECKING:
    import torch

_PURPOSE = "the segmenter 'open-vocabulary'"
_DETECTORS = {
    "grounding-dino": "GroundingDinoForObjectDetection",
    "owlv2": "Owlv2ForObjectDetection",
}
_MASKS = {"sam": "SamModel"}


def make_open_vocabulary(
    context: Context,
    *,
    detector: str = "IDEA-Research/grounding-dino-base",
    masks: str = "facebook/sam-vit-base",
    threshold: float = 0.35,
    dtype: str = "float32",
    revision: str | None = None,
    masks_revision: str | None = None,
    local_files_only: bool = False,
) -> OpenVocabularySegmenter:
    """Load a zero-shot detector and a Segment Anything model.

    Args:
        context: the run's context.
        detector: hub id or folder of a Grounding DINO or an OWLv2. Scores of OWLv2 are lower; 0.1
            to 0.2 is a usual threshold for it.
        masks: hub id or folder of a SAM.
        threshold: lowest score of a box; for Grounding DINO, the mean over the words of a
            category.
        dtype: number type of the computation, ``float32``, ``float16`` or ``bfloat16``.
        revision: a branch, tag or commit of the detector on the hub.
        masks_revision: revision of the SAM.
        local_files_only: do not contact the hub.

    Raises:
        InputError: a wrong option, no such device, or a model cannot be loaded.
        MissingDependencyError: transformers or one of its requirements is not installed.
    """
    check_threshold(threshold, where=_PURPOSE)
    finder = Source(detector, f"{_PURPOSE}, detector", _DETECTORS, revision, local_files_only)
    cutter = Source(masks, f"{_PURPOSE}, masks", _MASKS, masks_revision, local_files_only)
    return OpenVocabularySegmenter(
        LoadedModel(finder, context, dtype, text=True),
        LoadedModel(cutter, context, dtype),
        threshold,
    )


class OpenVocabularySegmenter:
    """Finds instances of any name; see `make_open_vocabulary`.

    A detection's box and score are the detector's; its mask is SAM's for that box and may extend
    beyond it.
    """

    def __init__(self, detector: LoadedModel, masks: LoadedModel, threshold: float) -> None:
        self.detector, self.masks = detector, masks
        self._threshold = threshold

    @property
    def description(self) -> str:
        """The models, their settings and the library's version."""
        return describe(
            self.detector.description, f"score >= {self._threshold:g}", self.masks.description
        )

    def check_categories(self, categories: Sequence[str]) -> None:
        """Raise an `InputError` for a name without a letter; any other is accepted."""
        for category in categories:
            if not any(letter.isalpha() for letter in category):
                raise InputError(
                    f"the category '{category}' has no letters",
                    where=_PURPOSE,
                    expected="a word or a few, as in a dictionary",
                )

    def segment(
        self, pictures: Sequence[Picture], categories: Sequence[str]
    ) -> list[list[Detection]]:
        """Return detections of the categories in each picture, in descending order of score.

        Raises:
            InputError: a category without a letter.
            OutOfDeviceMemoryError: too many pictures for the device.
        """
        self.check_categories(categories)
        if not categories:
            return [[] for _ in pictures]
        return map_by_size(lambda group: self._segment(group, list(categories)), pictures)

    def _segment(self, pictures: list[Picture], categories: list[str]) -> list[list[Detection]]:
        found = []
        with self.detector.running():
            scores, boxes = self._detect(pictures, categories)
        for index, picture in enumerate(pictures):
            best, columns = scores[index].max(-1)
            kept = (best >= self._threshold) & _has_area(boxes[index])
            kept = kept.nonzero().flatten()
            kept = kept[best[kept].argsort(descending=True, stable=True)]
            names = [categories[column] for column in columns[kept].tolist()]
            found.append(self._cut(picture, names, best[kept].tolist(), boxes[index][kept]))
        return found

    def _detect(
        self, pictures: list[Picture], categories: list[str]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return scores (B, Q, C) and boxes (B, Q, 4), in pixels, clipped to the pictures."""
        height, width = pictures[0].size
        inputs = self.detector.prepare(pictures)
        if self.detector.kind == "owlv2":
            output, scores = _ask_owl(self.detector, inputs, categories)
            width_of_one = height_of_one = max(height, width)
        else:
            output, scores = _ask_grounding_dino(self.detector, inputs, categories)
            width_of_one, height_of_one = width, height
        x, y, w, h = output.pred_boxes.float().unbind(-1)
        horizontal = [(x - w / 2) * width_of_one, (x + w / 2) * width_of_one]
        vertical = [(y - h / 2) * height_of_one, (y + h / 2) * height_of_one]
        left, right = (edge.clamp(0, width) for edge in horizontal)
        top, bottom = (edge.clamp(0, height) for edge in vertical)
        return scores.cpu(), _stack(left, top, right, bottom).cpu()

    def _cut(
        self, picture: Picture, names: list[str], scores: list[float], boxes: torch.Tensor
    ) -> list[Detection]:
        if not names:
            return []
        with self.masks.running():
            masks = _masks_of_boxes(self.masks, picture, boxes)
        found = zip(names, boxes.numpy(), scores, masks, strict=True)
        return [Detection(name, box, score, mask) for name, box, score, mask in found if mask.any()]


def _stack(*edges: torch.Tensor) -> torch.Tensor:
    import torch

    return torch.stack(edges, dim=-1)


def _has_area(boxes: torch.Tensor) -> torch.Tensor:
    return (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])


def _ask_grounding_dino(
    detector: LoadedModel, inputs: dict[str, torch.Tensor], categories: list[str]
) -> tuple[Any, torch.Tensor]:
    """Return the model's output and scores (B, Q, C): the mean over each category's tokens."""
    names = [re.sub(r"[.?\s_]+", " ", category).strip().lower() for category in categories]
    words = detector.tokenizer(
        [". ".join(names) + "."] * len(inputs["pixel_values"]),
        return_tensors="pt",
        return_token_type_ids=True,
    )
    tokens = _tokens_of_names(words["input_ids"][0].tolist(), detector.tokenizer)
    output = detector.forward({**inputs, **words})
    probabilities = output.logits.float().sigmoid()
    return output, _stack(*(probabilities[..., group].mean(-1) for group in tokens))


def _tokens_of_names(ids: list[int], tokenizer: Any) -> list[list[int]]:  # noqa: ANN401 - of any class
    """Return the positions of each name's tokens; a full stop ends a name."""
    stop = tokenizer.convert_tokens_to_ids(".")
    groups: list[list[int]] = [[]]
    for place, token in enumerate(ids):
        if token == stop:
            groups.append([])
        elif token not in (tokenizer.cls_token_id, tokenizer.sep_token_id):
            groups[-1].append(place)
    return groups[:-1]


def _ask_owl(
    detector: LoadedModel, inputs: dict[str, torch.Tensor], categories: list[str]
) -> tuple[Any, torch.Tensor]:
    """Return the model's output and scores (B, Q, C)."""
    names = [re.sub(r"[\s_]+", " ", category).strip().lower() for category in categories]
    texts = [f"a photo of a {name}" for name in names] * len(inputs["pixel_values"])
    words = detector.tokenizer(
        texts, padding="max_length", truncation=True, max_length=16, return_tensors="pt"
    )
    output = detector.forward({**inputs, **words})
    return output, output.logits.float().sigmoid()


def _masks_of_boxes(
    sam: LoadedModel, picture: Picture, boxes: torch.Tensor
) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Return SAM's masks (N, H, W) for boxes (N, 4)."""
    inputs = sam.prepare([picture])
    original, resized = inputs.pop("original_sizes"), inputs.pop("reshaped_input_sizes")
    scale = (resized / original)[0].flip(0).repeat(2)
    output = sam.forward({**inputs, "input_boxes": (boxes * scale)[None]}, multimask_output=False)
    logits = [output.pred_masks[0].float()]
    masks = sam.processor.post_process_masks(logits, original, resized)[0]
    return np.asarray(masks[:, 0].cpu().numpy())
