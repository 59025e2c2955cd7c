"""Annotators based on Ultralytics' YOLO: instance segmentation, also of any name, and keypoints.

Pictures are processed one at a time: Ultralytics pads a picture according to the rest of its
batch, so a person's mask would depend on the other pictures.

The user brings the weights. Files ending in .pt are pickles and need ``trust_pickle=True``; the
same model exported by ``YOLO(file).export(format="torchscript")`` (or ``"onnx"``) does not.
Code and weights are under the AGPL-3.0 or Ultralytics' commercial license.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chorus_bench.engines.threads import torch_threads
from chorus_bench.errors import InputError, unknown_name
from chorus_bench.geometry.boxes import intersection_over_union
from chorus_bench.option_types import InputFile
from chorus_bench.synthesis.annotators.local_files import file_version
from chorus_bench.synthesis.annotators.matching import boxes_of, match_one_to_one
from chorus_bench.synthesis.annotators.yolo_models import import_ultralytics, load_yolo
from chorus_bench.synthesis.annotators.yolo_words import Vocabulary, learn_words
from chorus_bench.synthesis.batching import device_memory
from chorus_bench.synthesis.interfaces import Context, Detection, Float32, Picture

KEYPOINTS = 17
#: Largest number of detections per picture, as Ultralytics has it by default.
_MOST = 300
#: Largest number of names that an error lists in full.
_FEW = 100
#: A picture that is processed before the first one.
_BLACK: NDArray[np.uint8] = np.zeros((32, 32, 3), dtype=np.uint8)


def make_yolo_segmenter(
    context: Context,
    *,
    model: str,
    threshold: float = 0.8,
    image_size: int = 640,
    trust_pickle: bool = False,
    allow_downloads: bool = False,
) -> YoloSegmenter:
    """Return the segmenter of a YOLO model with a fixed list of names.

    Args:
        context: the run's context.
        model: the model file, for example yolo11x-seg.torchscript.
        threshold: smallest score of a detection.
        image_size: longer side of the model's input, pixels.
        trust_pickle: read .pt files, which can execute any code.
        allow_downloads: let Ultralytics use the network, and fetch a ``model`` that it knows by
            name.

    Raises:
        InputError: no such file, not a segmentation model, or a pickle that is not trusted.
        MissingDependencyError: ultralytics is missing.
    """
    yolo = load_yolo(
        model,
        "segment",
        context.device,
        trust_pickle=trust_pickle,
        allow_downloads=allow_downloads,
    )
    eye = _Eye(yolo, context.device, threshold, image_size)
    return YoloSegmenter(eye, f"{_describe(model)}, score >= {threshold}, {image_size} pixels")


def make_yolo_open_segmenter(
    context: Context,
    *,
    model: str,
    text_encoder: InputFile | None = None,
    embeddings: InputFile | None = None,
    threshold: float = 0.3,
    image_size: int = 640,
    trust_pickle: bool = False,
    allow_downloads: bool = False,
) -> YoloSegmenter:
    """Return the segmenter of a YOLOE model, which finds objects by their names.

    The meaning of the names comes from one of

    * ``text_encoder``: MobileCLIP as Ultralytics would download it; the package ``clip`` (``pip
      install clip-anytorch 'setuptools<81'``) tokenises the names;
    * ``embeddings``: an .npz that ``YOLOE.save_prompt_embeddings`` wrote once for your names;
    * the model itself: a prompt-free one (yoloe-*-pf), which knows 4,585 names, or one that was
      exported after ``set_classes``.

    Args:
        context: the run's context.
        model: the model file, for example yoloe-11l-seg.pt.
        text_encoder: mobileclip_blt.ts or mobileclip2_b.ts, whichever the model was trained with.
        embeddings: the .npz.
        threshold: smallest score of a detection.
        image_size: longer side of the model's input, pixels.
        trust_pickle: read .pt files, which can execute any code.
        allow_downloads: let Ultralytics use the network.

    Raises:
        InputError: no such file, not a segmentation model, a pickle that is not trusted, or no
            package `clip` for a text encoder.
        MissingDependencyError: ultralytics is missing.
    """
    yolo = load_yolo(
        model,
        "segment",
        context.device,
        open_vocabulary=True,
        trust_pickle=trust_pickle,
        allow_downloads=allow_downloads,
    )
    learn = learn_words(yolo, model, context.device, text_encoder, embeddings)
    words = text_encoder or embeddings
    name = f"{_describe(model)}{f', {file_version(Path(words))}' if words else ''}"
    eye = _Eye(yolo, context.device, threshold, image_size)
    return YoloSegmenter(eye, f"{name}, score >= {threshold}, {image_size} pixels", learn)


def make_yolo_keypoints(
    context: Context,
    *,
    model: str,
    threshold: float = 0.25,
    image_size: int = 640,
    min_overlap: float = 0.5,
    trust_pickle: bool = False,
    allow_downloads: bool = False,
) -> YoloKeypoints:
    """Return the keypoint detector of a YOLO pose model.

    The model detects people itself; they are assigned to the segmenter's, one to one, by the
    overlap of their boxes.

    Args:
        context: the run's context.
        model: the model file, for example yolo11x-pose.torchscript.
        threshold: smallest score of a person.
        image_size: longer side of the model's input, pixels.
        min_overlap: smallest IoU of a detected person's box with the segmenter's.
        trust_pickle: read .pt files, which can execute any code.
        allow_downloads: let Ultralytics use the network.

    Raises:
        InputError: no such file, not a pose model, or a pickle that is not trusted.
        MissingDependencyError: ultralytics is missing.
    """
    yolo = load_yolo(
        model,
        "pose",
        context.device,
        trust_pickle=trust_pickle,
        allow_downloads=allow_downloads,
    )
    eye = _Eye(yolo, context.device, threshold, image_size)
    name = (
        f"{_describe(model)}, score >= {threshold}, {image_size} pixels, overlap >= {min_overlap}"
    )
    return YoloKeypoints(eye, name, min_overlap)


class _Eye:
    """A model with its settings."""

    def __init__(self, yolo: Any, device: str, threshold: float, image_size: int) -> None:  # noqa: ANN401 - an ultralytics model
        self.yolo = yolo
        self._predictor: Any = None
        self._settings = {
            "conf": threshold,
            "imgsz": image_size,
            "device": device,
            "max_det": _MOST,
            "retina_masks": True,  # masks at the picture's size, not at that of the model's input
            "verbose": False,
            "save": False,
        }

    @property
    def numbers(self) -> dict[str, int]:
        """The number of each name in lower case; the first one for duplicate names."""
        pairs = reversed(list(dict(self.yolo.names).items()))
        return {str(name).lower(): int(number) for number, name in pairs}

    def look(self, picture: Picture, classes: Sequence[int] | None = None) -> Any:  # noqa: ANN401 - ultralytics' results
        """Return the detections in a picture, restricted to some classes if these are given."""
        if self._predictor is None or self._predictor is not self.yolo.predictor:
            # Setting up for a device changes torch's number of threads, and with it the results.
            self._predict(_BLACK, None)
            self._predictor = self.yolo.predictor
        blue_first = np.ascontiguousarray(picture.pixels[..., ::-1])
        return self._predict(blue_first, None if classes is None else list(classes))

    def _predict(self, pixels: NDArray[np.uint8], classes: list[int] | None) -> Any:  # noqa: ANN401 - ultralytics' results
        with torch_threads(), device_memory():
            (result,) = self.yolo.predict(pixels, classes=classes, **self._settings)
        return result


class YoloSegmenter:
    """A `chorus_bench.synthesis.interfaces.Segmenter`."""

    def __init__(self, eye: _Eye, description: str, learn: Vocabulary | None = None) -> None:
        self._eye, self._description, self._learn = eye, description, learn

    @property
    def description(self) -> str:
        """The model and its settings."""
        return self._description

    def check_categories(self, categories: Sequence[str]) -> None:
        """Raise an `InputError` that names a category unknown to this segmenter."""
        if self._learn is not None:
            return
        known = self._eye.numbers
        for category in categories:
            if category.lower() not in known:
                raise _unknown(category, known, self._description)

    def segment(
        self, pictures: Sequence[Picture], categories: Sequence[str]
    ) -> list[list[Detection]]:
        """Return detections of the categories in each picture.

        Raises:
            InputError: a category that the model does not know.
            OutOfDeviceMemoryError: the picture is too large for the device.
        """
        if self._learn is not None and categories:
            self._learn(categories)
        self.check_categories(categories)
        numbers = self._eye.numbers
        wanted = {numbers[category.lower()]: category for category in categories}
        if not wanted:
            return [[] for _ in pictures]
        return [_detections(self._eye.look(picture, list(wanted)), wanted) for picture in pictures]


class YoloKeypoints:
    """A `chorus_bench.synthesis.interfaces.KeypointDetector`."""

    def __init__(self, eye: _Eye, description: str, min_overlap: float) -> None:
        self._eye, self._description, self._min_overlap = eye, description, min_overlap

    @property
    def description(self) -> str:
        """The model and its settings."""
        return self._description

    def detect(
        self, pictures: Sequence[Picture], people: Sequence[Sequence[Detection]]
    ) -> list[Float32]:
        """Return keypoints (P, 17, 3) of each picture's people; zeros for people without any.

        Raises:
            InputError: the model's keypoints are not COCO's 17.
            OutOfDeviceMemoryError: the picture is too large for the device.
        """
        pairs = zip(pictures, people, strict=True)
        return [self._keypoints(picture, persons) for picture, persons in pairs]

    def _keypoints(self, picture: Picture, persons: Sequence[Detection]) -> Float32:
        keypoints = np.zeros((len(persons), KEYPOINTS, 3), dtype=np.float32)
        if not persons:
            return keypoints
        boxes, found = self._found(picture)
        overlaps = intersection_over_union(boxes_of(persons), boxes)
        for person, match in enumerate(match_one_to_one(overlaps, self._min_overlap)):
            if match is not None:
                keypoints[person] = found[match]
        return keypoints

    def _found(self, picture: Picture) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return boxes (F, 4) and keypoints (F, 17, 3) of the people whom the model detects."""
        result = self._eye.look(picture)
        found = _array(result.keypoints.data)
        if len(found) and found.shape[1:] != (KEYPOINTS, 3):
            raise InputError(
                f"the model's keypoints are of shape {found.shape[1:]}",
                where=self._description,
                expected=f"COCO's {KEYPOINTS}, each x, y and confidence",
                fix="choose one of Ultralytics' yolo*-pose models",
            )
        return _array(result.boxes.xyxy), found


