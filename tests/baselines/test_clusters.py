"""Body parts, segments and regions by name."""

import json

import numpy as np
import pytest

from chorus_baselines.chorus import DEMO_PARTS, BodyPart, Cluster, read_segments
from chorus_baselines.chorus.clusters import (
    FULL_BODY,
    SEGMENT_NAMES,
    body_part,
    cluster_label,
    dominant_segments,
    interaction_region,
    make_clusters,
    part_vertices,
)
from chorus_bench.errors import InputError
from chorus_bench.geometry.body_files import load_body
from chorus_bench.geometry.grid import GridSpec

BODY = load_body("default")


def test_every_vertex_belongs_to_the_joint_that_moves_it_most():
    segments = dominant_segments(BODY)
    assert tuple(segments) == SEGMENT_NAMES
    together = np.concatenate(list(segments.values()))
    assert sorted(together.tolist()) == list(range(BODY.vertices))
    # x points to the person's left, y up.
    place = {name: BODY.canonical_vertices[ids].mean(axis=0) for name, ids in segments.items()}
    assert place["leftHand"][0] > place["leftArm"][0] > 0 > place["rightForeArm"][0]
    assert place["head"][1] > place["spine1"][1] > place["leftLeg"][1] > place["rightFoot"][1]


def test_names():
    assert body_part("left foot") == DEMO_PARTS[1]
    assert body_part("leftFoot").segments == ("leftFoot",)
    assert body_part("leftHand + rightHand").segments == ("leftHand", "rightHand")
    assert body_part("right arm+rightForeArm").segments == ("rightArm", "rightForeArm")
    assert body_part("full body") is FULL_BODY
    with pytest.raises(
        InputError, match=r"(?s)unknown body part 'leftHnd'.*Did you mean 'leftHand"
    ):
        body_part("rightHand+leftHnd")
    with pytest.raises(InputError, match=r"(?s)hat: unknown segment 'heed'.*Did you mean 'head'"):
        BodyPart("hat", ("heed",))
    with pytest.raises(InputError, match="has no segment"):
        BodyPart("nothing", ())


def test_clusters():
    head, torso = body_part("head"), body_part("torso")
    both = Cluster("both", (head,), (torso,))
    assert [c.name for c in make_clusters(["head", torso, both])] == ["head", "torso", "both"]
    assert make_clusters("head") == make_clusters([head]) == (Cluster("head", (head,)),)
    assert make_clusters([both, both]) == (both,)
    with pytest.raises(InputError, match="two different clusters are called 'head'"):
        make_clusters([head, Cluster("head", (torso,))])
    with pytest.raises(InputError, match="'head' both passes and blocks"):
        Cluster("x", (head, torso), (head,))
    with pytest.raises(InputError, match="no passing body part"):
        Cluster("x", ())


def test_labels_tell_clusters_and_segmentations_apart():
    segments = dominant_segments(BODY)
    head, torso = body_part("head"), body_part("torso")
    cluster = Cluster("x", (head,), (torso,))
    label = cluster_label(cluster, segments)
    assert label.startswith("x: pass head#")
    assert ", block spine+spine1+" in label
    assert label != cluster_label(cluster, {**segments, "spine": np.arange(9)})
    assert label != cluster_label(Cluster("x", (head,)), segments)


def test_regions_by_brute_force():
    grid = GridSpec(24, 2.4, (0, 0.1, 0))
    vertices = dominant_segments(BODY)["leftHand"]
    points = BODY.canonical_vertices[vertices]
    squared = ((grid.centers()[:, None] - points) ** 2).sum(axis=-1).min(axis=1)
    expected = np.flatnonzero(np.sqrt(squared).astype(np.float32) < np.float32(0.13))
    assert len(expected) > 20
    assert interaction_region(vertices, BODY, grid).tolist() == expected.tolist()


def test_parts_without_vertices_or_segments():
    segments = dominant_segments(BODY)
    with pytest.raises(InputError, match="'head' has no vertex"):
        part_vertices(body_part("head"), segments | {"head": np.zeros(0, dtype=np.int64)})
    with pytest.raises(InputError, match="head: unknown segment 'head'"):
        part_vertices(body_part("head"), {"hips": np.arange(3)})


def segments_of(ids):
    return dict.fromkeys(SEGMENT_NAMES, ids)


def write(tmp_path, content):
    path = tmp_path / "segments.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_a_segmentation_file(tmp_path):
    content = {name: [number, 3, number] for number, name in enumerate(SEGMENT_NAMES)}
    segments = read_segments(write(tmp_path, content | {"eyeballs": [1]}), BODY)
    assert tuple(segments) == SEGMENT_NAMES
    assert segments["spine1"].tolist() == [3, 6]
    part = part_vertices(BodyPart("x", ("spine1", "neck")), segments)
    assert part.tolist() == [3, 6, 12]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is truncated"),
        ([1], "not a segmentation"),
        ({"hips": [1]}, "no segment 'leftUpLeg'"),
        (segments_of([10**6]), "hips: vertex 1000000 does not exist"),
        (segments_of([-1]), "vertex -1 does not exist"),
        (segments_of([0.5]), "not a list of vertex ids"),
        (segments_of("all"), "not a list of vertex ids"),
    ],
)
def test_files_that_are_no_segmentations(tmp_path, content, message):
    with pytest.raises(InputError, match=message):
        read_segments(write(tmp_path, content), BODY)


def test_a_missing_segmentation_file(tmp_path):
    with pytest.raises(InputError, match="no such segmentation file"):
        read_segments(tmp_path / "none.json", BODY)
