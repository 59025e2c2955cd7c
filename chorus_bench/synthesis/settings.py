"""Settings of a synthesis: one value, stored as YAML, checked before anything runs.

They contain only what determines the rows. Where and how fast these are made (workers, device,
batches of annotators) is chosen for each run.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import (
    AfterValidator,
    Field,
    PlainSerializer,
    PlainValidator,
    WithJsonSchema,
    model_validator,
)

from chorus_bench.calibration.settings import SYNTHESIZED, CalibrationSettings
from chorus_bench.datasets.coco_eft.points import PointSet, point_set
from chorus_bench.errors import InputError, list_some, unknown_name
from chorus_bench.geometry.body import BodyModel
from chorus_bench.io.documents import Document, KeyPath, Lines, label
from chorus_bench.io.findings import shown
from chorus_bench.io.schemas import Line, Schema, loaded, parse, read_document, rule
from chorus_bench.names import MAX_CATEGORY_LENGTH
from chorus_bench.synthesis.batch_sizes import Batch, Positive
from chorus_bench.synthesis.filters import FilterSettings
from chorus_bench.synthesis.non_maximum_suppression import MIN_OVERLAP, SURE_SCORE

SHIPPED, CHAT = "shipped", "chat"

_NAME = "name"
_COMPONENT = "a name, or a table with 'name' and options"

Share = Annotated[float, Field(ge=0, le=1)]
Category = Annotated[Line, Field(max_length=MAX_CATEGORY_LENGTH)]
#: One number for all categories, or one for each.
Numbers = Annotated[
    Positive | dict[Category, Positive],
    Field(description="a whole number, 1 or more, or such a number for each category"),
]


@dataclass(frozen=True)
class Component:
    """A generator or an annotator with its options.

    Attributes:
        name: its registered name.
        options: options of its factory.
    """

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def parse(cls, value: object) -> Component:
        """Read a name, or a mapping with ``name`` and options."""
        if isinstance(value, Component):
            return value
        if isinstance(value, str):
            return cls(value)
        if isinstance(value, Mapping) and isinstance(value.get(_NAME), str):
            return cls(value[_NAME], {k: v for k, v in value.items() if k != _NAME})
        raise rule(f"is {shown(value)}", _COMPONENT)

    def to_yaml(self) -> Any:  # noqa: ANN401 - text or mapping
        """Return what `parse` reads."""
        return {_NAME: self.name, **self.options} if self.options else self.name


Made = Annotated[
    Component,
    PlainValidator(Component.parse),
    PlainSerializer(Component.to_yaml),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string"},
                {
                    "type": "object",
                    "properties": {_NAME: {"type": "string"}},
                    "required": [_NAME],
                    "additionalProperties": True,
                },
            ],
            "description": _COMPONENT,
        }
    ),
]


class PromptSettings(Schema):
    """Stage 1.

    Attributes:
        source: ``shipped``, ``chat`` (a language model), or a folder or file of prompts.
        count: prompts per category, from a language model; by default drawn from 3 to 20.
        attempts: largest number of attempts.
        temperature: sampling temperature.
        model: its name at the endpoint; by default from the environment.
        base_url: the endpoint; by default from the environment.
        send_seed: whether questions carry a seed.
        max_tokens: limit of an answer.
    """

    source: str = SHIPPED
    count: int | None = None
    attempts: int = 5
    temperature: float = 1.0
    model: str | None = None
    base_url: str | None = None
    send_seed: bool = True
    max_tokens: int | None = None


class ImageSettings(Schema):
    """Stages 2 and 3.

    Attributes:
        per_prompt_view: number of images for each prompt and view: one for all categories, or
            category -> number.
        per_category: number of images of a category in all, spread evenly over its prompts and
            views: one for all, or category -> number. With it, ``per_prompt_view`` does not count.
        views: a YAML file of view conditions; by default the 22 of the package.
        generator: the image generator.
        layout: ``fixed`` (an image's batch, and thus its bytes, follow from its address) or
            ``free`` (batches as they come; on most devices the last bits differ).
        batch: number of images at a time; part of a fixed layout. With a free one it may be
            ``auto``: by the free memory of the device.
        format: ``jpeg`` or ``png``.
        quality: JPEG quality, 1 to 100.
    """

    per_prompt_view: Numbers = 1
    per_category: Numbers | None = None
    views: str | None = None
    generator: Made = Component("diffusers", {"model": "CompVis/stable-diffusion-v1-4"})
    layout: Literal["fixed", "free"] = "fixed"
    batch: Batch = 1
    format: Literal["jpeg", "png"] = "jpeg"
    quality: int = Field(95, ge=1, le=100)

    def total_of(self, category: str, *, prompts: int, views: int) -> int:
        """Return the number of images of a category with so many prompts and views.

        Raises:
            InputError: no number is set for it.
        """
        if self.per_category is not None:
            return _number_for(category, self.per_category, "images.per_category")
        each = _number_for(category, self.per_prompt_view, "images.per_prompt_view")
        return each * prompts * views


def _number_for(category: str, numbers: int | Mapping[str, int], name: str) -> int:
    if isinstance(numbers, int):
        return numbers
    if category not in numbers:
        raise InputError(
            f"no number of images for the category '{category}'",
            where=name,
            expected=f"a number, or one for each category ({list_some(list(numbers))})",
            fix=f"--set '{name}={{{category}: 100}}', or --images-per-prompt-view N for all",
        )
    return numbers[category]


class AnnotationSettings(Schema):
    """Stage 4.

    Attributes:
        segmenter: segments people, and objects unless there is an ``object_segmenter``.
        object_segmenter: segments objects whose names ``segmenter`` does not know.
        keypoints: the keypoint detector.
        pose: the pose estimator.
        min_overlap: overlap of near-duplicates, see `keep_without_near_duplicates`.
        sure_score: score above which no detection is a near-duplicate.
    """

    segmenter: Made = Component("transformers")
    object_segmenter: Made | None = None
    keypoints: Made = Component("transformers")
    pose: Made = Component("nlf")
    min_overlap: Share = MIN_OVERLAP
    sure_score: Share = SURE_SCORE


class CameraSettings(Schema):
    """Stage 6; the defaults are the paper's.

    Attributes:
        solver: ``adam`` (the paper's) or ``lm``.
        joint_regressor: SPIN's J_regressor_extra.npy, with SMPL: cameras are fitted to SPIN's 24
            points, as in the paper; without it, to the 24 SMPL joints.
        max_steps: largest number of updates of ``adam``.
        stop_below: ``adam`` stops below this loss, pixels.
        drop_above: images whose loss stays above this are rejected, pixels; null keeps all.
        fov_deg: the field of view that the fit starts from, degrees.
        learning_rate: step size of ``adam``.
        min_fov_deg: the narrowest field of view of ``lm``, degrees.
    """

    solver: Literal["adam", "lm"] = "adam"
    joint_regressor: str | None = None
    max_steps: int = SYNTHESIZED.max_steps
    stop_below: float = SYNTHESIZED.stop_below
    drop_above: float | None = SYNTHESIZED.drop_above
    fov_deg: float = SYNTHESIZED.fov_deg
    learning_rate: float = SYNTHESIZED.learning_rate
    min_fov_deg: float = SYNTHESIZED.min_fov_deg

    @model_validator(mode="after")
    def _check(self) -> CameraSettings:
        _ = self.calibration  # making it checks the numbers
        return self

    @property
    def calibration(self) -> CalibrationSettings:
        """The settings of the calibration."""
        numbers = self.model_dump(exclude={"solver", "joint_regressor"})
        return CalibrationSettings(SYNTHESIZED.name, **numbers)

    def points(self, body: BodyModel) -> PointSet:
        """Return the points of a body that cameras are fitted to.

        Raises:
            InputError: the regressor is missing or is not SPIN's.
        """
        return point_set(body, self.joint_regressor)

    def arguments(self, body: BodyModel) -> dict[str, Any]:
        """Return the arguments of `add_cameras`."""
        chosen = {"solver": self.solver, "settings": self.calibration}
        return {**chosen, "points": self.points(body)}


class SynthesisSettings(Schema):
    """Everything that decides the rows of a synthesised dataset.

    Attributes:
        categories: categories of the objects.
        seed: random seed.
        body: body of the poses, see `load_body`.
        shard_size: rows of a shard at most.
        threads: threads of a worker that computes on the processor; the last bits depend on it.
        prompts: settings of the stage `prompts`.
        images: settings of the stage `images`.
        annotations: settings of the stage `annotations`.
        filters: settings of the stage `filters`.
        cameras: settings of the stage `cameras`.

    Raises:
        InputError: a value makes no sense.
    """

    categories: Annotated[
        tuple[Category, ...], AfterValidator(lambda names: tuple(dict.fromkeys(names)))
    ] = ()
    seed: int = 0
    body: str = "default"
    shard_size: Positive = 256
    threads: Positive = 1
    prompts: PromptSettings = PromptSettings()
    images: ImageSettings = ImageSettings()
    annotations: AnnotationSettings = AnnotationSettings()
    filters: FilterSettings = FilterSettings()
    cameras: CameraSettings = CameraSettings()

    def to_yaml(self, without: Collection[str] = ()) -> str:
        """Return them as YAML, which `read_settings` reads; some sections may be left out."""
        found = {key: value for key, value in self.as_dict().items() if key not in without}
        return yaml.safe_dump(found, sort_keys=False, allow_unicode=True)

    def as_dict(self) -> dict[str, Any]:
        """Return the settings as YAML and JSON take them."""
        return self.model_dump(mode="json")


def preset_names() -> tuple[str, ...]:
    """Return the names of the shipped configurations, sorted."""
    files = (resources.files("chorus_bench") / "data" / "synthesis").iterdir()
    return tuple(sorted(f.name.removesuffix(".yaml") for f in files if f.name.endswith(".yaml")))


def read_settings(
    preset: str | None = None,
    file: str | Path | None = None,
    changes: Mapping[str, Any] | None = None,
) -> SynthesisSettings:
    """Return settings: the defaults, updated by a preset, a YAML file and single changes.

    Args:
        preset: one of `preset_names`.
        file: a YAML file with any part of the settings.
        changes: dotted name -> value, for example ``{"images.generator.steps": 20}``.

    Raises:
        InputError: an unknown name, or a value of the wrong kind; every problem is listed, with
            its line where it is in the file.
    """
    tree, read = SynthesisSettings().as_dict(), None
    if preset is not None:
        _apply(tree, _preset(preset).content)
    if file is not None:
        read = _read_yaml(Path(file))
        _apply(tree, read.content)
    for name, value in (changes or {}).items():
        _apply(tree, _nested(tree, name, value))
    return loaded(SynthesisSettings, Document(tree, _Places(read, changes or {})))


def _preset(name: str) -> Document:
    if name not in preset_names():
        raise unknown_name("preset", name, preset_names())
    file = resources.files("chorus_bench") / "data" / "synthesis" / f"{name}.yaml"
    return parse(file.read_bytes(), file.name)


def _read_yaml(file: Path) -> Document:
    if not file.is_file():
        raise InputError("no such configuration", where=file)
    document = read_document(file)
    if not isinstance(document.content, dict):
        found = f"is {shown(document.content)}"
        raise InputError(found, where=file, expected="one 'setting: value' per line")
    return document


class _Places(Lines):
    """Where settings come from: a line of the file, or just their name.

    Args:
        read: the file, if there is one.
        changes: dotted name -> value, as given to `read_settings`.
    """

    def __init__(self, read: Document | None, changes: Mapping[str, Any]) -> None:
        super().__init__("the settings")
        self._read, self._changes = read, changes

    def at(self, *keys: str | int) -> str:
        """Return the setting's name, behind the line of the file that sets it."""
        name = label(keys)
        changed = any(f"{name}.".startswith(f"{change}.") for change in self._changes)
        in_file = self._read is not None and _stands_in(self._read.content, keys)
        return self._read.lines.at(*keys) if self._read and in_file and not changed else name


def _stands_in(content: Any, path: KeyPath) -> bool:  # noqa: ANN401 - whatever the file holds
    for key in path:
        if not isinstance(content, dict) or key not in content:
            return isinstance(content, list)
        content = content[key]
    return True


def _nested(tree: Mapping[str, Any], name: str, value: object) -> dict[str, Any]:
    """Return a mapping of mappings with a value at a dotted name.

    A component given only by its name becomes a mapping when one of its options is set.
    """
    head, _, rest = name.partition(".")
    if not rest:
        return {head: value}
    inner = tree.get(head)
    if isinstance(inner, str):
        return {head: {_NAME: inner, **_nested({}, rest, value)}}
    return {head: _nested(inner if isinstance(inner, Mapping) else {}, rest, value)}


def _apply(tree: dict[str, Any], changes: Mapping[str, Any]) -> None:
    """Apply changes; a number of images per prompt and view replaces one per category."""
    _merge(tree, changes)
    images = changes.get("images")
    if isinstance(images, Mapping) and "per_prompt_view" in images and "per_category" not in images:
        tree["images"]["per_category"] = None


def _merge(tree: dict[str, Any], changes: Mapping[str, Any]) -> None:
    """Apply changes to a tree; a component with another name replaces the whole component."""
    for key, value in changes.items():
        old = tree.get(key)
        if isinstance(old, dict) and isinstance(value, Mapping) and _same_component(old, value):
            _merge(old, value)
        else:
            tree[key] = dict(value) if isinstance(value, Mapping) else value


def _same_component(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    return bool(new.get(_NAME, old.get(_NAME)) == old.get(_NAME))
