"""COCO's val2014 instance annotations, as far as the split needs them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PureWindowsPath
from typing import Any, TypeGuard

from chorus_bench.datasets.recipe import Note
from chorus_bench.datasets.sources import COCO_ANNOTATIONS
from chorus_bench.errors import InputError, list_some
from chorus_bench.io.json_files import read_json
from chorus_bench.names import category_name

PERSON = "person"

#: The longest side of an image, pixels; no mask of a larger one is decoded.
MAX_SIDE = 16_384

#: The number of images in the complete file.
ALL_IMAGES = 40_504

_VAL_2014 = re.compile(r"COCO_val2014_(\d{12})\.jpg")
_WHAT_IT_IS = {
    "data": "it looks like a file of EFT fits: are the two files swapped?",
    "annotation": "it looks like a panoptic or single-image file",
}

Annotation = Mapping[str, Any]
Image = Mapping[str, Any]


@dataclass(frozen=True)
class CocoFile:
    """An annotation file, restricted to some images.

    Attributes:
        images: images by their file names of 2014.
        annotations: annotations of each of these images, by image id, each id once.
        categories: names by category id, all of the file.
        licenses: name and URL by license id.
        total: images in the whole file.
        notes: problems with single entries.
    """

    images: Mapping[str, Image]
    annotations: Mapping[int, tuple[Annotation, ...]]
    categories: Mapping[int, str]
    licenses: Mapping[int, tuple[str, str]]
    total: int
    notes: list[Note] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Whether it is the whole of val2014 rather than a part."""
        return self.total == ALL_IMAGES

    def of_image(self, image: Image) -> tuple[Annotation, ...]:
        """Return the annotations of an image."""
        return self.annotations.get(image["id"], ())

    def license_of(self, image: Image) -> tuple[str | None, str | None]:
        """Return name and URL of an image's license; None where the file does not say."""
        number = image.get("license")
        return self.licenses.get(number, (None, None)) if _is_id(number) else (None, None)


def image_name_2014(image_id: int) -> str:
    """Return the file name that an image has in val2014."""
    return f"COCO_val2014_{image_id:012d}.jpg"


def read_annotations(path: Path, image_names: Iterable[str]) -> CocoFile:
    """Read an annotation file and keep the annotations of some images.

    Args:
        path: ``instances_val2014.json``, gzipped or not.
        image_names: file names of 2014, as the body fits give them.

    Raises:
        InputError: the file is not what its name says: truncated, of another year or part of
            COCO, keypoints or captions, or something else entirely.
    """
    content = read_json(path)
    _check_kind(content, path)
    notes: list[Note] = []
    _check_year(content["images"], path)
    wanted = set(image_names)
    images = _images(content["images"], wanted, notes)
    ids = {image["id"] for image in images.values()}
    return CocoFile(
        images=images,
        annotations=_annotations(content["annotations"], ids, notes),
        categories=_categories(content["categories"], path),
        licenses=_licenses(content.get("licenses", [])),
        total=len(content["images"]),
        notes=notes,
    )


def _check_kind(content: object, path: Path) -> None:
    """Refuse everything that is not a file of COCO instances."""
    keys = ("images", "annotations", "categories")
    if isinstance(content, dict) and all(isinstance(content.get(k), list) for k in keys):
        names = {str(c.get("name")) for c in content["categories"] if isinstance(c, dict)}
        if names - {PERSON}:
            _check_instances(content["annotations"], path)
            return
        found = f"it has only the categories {list_some(sorted(names))}"
    elif isinstance(content, dict):
        hints = [hint for key, hint in _WHAT_IT_IS.items() if key in content]
        found = hints[0] if hints else f"it has the keys {list_some(sorted(content))}"
    else:
        found = f"it holds a {type(content).__name__}"
    raise _not_instances(found, path)


def _categories(items: list[Any], path: Path) -> dict[int, str]:
    """Return names by id; every id and every name occurs once."""
    found: dict[int, str] = {}
    for number, item in enumerate(items):
        where = f"{path}, category number {number}"
        if not isinstance(item, dict) or not _is_id(item.get("id")):
            raise InputError(
                f"has the id {_shown(item)}", where=where, expected="an id that is a whole number"
            )
        name = category_name(str(item.get("name", "")), where=where)
        if item["id"] in found or name in found.values():
            raise InputError(
                f"'{name}' (id {item['id']}): its id or its name occurs twice",
                where=where,
                expected="each category once",
                fix="merge the two categories, and the category_id of their annotations",
            )
        found[item["id"]] = name
    return found


