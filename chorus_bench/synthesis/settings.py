"""Settings of a synthesis: one value, stored as YAML, checked before anything runs.

They contain only what determines the rows. Where and how fast these are made (workers, device,
batches of annotators) is chosen for each run.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from chorus_bench.errors import InputError, unknown_name
from chorus_bench.io.yaml_files import load_mapping
from chorus_bench.synthesis.filters import FilterSettings
from chorus_bench.synthesis.non_maximum_suppression import MIN_OVERLAP, SURE_SCORE

SHIPPED, CHAT = "shipped", "chat"
FIXED, FREE = "fixed", "free"
FORMATS = ("jpeg", "png")

_NAME = "name"
_FILTERS = FilterSettings()


def _at_least_one(settings: object, *names: str) -> None:
    for name in names:
        if getattr(settings, name) < 1:
            raise InputError(f"{name} is {getattr(settings, name)}", expected="1 or more")


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
    def parse(cls, value: object, where: str) -> Component:
        """Read a name, or a mapping with ``name`` and options."""
        if isinstance(value, str):
            return cls(value)
        if isinstance(value, Mapping) and isinstance(value.get(_NAME), str):
            return cls(value[_NAME], {k: v for k, v in value.items() if k != _NAME})
        raise InputError(
            f"is {value!r}", where=where, expected="a name, or a mapping with 'name' and options"
        )

    def to_yaml(self) -> Any:  # noqa: ANN401 - text or mapping
        """Return what `parse` reads."""
        return {_NAME: self.name, **self.options} if self.options else self.name


@dataclass(frozen=True)
class PromptSettings:
    """Settings of the stage `prompts`.

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


@dataclass(frozen=True)
class ImageSettings:
    """Settings of the stage `images`, the views included.

    Attributes:
        per_prompt_view: number of images for each prompt and view.
        views: a YAML file of view conditions; by default the 22 of the package.
        generator: the image generator.
        layout: ``fixed`` (an image's batch, and thus its bytes, follow from its address) or
            ``free`` (batches as they come; on most devices the last bits differ).
        batch: number of images at a time; part of a fixed layout.
        format: ``jpeg`` or ``png``.
        quality: JPEG quality, 1 to 100.
    """

    per_prompt_view: int = 1
    views: str | None = None
    generator: Component = Component("diffusers", {"model": "CompVis/stable-diffusion-v1-4"})
    layout: str = FIXED
    batch: int = 1
    format: str = "jpeg"
    quality: int = 95

    def __post_init__(self) -> None:
        _at_least_one(self, "per_prompt_view", "batch")
        if not 1 <= self.quality <= 100:
            raise InputError(f"quality is {self.quality}", where="images", expected="1 to 100")
        for name, known in (("layout", (FIXED, FREE)), ("format", FORMATS)):
            if getattr(self, name) not in known:
                raise unknown_name(name, getattr(self, name), known, where="images")


@dataclass(frozen=True)
class AnnotationSettings:
    """Settings of the stage `annotations`.

    Attributes:
        segmenter: segments people, and objects unless there is an ``object_segmenter``.
        object_segmenter: segments objects whose names ``segmenter`` does not know.
        keypoints: the keypoint detector.
        pose: the pose estimator.
        min_overlap: overlap of near-duplicates, see `keep_without_near_duplicates`.
        sure_score: score above which no detection is a near-duplicate.
    """

    segmenter: Component = Component("transformers")
    object_segmenter: Component | None = None
    keypoints: Component = Component("transformers")
    pose: Component = Component("nlf")
    min_overlap: float = MIN_OVERLAP
    sure_score: float = SURE_SCORE

    def __post_init__(self) -> None:
        for name in ("min_overlap", "sure_score"):
            if not 0 <= getattr(self, name) <= 1:
                raise InputError(
                    f"{name} is {getattr(self, name)}", where="annotations", expected="0 to 1"
                )


@dataclass(frozen=True)
class CameraSettings:
    """Settings of the stage `cameras`.

    Attributes:
        solver: ``adam`` (the paper's) or ``lm``.
    """

    solver: str = "adam"

    def __post_init__(self) -> None:
        if self.solver not in ("adam", "lm"):
            raise unknown_name("solver", self.solver, ("adam", "lm"), where="cameras")


