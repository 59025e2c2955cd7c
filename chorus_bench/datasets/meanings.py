"""What the columns of rows mean, for cards, and the lines of code that decode them."""

from __future__ import annotations

from collections.abc import Iterable

_TRUE = "true_"

#: Column -> what it means. The truth of a simulation (``true_pose``, ...) is that of its name.
MEANINGS: dict[str, str] = {
    "sample_id": "name of the row, unique in the dataset",
    "category": "the object's category; each has a config of its own",
    "image_id": "id of the image in its source",
    "annotation_id": "id of the person's annotation in its source",
    "object_annotation_id": "id of the object's annotation in its source",
    "height": "of the image, pixels",
    "width": "of the image, pixels",
    "image": "the picture, null where it is not included",
    "human_mask": "pixels of the person",
    "object_mask": "pixels of the object",
    "human_box": "x0, y0, x1, y1, pixels",
    "object_box": "x0, y0, x1, y1, pixels",
    "box_overlap": "intersection of the two boxes over the area of the smaller one",
    "pose": "24 joints' rotations as axis and angle, radians, SMPL's order; the first, the global "
    "orientation, is in the camera's rotation too",
    "betas": "the body's shape coefficients",
    "camera_rotation": "R: body frame (zero global orientation) to camera frame",
    "camera_translation": "t, metres",
    "camera_intrinsics": "K, pixels of the image",
    "reprojection_error": "of the fitted camera, pixels; null where it was not fitted",
    "joints_2d": "the 24 body points that the camera was fitted to, pixels",
    "prompt": "the text that the picture shows, or was made from",
    "interaction": "the activity's short name",
    "part": "the part of the body that the object belongs to",
    "object_occupancy": "voxels of the object around the posed body, 48 a side, 3 m",
    "file_name": "the image's file in its source",
    "license": "of the picture",
    "license_url": "text of that license",
    "coco_url": "the picture at COCO",
    "flickr_url": "the picture at Flickr",
    "view": "view condition that was asked for, such as a camera angle",
    "index": "number of the image under its prompt and view",
    "verdict": "kept or rejected, by the filters",
    "reason": "why the filters rejected it",
    "source": "where pictures come from, such as image_search",
    "generator": "what made the picture",
    "seed": "random seed of the picture",
    "people": "who was found: boxes, masks, keypoints (x, y, confidence), poses, cameras",
    "objects": "what was found: categories, boxes, scores, masks",
    "true_failure": "how the simulation spoiled the picture; null for not at all",
    "facts": "the dataset's name, version and body as JSON, the same in every row",
}

_MASKS = """\
from pycocotools import mask

pixels = mask.decode(row["{name}"])  # (height, width), 0 and 1; or decode_mask of chorus_bench"""
_CAMERA = """\
import numpy as np

# points (n, 3): x to the person's left, y up, z forward, metres, global orientation zero
x, y, depth = np.array(row["camera_intrinsics"]) @ (
    np.array(row["camera_rotation"]) @ points.T + np.array(row["camera_translation"])[:, None]
)
u, v = x / depth, y / depth  # pixels: u to the right, v down"""
_POSE = """\
from chorus_bench.geometry.body import without_global_orientation
from chorus_bench.geometry.body_files import load_body

points = load_body("default").pose(without_global_orientation(row["pose"]))  # (n, 3), metres"""
_OCCUPANCY = """\
from chorus_bench.datasets.occupancy import decode_occupancy

voxels = decode_occupancy(row["{name}"])  # (48, 48, 48) of x, y, z, true where the object is"""
_IMAGE = """\
import io
from PIL import Image

picture = Image.open(io.BytesIO(row["image"]["bytes"]))  # `datasets` gives the picture itself"""

#: What decodes the first of some columns that a dataset has, in this order.
_DECODERS = (
    (("object_mask", "human_mask"), _MASKS),
    (("pose", "true_pose"), _POSE),
    (("camera_rotation",), _CAMERA),
    (("object_occupancy", "true_object_occupancy"), _OCCUPANCY),
    (("image",), _IMAGE),
)


def meaning_of(column: str) -> str:
    """Return what a column means; empty for one that only its dataset knows."""
    if column in MEANINGS or not column.startswith(_TRUE):
        return MEANINGS.get(column, "")
    known = MEANINGS.get(column.removeprefix(_TRUE), "")
    return f"the truth: {known}" if known else ""


def decoding(columns: Iterable[str]) -> list[str]:
    """Return pieces of Python that make arrays and pictures of a ``row`` with these columns."""
    there = set(columns)
    pieces = []
    for names, code in _DECODERS:
        name = next((name for name in names if name in there), None)
        if name is not None:
            pieces.append(code.replace("{name}", name))
    return pieces
