"""Row schemas: the columns of a dataset's rows.

There are two. A **test row** is one person-object pair of a test image with its camera; PAP is
computed from it. A **training row** is one image of a category with what annotators found in
it; stages (filters, cameras) add columns. A reader needs only the columns that it uses.

Boxes are xyxy in pixels, masks COCO RLE, poses axis-angle in radians; cameras map the body frame
(zero global orientation, metres) to pixels of the full image.

Every list is stored with a variable length, because Parquet readers and writers disagree about
fixed-size lists that are null (pyarrow 18 to 24 cannot write them inside structs, 25 cannot read
them). `LENGTHS` says how long each one is; `chorus_bench.datasets.lengths` checks it whenever
rows are read or written.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

#: A row as a reader gets it: a mapping of column names to plain values.
AnyRow = Mapping[str, Any]

#: What the column ``verdict`` of a training row says.
KEPT, REJECTED = "kept", "rejected"

NUMBERS = pa.list_(pa.float32())
POINTS = pa.list_(NUMBERS)
RLE = pa.struct([("size", pa.list_(pa.int32())), ("counts", pa.string())])
IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])

#: The lengths of the lists, outermost first, by the name of the column or field. The truth of a
#: simulation (``true_pose``, ...) has those of its name.
LENGTHS: dict[str, tuple[int, ...]] = {
    "size": (2,),
    "box": (4,),
    "human_box": (4,),
    "object_box": (4,),
    "keypoints": (17, 3),
    "joints_2d": (24, 2),
    "pose": (72,),
    "betas": (10,),
    "weak_camera": (3,),
    "crop_center": (2,),
    "camera_rotation": (3, 3),
    "camera_translation": (3,),
    "camera_intrinsics": (3, 3),
}

_CAMERA = [
    ("camera_rotation", POINTS),
    ("camera_translation", NUMBERS),
    ("camera_intrinsics", POINTS),
    ("reprojection_error", pa.float32()),
]
#: The columns of a row's camera, see `PerspectiveCamera.columns`.
CAMERA_COLUMNS = tuple(name for name, _ in _CAMERA)

#: One person-object pair of a test image.
TEST_SCHEMA = pa.schema(
    [
        ("sample_id", pa.string()),
        ("category", pa.string()),
        ("image_id", pa.int64()),
        ("annotation_id", pa.int64()),
        ("object_annotation_id", pa.int64()),
        ("height", pa.int32()),
        ("width", pa.int32()),
        ("image", IMAGE),
        ("human_mask", RLE),
        ("object_mask", RLE),
        ("human_box", NUMBERS),
        ("object_box", NUMBERS),
        ("box_overlap", pa.float32()),
        ("pose", NUMBERS),
        ("betas", NUMBERS),
        *_CAMERA,
        ("joints_2d", POINTS),
    ]
)

#: Columns of a test row that an evaluation reads; the split's fingerprint covers them.
TEST_COLUMNS = (
    "sample_id", "category", "height", "width", "object_mask", "human_mask", "pose", "betas",
    *CAMERA_COLUMNS[:3],
)  # fmt: skip

#: The column that the export adds to every row: the facts of its dataset, as JSON (see
#: `chorus_bench.datasets.facts`). It is no part of a fingerprint.
FACTS = "facts"

#: The annotations of one person. The camera is of either kind: ``weak_camera`` is (s, tx,
#: ty) of a 224-pixel crop about ``crop_center`` with ``crop_scale`` (in units of 200 pixels); the
#: other columns are a perspective camera as a row has it.
PERSON = pa.struct(
    [
        ("box", NUMBERS),
        ("score", pa.float32()),
        ("mask", RLE),
        ("keypoints", POINTS),
        ("pose", NUMBERS),
        ("betas", NUMBERS),
        ("weak_camera", NUMBERS),
        ("crop_center", NUMBERS),
        ("crop_scale", pa.float32()),
        *_CAMERA,
    ]
)
OBJECT = pa.struct(
    [("category", pa.string()), ("box", NUMBERS), ("score", pa.float32()), ("mask", RLE)]
)

#: One training image: address, image, verdict, annotations, and camera. What people look at comes
#: first; viewers show columns in this order.
TRAIN_SCHEMA = pa.schema(
    [
        ("sample_id", pa.string()),
        ("image", IMAGE),
        ("category", pa.string()),
        ("prompt", pa.string()),
        ("view", pa.string()),
        ("index", pa.int32()),
        ("verdict", pa.string()),
        ("reason", pa.string()),
        ("height", pa.int32()),
        ("width", pa.int32()),
        ("source", pa.string()),
        ("generator", pa.string()),
        ("seed", pa.int64()),
        ("people", pa.list_(PERSON)),
        ("objects", pa.list_(OBJECT)),
        ("human_mask", RLE),
        ("object_mask", RLE),
        ("pose", NUMBERS),
        ("betas", NUMBERS),
        *_CAMERA,
    ]
)
