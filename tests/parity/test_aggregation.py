"""Aggregation, semantic clusters and their helpers against the original's figures."""

import numpy as np
import pytest

from chorus_baselines.chorus import BodyPart, Cluster, aggregate
from chorus_baselines.chorus.clusters import (
    DEMO_PARTS,
    FULL_BODY,
    SEGMENT_NAMES,
    interaction_region,
    part_vertices,
)
from chorus_baselines.chorus.mirror import mirror_view
from chorus_baselines.chorus.views import View, read_view
from chorus_bench.datasets.masks import MaskRuns, encode_mask
from chorus_bench.geometry.boxes import box_areas, box_intersections
from chorus_bench.geometry.camera import PerspectiveCamera, azimuth_degrees
from chorus_bench.geometry.grid import GridSpec
from chorus_bench.selftest.data import golden, golden_body, unpack_masks
from chorus_bench.synthesis.non_maximum_suppression import (
    keep_without_near_duplicates,
)

VIEWS = 24
PARTS = {"left foot": "leftFoot", "right arm": "rightArm", "torso": "torso"}
GRID = GridSpec()


@pytest.fixture(scope="module")
def file():
    return golden("aggregation")


@pytest.fixture(scope="module")
def segments(file):
    bits = np.unpackbits(file["segments"])[: 24 * 6890].reshape(24, 6890)
    return {str(n): np.flatnonzero(b) for n, b in zip(file["segment_names"], bits, strict=True)}


@pytest.fixture(scope="module")
def rows(file):
    masks = unpack_masks(file["masks"], [(512, 512)] * VIEWS)
    return [
        {
            "sample_id": f"view {i}",
            "height": 512,
            "width": 512,
            "object_mask": encode_mask(mask),
            "pose": file["pose"][i].tolist(),
            "camera_rotation": file["R"][i].tolist(),
            "camera_translation": file["t"][i].tolist(),
            "camera_intrinsics": file["K"][i].tolist(),
        }
        for i, mask in enumerate(masks)
    ]


@pytest.fixture(scope="module")
def aggregation(rows, segments):
    parts = (*DEMO_PARTS, FULL_BODY)
    return aggregate(rows, body=golden_body(), grid=GRID, parts=parts, segments=segments)


def differing(found, theirs):
    """How many voxels differ by more than 1e-4."""
    assert found.dtype == np.float32
    return np.count_nonzero(np.abs(found - theirs) > 1e-4)


def test_the_field(aggregation):
    assert aggregation.views == VIEWS
    assert differing(aggregation.field(), golden("fields")["surfboard"]) <= 20


@pytest.mark.parametrize("part", PARTS)
def test_the_fields_of_body_parts(aggregation, file, part):
    # The torso's views are those of the right arm, and so its field is kept once.
    key = "rightArm" if part == "torso" else PARTS[part]
    assert aggregation.views_of(part) == len(file[f"{PARTS[part]}_views"])
    assert differing(aggregation.field(part), file[f"{key}_probability"]) <= 20


def test_the_views_of_body_parts(aggregation, file, rows, segments):
    assert aggregation.views_of("full body") == len(file["fullbody_views"])
    for number, row in enumerate(rows):
        one = aggregate(
            [row], body=golden_body(), grid=GRID, parts=(*DEMO_PARTS, FULL_BODY), segments=segments
        )
        for part, key in (*PARTS.items(), ("full body", "fullbody")):
            assert one.views_of(part) == (number in file[f"{key}_views"]), (number, part)


def test_the_votes_of_every_view(rows, file):
    for row, votes in zip(rows, file["n_mask_image"], strict=True):
        counts = aggregate([row], body=golden_body(), grid=GRID).counts
        assert counts.hits.sum() == pytest.approx(votes[0], abs=5)
        assert counts.seen.sum() == pytest.approx(votes[1], abs=5)


def test_azimuth_bins(aggregation, rows, file):
    views = [read_view(row) for row in rows]
    assert [view.azimuth_bin for view in views] == file["bin"].tolist()
    assert aggregation.counts.views.tolist() == np.bincount(file["bin"], minlength=12).tolist()
    centers = np.array([view.camera.center for view in views], dtype=np.float32)
    found = azimuth_degrees(centers[:, 0], centers[:, 2])
    assert found == pytest.approx(file["azimuth"], rel=0, abs=1e-4)


