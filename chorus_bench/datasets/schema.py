"""Row schemas: the columns of a dataset's rows.

There are two. A **test row** is one person-object pair of a test image with its camera; PAP is
computed from it. A **training row** is one image of a category with what annotators found in
it; stages (filters, cameras) add columns. A reader needs only the columns that it uses.

Boxes are xyxy in pixels, masks COCO RLE, poses axis-angle in radians; cameras map the body frame
(zero global orientation, metres) to pixels of the full image.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

#: A row as a reader gets it: a mapping of column names to plain values.
AnyRow = Mapping[str, Any]

RLE = pa.struct([("size", pa.list_(pa.int32(), 2)), ("counts", pa.string())])
IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
BOX = pa.list_(pa.float32(), 4)
VECTOR3 = pa.list_(pa.float32(), 3)
MATRIX3 = pa.list_(VECTOR3, 3)
POSE = pa.list_(pa.float32(), 72)
BETAS = pa.list_(pa.float32(), 10)
KEYPOINTS = pa.list_(VECTOR3, 17)

_CAMERA = [
    ("camera_rotation", MATRIX3),
    ("camera_translation", VECTOR3),
    ("camera_intrinsics", MATRIX3),
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
        ("human_box", BOX),
        ("object_box", BOX),
        ("box_overlap", pa.float32()),
        ("pose", POSE),
        ("betas", BETAS),
        *_CAMERA,
        ("joints_2d", pa.list_(pa.list_(pa.float32(), 2), 24)),
    ]
)

#: Columns of a test row that an evaluation reads; the split's fingerprint covers them.
TEST_COLUMNS = (
    "sample_id", "category", "height", "width", "object_mask", "human_mask", "pose", "betas",
    *CAMERA_COLUMNS[:3],
)  # fmt: skip

#: The annotations of one person. The camera is of either kind: ``weak_camera`` is (s, tx,
#: ty) of a 224-pixel crop about ``crop_center`` with ``crop_scale`` (in units of 200 pixels); the
#: other columns are a perspective camera as a row has it.
PERSON = pa.struct(
    [
        ("box", BOX),
        ("score", pa.float32()),
        ("mask", RLE),
        ("keypoints", KEYPOINTS),
        ("pose", POSE),
        ("betas", BETAS),
        ("weak_camera", VECTOR3),
        ("crop_center", pa.list_(pa.float32(), 2)),
        ("crop_scale", pa.float32()),
        *_CAMERA,
    ]
)
OBJECT = pa.struct(
    [("category", pa.string()), ("box", BOX), ("score", pa.float32()), ("mask", RLE)]
)

#: One training image: address, image, annotations, verdict, and camera.
TRAIN_SCHEMA = pa.schema(
    [
        ("sample_id", pa.string()),
        ("category", pa.string()),
        ("prompt", pa.string()),
        ("view", pa.string()),
        ("index", pa.int32()),
        ("seed", pa.int64()),
        ("source", pa.string()),
        ("generator", pa.string()),
        ("height", pa.int32()),
        ("width", pa.int32()),
        ("image", IMAGE),
        ("people", pa.list_(PERSON)),
        ("objects", pa.list_(OBJECT)),
        ("verdict", pa.string()),
        ("reason", pa.string()),
        ("human_mask", RLE),
        ("object_mask", RLE),
        ("pose", POSE),
        ("betas", BETAS),
        *_CAMERA,
    ]
)
