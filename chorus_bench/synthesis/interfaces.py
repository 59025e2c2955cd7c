"""Small interfaces to models: generators and three kinds of annotators.

An implementation is found by name (`chorus_bench.synthesis.registry`) and made by a function
``factory(context, **options)``; the options come from the configuration, the context from the
run. The caller checks the results of an implementation (`chorus_bench.synthesis.checks`), so
implementations need not.

Pictures are RGB, boxes xyxy in pixels, poses axis-angle in radians of a body in SMPL's format,
lengths metres.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from chorus_bench.errors import ChorusBenchError
from chorus_bench.seeds import address_seed

if TYPE_CHECKING:
    from chorus_bench.geometry.camera import PerspectiveCamera
from chorus_bench.geometry.body import BodyModel

UInt8 = NDArray[np.uint8]
Bool = NDArray[np.bool_]
Float32 = NDArray[np.float32]

PERSON = "person"


class OutOfDeviceMemoryError(ChorusBenchError):
    """A device has not enough memory for a batch of this size (exit code 1).

    Implementations raise it instead of their library's own error; the caller then retries with
    half the batch (`chorus_bench.synthesis.batching`).
    """


@dataclass(frozen=True)
class Address:
    """The identity of an image: everything about it follows from this and the run's seed.

    Attributes:
        category: category of the object.
        prompt: the sentence, without the words of the view.
        view: the name of the view condition.
        index: its number under this category, prompt and view.
    """

    category: str
    prompt: str
    view: str
    index: int

    def seed(self, run_seed: int, attempt: int = 0) -> int:
        """Return the image's own seed, 63 bits, the same on every machine.

        Args:
            run_seed: random seed of the whole dataset.
            attempt: 0, or how often the image has been remade.
        """
        again = ("again", attempt) if attempt else ()
        return address_seed(
            "image", run_seed, self.category, self.prompt, self.view, self.index, *again
        )


@dataclass(frozen=True)
class Context:
    """Properties of a run that an implementation may need.

    Attributes:
        seed: random seed of the whole dataset.
        body: the body of poses and shapes.
        device: ``cpu``, ``cuda``, ``cuda:1``, ``mps``, ...
        threads: processor threads, for libraries that can be told; results may depend on it.
        categories: categories of the dataset.
        image_options: the options of the image generator.
    """

    seed: int
    body: BodyModel
    device: str = "cpu"
    threads: int = 1
    categories: tuple[str, ...] = ()
    image_options: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class ImageRequest:
    """One image to be made.

    Attributes:
        address: its identity.
        text: the prompt with the words of the view.
        seed: its own seed.
    """

    address: Address
    text: str
    seed: int


class ImageGenerator(Protocol):
    """Makes images from texts.

    It may have a method ``batch_that_fits()``, the number of images at a time that suits the
    device, for ``images.batch: auto``.
    """

    @property
    def description(self) -> str:
        """The model and everything that determines its pixels; stored in the rows."""

    def generate(self, requests: Sequence[ImageRequest]) -> list[UInt8]:
        """Make one batch of images, each (H, W, 3) RGB.

        An image that cannot be shown (not finite, refused by a safety checker) is returned
        black.

        Raises:
            OutOfDeviceMemoryError: the batch is too large for the device.
        """


@dataclass(frozen=True, eq=False)
class Picture:
    """An image to be annotated.

    Attributes:
        sample_id: its name in messages and files.
        address: its address, or None for an image from elsewhere.
        pixels: (H, W, 3) RGB.
        file_name: the name of its file, without suffix, if it came from one.
    """

    sample_id: str
    address: Address | None
    pixels: UInt8
    file_name: str | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.pixels.shape[0], self.pixels.shape[1]


@dataclass(frozen=True, eq=False)
class Detection:
    """A person or an object that a segmenter found.

    Attributes:
        category: ``person`` or the object's name.
        box: (4,) left, top, right, bottom.
        score: 0 to 1.
        mask: (H, W), the visible pixels.
    """

    category: str
    box: Float32
    score: float
    mask: Bool


@dataclass(frozen=True, eq=False)
class WeakCamera:
    """A weak-perspective camera of a crop; ``x_crop = (s X + (tx, ty)) 112``, 224 pixels wide.

    Attributes:
        camera: (3,) s, tx, ty.
        center: (2,) centre of the crop, pixels.
        scale: side of the crop, in units of 200 pixels.
    """

    camera: Float32
    center: Float32
    scale: float


@dataclass(frozen=True, eq=False)
class BodyFit:
    """A person's pose as estimated.

    Attributes:
        pose: (72,) global orientation first.
        betas: (10,).
        camera: of a crop, or from the person's body frame (no global orientation) to pixels.
    """

    pose: Float32
    betas: Float32
    camera: WeakCamera | PerspectiveCamera


class Segmenter(Protocol):
    """Finds people and objects with their masks.

    One that prepares pictures on the processor may have a method ``prepare(pictures)`` and a
    keyword ``prepared`` of `segment`, which then gets what the method has returned for the same
    pictures. It is called ahead, from several threads at once, and must not use the device.
    """

    @property
    def description(self) -> str:
        """The model and its settings; shown in the dataset's card."""

    def check_categories(self, categories: Sequence[str]) -> None:
        """Raise an `InputError` that names a category unknown to this segmenter."""

    def segment(
        self, pictures: Sequence[Picture], categories: Sequence[str]
    ) -> list[list[Detection]]:
        """Return detections of the categories (``person`` may be one) in each picture."""


class KeypointDetector(Protocol):
    """Finds COCO's 17 keypoints of people.

    It may have ``prepare(pictures, people)`` and ``prepared``, as a `Segmenter` may.
    """

    @property
    def description(self) -> str:
        """The model and its settings; shown in the dataset's card."""

    def detect(
        self, pictures: Sequence[Picture], people: Sequence[Sequence[Detection]]
    ) -> list[Float32]:
        """Return keypoints (P, 17, 3), x, y in pixels and confidence, of each picture's people.

        People without detected keypoints get zeros.
        """


class PoseEstimator(Protocol):
    """Finds the poses of people."""

    @property
    def description(self) -> str:
        """The model and its settings; shown in the dataset's card."""

    def estimate(
        self, pictures: Sequence[Picture], people: Sequence[Sequence[Detection]]
    ) -> list[list[BodyFit | None]]:
        """Return the fits of each picture's people; None for people without one."""