@dataclass(frozen=True)
class SynthesisSettings:
    """Everything that determines the rows of a synthesised dataset.

    Attributes:
        categories: categories of the objects.
        seed: random seed.
        body: body of the poses, see `BodyModel.load`.
        shard_size: largest number of rows in a shard.
        threads: threads of a worker that computes on the processor; the last bits depend on it.
        prompts: settings of this stage.
        images: settings of this stage.
        annotations: settings of this stage.
        filters: settings of this stage.
        cameras: settings of this stage.

    Raises:
        InputError: a value makes no sense.
    """

    categories: tuple[str, ...] = ()
    seed: int = 0
    body: str = "default"
    shard_size: int = 256
    threads: int = 1
    prompts: PromptSettings = PromptSettings()
    images: ImageSettings = ImageSettings()
    annotations: AnnotationSettings = AnnotationSettings()
    filters: FilterSettings = _FILTERS
    cameras: CameraSettings = CameraSettings()

    def __post_init__(self) -> None:
        _at_least_one(self, "shard_size", "threads")

    def to_yaml(self) -> str:
        """Return the YAML text that `parse_settings` reads."""
        return yaml.safe_dump(_plain(self), sort_keys=False, allow_unicode=True)

    def as_dict(self) -> dict[str, Any]:
        """Return the settings as plain values for YAML and JSON."""
        plain: dict[str, Any] = _plain(self)
        return plain


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
        InputError: an unknown name, or a value of the wrong kind; the message says where.
    """
    tree = _plain(SynthesisSettings())
    if preset is not None:
        if preset not in preset_names():
            raise unknown_name("preset", preset, preset_names())
        text = (
            resources.files("chorus_bench") / "data" / "synthesis" / f"{preset}.yaml"
        ).read_text(encoding="utf-8")
        _merge(tree, yaml.safe_load(text))
    if file is not None:
        _merge(tree, _read_yaml(Path(file)))
    for name, value in (changes or {}).items():
        _merge(tree, _nested(tree, name, value))
    return _build(SynthesisSettings, tree, "")


def _read_yaml(file: Path) -> dict[str, Any]:
    if not file.is_file():
        raise InputError("no such configuration", where=file)
    try:
        return {str(key): value for key, value in load_mapping(file.read_bytes()).items()}
    except InputError as error:
        raise InputError(error.found, where=file, expected=error.expected, fix=error.fix) from error


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


def _plain(value: Any) -> Any:  # noqa: ANN401 - nested settings
    if isinstance(value, Component):
        return value.to_yaml()
    if dataclasses.is_dataclass(value):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    return list(value) if isinstance(value, tuple) else value


def _build(kind: type[Any], tree: object, where: str) -> Any:  # noqa: ANN401 - nested settings
    """Make settings from a mapping; every key and every type of value is checked."""
    if not isinstance(tree, Mapping):
        raise InputError(f"is {tree!r}", where=where, expected="a mapping")
    hints = typing.get_type_hints(kind)
    for key in tree:
        if key not in hints:
            raise unknown_name("setting", str(key), hints, where=where or None)
    prefix = f"{where}." if where else ""
    values = {key: _value(hints[key], value, f"{prefix}{key}") for key, value in tree.items()}
    return kind(**values)


def _value(kind: Any, value: Any, where: str) -> Any:  # noqa: ANN401 - any setting
    options = typing.get_args(kind) if isinstance(kind, types.UnionType) else (kind,)
    if value is None and type(None) in options:
        return None
    kind = options[0]
    if kind is Component:
        return Component.parse(value, where)
    if dataclasses.is_dataclass(kind):
        return _build(typing.cast("type[Any]", kind), value, where)
    if typing.get_origin(kind) is tuple:
        return _names(value, where)
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        raise InputError(f"is {value!r}", where=where, expected=f"a value of type {kind.__name__}")
    return value


def _names(value: object, where: str) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(name, str) for name in value):
        raise InputError(f"is {value!r}", where=where, expected="a list of names")
    return tuple(dict.fromkeys(value))
