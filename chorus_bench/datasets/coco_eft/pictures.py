"""The user's COCO images, for builds that embed them."""

from __future__ import annotations

from pathlib import Path

from chorus_bench.datasets.coco_eft.annotations import Image, image_name_2014
from chorus_bench.datasets.coco_eft.entry_error import EntryError
from chorus_bench.datasets.sources import COCO_IMAGES
from chorus_bench.errors import InputError
from chorus_bench.io.pictures import decode_upright, orientation

_JPEG_START, _JPEG_END = b"\xff\xd8", b"\xff\xd9"


class CocoImages:
    """A folder with images of val2014, or one with a folder ``val2014`` in it.

    Args:
        folder: the folder.

    Raises:
        InputError: there is no such folder.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        if not self.folder.is_dir():
            raise InputError("no such folder", where=self.folder, fix=COCO_IMAGES.instruction())

    def find(self, image: Image) -> Path | None:
        """Return the path of an image, or None."""
        names = {image["file_name"], image_name_2014(image["id"])}
        places = (self.folder, self.folder / COCO_IMAGES.file)
        found = (place / name for place in places for name in sorted(names))
        return next((path for path in found if path.is_file()), None)

    def read(self, image: Image) -> bytes:
        """Return the unchanged bytes of an image file.

        Raises:
            EntryError: it is missing, unreadable, damaged, turned by EXIF, or of a size other
                than annotated.
        """
        path = self.find(image)
        if path is None:
            raise EntryError("missing pictures", f"{image['file_name']} is not in {self.folder}")
        try:
            content = path.read_bytes()
        except OSError as error:
            raise EntryError("unreadable pictures", f"{path.name}: {error.strerror}") from error
        if orientation(content) != 1:
            raise EntryError(
                "pictures that EXIF turns",
                f"{path.name} has EXIF orientation {orientation(content)}: readers would turn it, "
                "and the annotations may be of the picture as it is stored",
            )
        size = _size(content, path.name)
        if size != (image["height"], image["width"]):
            raise EntryError(
                "pictures whose size differs from the annotation",
                f"{path.name} has {size[1]} x {size[0]} pixels, the annotation file says "
                f"{image['width']} x {image['height']}",
            )
        return content


def _size(content: bytes, name: str) -> tuple[int, int]:
    """Return height and width of a picture, which must be decodable."""
    cut_off = content.startswith(_JPEG_START) and _JPEG_END not in content[-1024:]
    decoded = None if cut_off else decode_upright(content)
    if decoded is None:
        raise EntryError("unreadable pictures", f"{name} is not a complete picture")
    return decoded.shape[0], decoded.shape[1]