def _unknown(category: str, known: Iterable[str], where: str) -> InputError:
    """Return the error for a category; of thousands of names it lists only similar ones."""
    names = list(known)
    if len(names) > _FEW:
        names = difflib.get_close_matches(category.lower(), names, n=5, cutoff=0.5)
    error = unknown_name("category", category, names, where=where)
    known_to = "a name that the model knows; a YOLOE with a `text_encoder` knows any name"
    return InputError(error.found, where=error.where, expected=known_to, fix=error.fix)


def _detections(result: Any, wanted: dict[int, str]) -> list[Detection]:  # noqa: ANN401 - ultralytics' results
    if result.masks is None:
        return []
    boxes, scores = _array(result.boxes.xyxy), _array(result.boxes.conf)
    classes, masks = _array(result.boxes.cls), _array(result.masks.data)
    return [
        Detection(wanted[int(number)], box.astype(np.float32), float(score), mask > 0.5)
        for number, box, score, mask in zip(classes, boxes, scores, masks, strict=True)
        if int(number) in wanted
    ]


def _array(tensor: Any) -> NDArray[Any]:  # noqa: ANN401 - a tensor
    array: NDArray[Any] = tensor.detach().cpu().numpy()
    return array


def _describe(model: str) -> str:
    version = getattr(import_ultralytics(), "__version__", "")
    path = Path(model)
    return f"ultralytics {version}, {file_version(path) if path.is_file() else path.name}"
