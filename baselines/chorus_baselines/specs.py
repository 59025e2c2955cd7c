"""Descriptions of the shipped baselines, without importing them."""

from __future__ import annotations

from typing import Any

from chorus_bench.plugins import BaselineSpec, ExpectedScores

PAPER = (
    "Han and Joo, CHORUS: Learning Canonicalized 3D Human-Object Spatial Relations from "
    "Unbounded Synthesized Images, ICCV 2023"
)
SETTING = "extended COCO-EFT, 14 categories, SMPL, 5,000 to 90,000 synthesised images per category"

_SCORES = ("mPAP", "mPAP_strict", "mPAP_hoa", "mPAP_strict_hoa")
_CHORUS = "chorus_baselines.chorus.method:fit_chorus"
_CHORUS_NEEDS = ("sample_id", "category", "height", "width", "people", "objects")


def _chorus(name: str, summary: str, scores: tuple[float, ...], **options: Any) -> BaselineSpec:  # noqa: ANN401
    published = [
        ExpectedScores(SETTING, "paper, ablation table", dict(zip(_SCORES, some, strict=True)))
        for some in [scores]
        if some
    ]
    return BaselineSpec(
        name=name,
        summary=summary,
        function=_CHORUS,
        options=options,
        needs=_CHORUS_NEEDS,
        engines=True,
        paper=PAPER,
        expected=tuple(published),
    )


SPECS = (
    _chorus(
        "chorus",
        "CHORUS: filters, cameras, aggregation over all kept views",
        (19.86, 17.18, 20.28, 16.80),
    ),
    _chorus(
        "chorus-no-keypoint-filter",
        "CHORUS on the same number of images, drawn regardless of visible keypoints",
        (18.31, 15.90, 19.97, 16.52),
        keypoint_filter=False,
    ),
    _chorus(
        "chorus-no-canonicalization",
        "CHORUS with voxels that do not follow the body",
        (17.52, 15.12, 19.56, 15.85),
        canonicalize=False,
    ),
    _chorus(
        "chorus-10pct",
        "CHORUS on a tenth of the kept views",
        (17.90, 16.13, 18.86, 15.82),
        ratio=0.1,
    ),
    _chorus(
        "chorus-1pct",
        "CHORUS on a hundredth of the kept views",
        (14.98, 13.81, 15.21, 13.73),
        ratio=0.01,
    ),
    _chorus(
        "chorus-no-view-sampling",
        "CHORUS with equal weights of all views, whatever their direction",
        (),
        weights="equal",
    ),
    BaselineSpec(
        name="uniform",
        summary="the chance level: every voxel is as likely as any other",
        function="chorus_baselines.uniform:fit_uniform",
        reads="any",
    ),
    BaselineSpec(
        name="body-proximity",
        summary="no learning: probability falls with the distance from the body",
        function="chorus_baselines.body_proximity:fit_body_proximity",
        reads="any",
    ),
    BaselineSpec(
        name="mean-mask-extrusion",
        summary="the mean object mask about the pelvis, extruded along depth",
        function="chorus_baselines.mean_mask_extrusion:fit_mean_mask_extrusion",
        needs=("category", "height", "width", "people", "objects"),
    ),
    BaselineSpec(
        name="oracle",
        summary="the target mask of each test image, extruded: the ceiling of the metric",
        function="chorus_baselines.oracle:fit_oracle",
        reads="test",
        track="posed",
        needs=("sample_id", "object_mask"),
    ),
    BaselineSpec(
        name="oracle-3d",
        summary="the truth in 3D of each test sample: the best that a field of voxels can know",
        function="chorus_baselines.oracle:fit_oracle",
        reads="test",
        track="posed",
        options={"source": "truth"},
        needs=("sample_id", "object_occupancy"),
    ),
)