def _is_id(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63


def _shown(item: object) -> str:
    """Return the id of an entry as messages show it: a text in quotes."""
    value = item.get("id") if isinstance(item, dict) else None
    return "none" if value is None else repr(value)[:60]


def _check_instances(annotations: list[Any], path: Path) -> None:
    first = annotations[0] if annotations else {"segmentation": None}
    if not isinstance(first, dict) or "segmentation" not in first:
        raise _not_instances("its annotations have no segmentations (captions?)", path)


def _not_instances(found: str, path: Path) -> InputError:
    return InputError(
        f"is not a file of COCO instances: {found}",
        where=path,
        expected=f"{COCO_ANNOTATIONS.title}, {COCO_ANNOTATIONS.file}",
        fix=COCO_ANNOTATIONS.instruction(),
    )


def _check_year(images: list[Any], path: Path) -> None:
    """Refuse a file none of whose images has a name of val2014."""
    names = [_file_name(image) for image in images if isinstance(image, dict)]
    if any(_VAL_2014.fullmatch(name) for name in names) or not any(names):
        return
    example = names[0] if names else "no images"
    part = "COCO train2014" if example.startswith("COCO_train2014") else "another year"
    if re.fullmatch(r"\d{12}\.jpg", example):
        part = "COCO 2017: its ids are those of 2014, but it holds other images"
    raise InputError(
        f"is of {part} (its images have names like {example})",
        where=path,
        expected=f"names like {image_name_2014(395)}, as in {COCO_ANNOTATIONS.file}",
        fix=COCO_ANNOTATIONS.instruction(),
    )


def _images(images: list[Any], wanted: set[str], notes: list[Note]) -> dict[str, Image]:
    """Return the wanted images by their names of 2014.

    An image under another name is found by its id, which all years share.
    """
    found: dict[str, Image] = {}
    seen: set[int] = set()
    for number, image in enumerate(images):
        problem = _image_problem(image)
        if problem:
            notes.append(Note(f"image number {number}", "images that are not usable", problem))
            continue
        called = _file_name(image)
        known = _VAL_2014.fullmatch(called)
        name = called if known else image_name_2014(image["id"])
        if image["id"] in seen:
            message = "its id occurs twice in the annotation file; the first one is used"
            notes.append(Note(f"image {image['id']}", "duplicated image ids", message))
            continue
        seen.add(image["id"])
        if name not in wanted:
            continue
        found[name] = {**image, "file_name": called or name}
        if not known:
            message = f"it is named '{called}', not {name}; taken by its id"
            notes.append(Note(f"image {image['id']}", "images under other names", message, False))
    return found


def _file_name(image: Mapping[str, Any]) -> str:
    """Return an image's file name without folders, or that of its address (LVIS has no other)."""
    name = image.get("file_name") or image.get("coco_url") or ""
    return PureWindowsPath(name).name if isinstance(name, str) else ""


def _image_problem(image: Any) -> str:  # noqa: ANN401 - whatever the file holds
    if not isinstance(image, dict):
        return "it is not an object"
    if not _is_id(image.get("id")):
        return f"its id is {_shown(image)}, not a whole number"
    size = (image.get("height"), image.get("width"))
    if not all(_is_id(n) and 0 < n <= MAX_SIDE for n in size):
        return f"image {image['id']} has the height and width {size[0]}, {size[1]}"
    return ""


def _annotations(
    annotations: list[Any], image_ids: set[int], notes: list[Note]
) -> dict[int, tuple[Annotation, ...]]:
    found: dict[int, list[Annotation]] = {}
    seen: set[int] = set()
    for number, annotation in enumerate(annotations):
        keys = ("id", "image_id", "category_id")
        if not isinstance(annotation, dict) or any(not _is_id(annotation.get(key)) for key in keys):
            message = f"one of its {', '.join(keys)} is missing or no whole number"
            entry = f"annotation number {number}"
            notes.append(Note(entry, "annotations that are not usable", message))
            continue
        if annotation["id"] in seen:
            message = "its id occurs twice in the annotation file; the first one is used"
            notes.append(Note(f"annotation {annotation['id']}", "duplicated ids", message))
            continue
        seen.add(annotation["id"])
        if annotation["image_id"] in image_ids:
            found.setdefault(annotation["image_id"], []).append(annotation)
    return {image_id: tuple(items) for image_id, items in found.items()}


def _licenses(licenses: object) -> dict[int, tuple[str, str]]:
    items = licenses if isinstance(licenses, list) else []
    return {
        item["id"]: (str(item.get("name", "")), str(item.get("url", "")))
        for item in items
        if isinstance(item, dict) and _is_id(item.get("id"))
    }