def test_body_parts_that_pass_and_block(rows, file, segments):
    foot, arm = DEMO_PARTS[1], DEMO_PARTS[0]
    clusters = [
        Cluster("both", (foot, arm)),
        Cluster("foot alone", (foot,), (arm,)),
        Cluster("arm alone", (arm,), (foot,)),
    ]
    found = aggregate(rows, body=golden_body(), parts=clusters, segments=segments)
    feet, arms = set(file["leftFoot_views"].tolist()), set(file["rightArm_views"].tolist())
    assert found.views_of("both") == len(feet & arms)
    assert found.views_of("foot alone") == len(feet - arms)
    assert found.views_of("arm alone") == len(arms - feet)


@pytest.mark.parametrize("part", [*DEMO_PARTS, FULL_BODY], ids=lambda part: part.name)
def test_interaction_regions(file, segments, part):
    key = "fullbody" if part is FULL_BODY else PARTS[part.name]
    theirs = np.flatnonzero(np.unpackbits(file[f"region_{key}"]))
    region = interaction_region(part_vertices(part, segments), golden_body(), GRID)
    assert region.tolist() == theirs.tolist()


def test_names_of_segments(file):
    assert tuple(file["segment_names"]) == SEGMENT_NAMES


def test_segments_by_dominant_joint_lie_where_the_segments_are(segments):
    """The fallback's parts cover nearly the same voxels as the segmentation file's."""
    body = golden_body()
    dominant = {
        name: np.flatnonzero(body.dominant_joints() == i) for i, name in enumerate(segments)
    }
    for part in (*DEMO_PARTS, BodyPart("head", ("head",))):
        regions = [
            set(interaction_region(part_vertices(part, s), body, GRID).tolist())
            for s in (segments, dominant)
        ]
        assert len(regions[0] & regions[1]) > 0.6 * len(regions[0] | regions[1])


@pytest.mark.parametrize("case", range(4))
def test_mirrored_views(file, case):
    def view(side):
        masks = unpack_masks(file[f"mirror_{side}_masks"], file["mirror_sizes"])
        camera = PerspectiveCamera(*(file[f"mirror_{side}_{key}"][case] for key in "RtK"))
        return View(
            MaskRuns.of_mask(masks[case].astype(np.uint8)),
            file[f"mirror_{side}_pose"][case],
            camera,
        )

    theirs, found = view("out"), mirror_view(view("in"))
    assert np.array_equal(found.mask, theirs.mask)
    assert np.array_equal(found.pose, theirs.pose)
    assert np.array_equal(found.camera.rotation, theirs.camera.rotation)
    assert np.array_equal(found.camera.translation, theirs.camera.translation)
    expected = theirs.camera.intrinsics.copy()
    if (
        case == 3
    ):  # Its principal point, 20, is off the middle of 33 pixels; the original leaves it.
        expected[0, 2] = 33 - 20
    assert np.array_equal(found.camera.intrinsics, expected)


def test_near_duplicates(file):
    ends = np.cumsum(file["duplicate_counts"])[:-1]
    boxes, scores, kept = (
        np.split(file[f"duplicate_{key}"], ends) for key in ("boxes", "scores", "kept")
    )
    assert len(boxes) == 35
    for case, (overlap, sure) in enumerate(file["duplicate_settings"]):
        corners = boxes[case].reshape(-1, 4) + np.pad(boxes[case][:, :2], ((0, 0), (2, 0)))
        found = keep_without_near_duplicates(
            corners, scores[case], min_overlap=overlap, sure_score=sure
        )
        assert found == np.flatnonzero(kept[case]).tolist()


def test_boxes(file):
    for (one, other), theirs in zip(file["box_pairs"], file["box_areas"], strict=True):
        found = [*box_areas([one, other]), *box_intersections(one, other)[0]]
        assert found == pytest.approx(theirs, rel=1e-12)
