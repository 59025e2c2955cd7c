"""Extract a small file of real COCO annotations, with our fits, for the repository's tests.

Only images whose photograph is under CC BY are named; no photograph is copied.

    python tools/fit_real_people/cut_test_data.py --annotations instances.json --fits fits.json \
        --output tests/data/real_coco
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from chorus_bench.io.files import atomic_write_bytes

#: COCO's id of the license CC BY 2.0.
CC_BY = 4
_IMAGE_KEYS = ("id", "file_name", "height", "width", "license", "coco_url", "flickr_url")
_ANNOTATION_KEYS = ("id", "image_id", "category_id", "bbox", "iscrowd", "segmentation")


def cut(coco: dict[str, Any], fits: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the annotations and fits of the people in CC BY photographs.

    Images get the names of 2014, which the fits use, whatever year they were copied from.
    """
    free = {image["id"] for image in coco["images"] if image["license"] == CC_BY}
    entries = [e for e in fits["data"] if int(e["imageName"][-16:-4]) in free]
    wanted = {int(e["imageName"][-16:-4]) for e in entries}
    images = [
        {key: image[key] for key in _IMAGE_KEYS}
        | {"file_name": f"COCO_val2014_{image['id']:012d}.jpg"}
        for image in coco["images"]
        if image["id"] in wanted
    ]
    annotations = [
        {key: annotation[key] for key in _ANNOTATION_KEYS}
        for annotation in coco["annotations"]
        if annotation["image_id"] in wanted
    ]
    licenses = [item for item in coco["licenses"] if item["id"] == CC_BY]
    info = {"description": "a few images of COCO val2014, see README.md", "year": 2014}
    cut_coco = {"info": info, "licenses": licenses, "categories": coco["categories"]}
    return cut_coco | {"images": images, "annotations": annotations}, fits | {"data": entries}


def main() -> None:
    """Read both files, extract, and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("annotations", "fits", "output"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    options = parser.parse_args()
    pair = cut(json.loads(options.annotations.read_text()), json.loads(options.fits.read_text()))
    for name, content in zip(("instances.json", "fits.json"), pair, strict=True):
        text = json.dumps(content, separators=(",", ":"))
        atomic_write_bytes(options.output / name, (text + "\n").encode())
        print(f"{name}: {len(text)} bytes")


if __name__ == "__main__":
    main()
