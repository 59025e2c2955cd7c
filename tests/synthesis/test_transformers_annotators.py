"""Segmenters on transformers: real classes with tiny random weights, saved and loaded again."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch.nn.functional import avg_pool2d
from transformers import Mask2FormerImageProcessorPil

from chorus_bench.datasets.coco_eft.categories import CATEGORIES
from chorus_bench.errors import InputError
from chorus_bench.synthesis.annotators.segmentation import make_segmentation
from chorus_bench.synthesis.interfaces import (
    Picture,
)
from tests.synthesis import tiny_annotators
from tests.synthesis.annotator_checks import (
    ASKED,
    KINDS,
    WHITE,
    changed,
    context,
    not_numbers,
    same,
    segmenter,
)

#: The names of the 80 COCO classes in the default model, where they are not COCO's.
MMDET = {
    "motorcycle": "motorbike",
    "airplane": "aeroplane",
    "couch": "sofa",
    "potted plant": "pottedplant",
    "dining table": "diningtable",
    "tv": "tvmonitor",
}


@pytest.mark.parametrize("kind", KINDS)
def test_detections_are_well_formed(folders, pictures, kind):
    found = segmenter(folders, kind).segment(pictures, ASKED)
    assert len(found) == len(pictures)
    assert sum(map(len, found)) > 0
    for picture, detections in zip(pictures, found, strict=True):
        height, width = picture.size
        for detection in detections:
            left, top, right, bottom = detection.box
            assert detection.category in ASKED
            assert detection.mask.shape == (height, width)
            assert detection.mask.dtype == bool
            assert detection.mask.any()
            assert detection.box.dtype == np.float32
            assert 0 <= left < right <= width
            assert 0 <= top < bottom <= height
            assert isinstance(detection.score, float)
            assert 0 <= detection.score <= 1
        scores = [detection.score for detection in detections]
        assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize("kind", KINDS)
def test_two_loaded_ones_agree_to_the_last_bit(folders, pictures, kind):
    first, second = (segmenter(folders, kind) for _ in range(2))
    assert first.description == second.description
    results = zip(first.segment(pictures, ASKED), second.segment(pictures, ASKED), strict=True)
    assert all(same(a, b) for a, b in results)


@pytest.mark.parametrize("kind", KINDS)
def test_pictures_of_other_sizes_in_the_batch_change_nothing(folders, pictures, kind):
    loaded = segmenter(folders, kind)
    chosen = pictures[1:2] + pictures[3:]
    together = loaded.segment(chosen, ASKED)
    alone = [loaded.segment([picture], ASKED)[0] for picture in chosen]
    assert all(same(a, b) for a, b in zip(together, alone, strict=True))


@pytest.mark.parametrize("kind", KINDS)
def test_a_high_threshold_leaves_pictures_without_detections(folders, pictures, kind):
    # A random Grounding DINO is sure of itself.
    assert segmenter(folders, kind, threshold=1.0).segment(pictures, ASKED) == [[], [], [], []]


@pytest.mark.parametrize("kind", ["mask2former", "maskformer", "owl"])
def test_weights_that_are_not_numbers_find_nothing(folders, pictures, tmp_path, kind):
    broken = changed(getattr(folders, kind), tmp_path / "broken", not_numbers)
    folders = SimpleNamespace(**{**vars(folders), kind: broken})
    assert segmenter(folders, kind).segment(pictures, ASKED) == [[], [], [], []]


def test_open_vocabulary_weights_that_are_not_numbers_find_nothing(folders, pictures, tmp_path):
    for name in ("grounding_dino", "sam"):
        broken = changed(getattr(folders, name), tmp_path / name, not_numbers)
        with_broken = SimpleNamespace(**{**vars(folders), name: broken})
        found = segmenter(with_broken, "grounding_dino").segment(pictures, ASKED)
        assert found == [[], [], [], []]


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_asked_or_nothing_given(folders, pictures, kind):
    loaded = segmenter(folders, kind)
    assert loaded.segment(pictures, ()) == [[], [], [], []]
    assert loaded.segment([], ASKED) == []


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_other_number_types(folders, pictures, kind, dtype):
    loaded = segmenter(folders, kind, dtype=dtype)
    found = loaded.segment(pictures[:1], ASKED)
    assert found[0]
    assert dtype in loaded.description


@pytest.mark.parametrize("kind", KINDS)
def test_small_pictures_and_such_as_cannot_be_written_to(folders, kind):
    pixels = np.random.default_rng(0).integers(0, 256, (3, 40, 3), dtype=np.uint8)
    pixels.flags.writeable = False
    (found,) = segmenter(folders, kind).segment([Picture("thin", None, pixels)], ASKED)
    assert all(detection.mask.shape == (3, 40) for detection in found)


def test_descriptions_name_what_decides_the_result(folders):
    import transformers

    fixed = segmenter(folders, "mask2former", threshold=0.75).description
    assert fixed.startswith("Mask2FormerForUniversalSegmentation folder mask2former (xxh3 ")
    assert fixed.endswith(f"float32, score >= 0.75, transformers {transformers.__version__}")
    opened = segmenter(folders, "grounding_dino", threshold=0.3).description
    assert "GroundingDinoForObjectDetection folder detector" in opened
    assert "SamModel folder sam" in opened
    assert "score >= 0.3" in opened
    assert "\n" not in fixed + opened


# --- segmentation with fixed names ----------------------------------------------------------


class BrightMasks(torch.nn.Module):
    """Two queries whose masks are what is bright; a third one is empty."""

    def __init__(self, inner):
        super().__init__()
        self.inner, self.config = inner, inner.config

    def forward(self, pixel_values, **_):
        bright = avg_pool2d(pixel_values.mean(1, keepdim=True), 4) * 20
        masks = torch.cat([bright, bright, -torch.ones_like(bright) * 9], dim=1)
        classes = torch.full((len(masks), 3, len(tiny_annotators.NAMES) + 1), -9.0)
        classes[:, 0, tiny_annotators.NAMES.index("person")] = 9.0
        classes[:, 1, tiny_annotators.NAMES.index("bench")] = 9.0
        classes[:, 2, tiny_annotators.NAMES.index("person")] = 9.0
        return SimpleNamespace(class_queries_logits=classes, masks_queries_logits=masks)


@pytest.mark.parametrize("kind", ["mask2former", "maskformer"])
def test_a_bright_rectangle_comes_back_where_it_is(folders, bright, kind):
    loaded = segmenter(folders, kind, threshold=0.8)
    loaded.loaded.network = BrightMasks(loaded.loaded.network)
    (found,) = loaded.segment([bright], ("person", "tie"))
    (detection,) = found
    truth = np.zeros(bright.size, bool)
    truth[WHITE] = True
    overlap = (detection.mask & truth).sum() / (detection.mask | truth).sum()
    assert detection.category == "person"
    assert detection.score > 0.8
    assert overlap > 0.8
    np.testing.assert_allclose(detection.box, [60, 40, 140, 90], atol=7)


def test_scores_and_masks_are_those_of_transformers_at_its_own_size(folders):
    pixels = np.random.default_rng(0).integers(0, 256, (384, 384, 3), dtype=np.uint8)
    loaded = segmenter(folders, "mask2former")
    (found,) = loaded.segment([Picture("noise", None, pixels)], tiny_annotators.NAMES)
    processor = Mask2FormerImageProcessorPil.from_pretrained(folders.mask2former)
    with torch.inference_mode():
        output = loaded.loaded.network(**processor(images=[pixels], return_tensors="pt"))
    (theirs,) = processor.post_process_instance_segmentation(
        output, threshold=0.0, target_sizes=[(384, 384)], return_binary_maps=True
    )
    assert len(found) == 12 * 6  # transformers keeps as many as there are queries
    kept = {round(info["score"], 5): info["label_id"] for info in theirs["segments_info"]}
    best = {round(d.score, 5): tiny_annotators.NAMES.index(d.category) for d in found}
    assert len(kept) > 8
    assert kept.items() <= best.items()
    first = max(range(12), key=lambda i: theirs["segments_info"][i]["score"])
    match = [d for d in found if abs(d.score - theirs["segments_info"][first]["score"]) < 1e-5]
    assert any(np.array_equal(d.mask, theirs["segmentation"][first].numpy() == 1) for d in match)


@pytest.mark.parametrize(
    "name", ["Tennis_Racket", "tennis-racket", "TENNIS RACKET", "tennisracket"]
)
def test_spelling_does_not_matter(folders, pictures, name):
    loaded = segmenter(folders, "mask2former")
    loaded.check_categories([name])
    assert {d.category for d in loaded.segment(pictures[:1], [name])[0]} == {name}


def test_an_unknown_category_is_an_error_with_what_there_is(folders, pictures):
    loaded = segmenter(folders, "mask2former")
    with pytest.raises(InputError, match="no category 'bycicle'") as caught:
        loaded.check_categories(["person", "bycicle"])
    assert "Did you mean 'bicycle'?" in str(caught.value)
    assert "sports ball" in str(caught.value)
    assert "'open-vocabulary' accepts any name" in str(caught.value)
    with pytest.raises(InputError, match="no category 'guitar'"):
        loaded.segment(pictures[:1], ["guitar"])


def test_every_category_of_coco_is_found_in_the_default_models_list(tmp_path):
    names = ["person", *(MMDET.get(name, name) for name in CATEGORIES)]
    folder = tiny_annotators.tiny_segmenter(tmp_path / "coco", names)
    loaded = make_segmentation(context(), model=str(folder), threshold=0.0)
    loaded.check_categories(["person", *CATEGORIES, *MMDET.values()])
    black = Picture("black", None, np.zeros((64, 64, 3), np.uint8))
    wanted = ("motorcycle", "couch", "sofa")
    assert {d.category for d in loaded.segment([black], wanted)[0]} == set(wanted)


def test_coco_spelling_and_the_older_one_both_work_on_coco_names(tmp_path):
    folder = tiny_annotators.tiny_segmenter(tmp_path / "coco", ["person", *CATEGORIES])
    loaded = make_segmentation(context(), model=str(folder))
    loaded.check_categories([*MMDET, *MMDET.values()])


def test_a_name_of_its_own_is_not_taken_for_another(tmp_path):
    folder = tiny_annotators.tiny_segmenter(tmp_path / "both", ["couch", "sofa", "person"])
    loaded = make_segmentation(context(), model=str(folder))
    assert [loaded._label(name) for name in ("couch", "sofa")] == [0, 1]


# --- open vocabulary ------------------------------------------------------------------------


class FixedBoxes(torch.nn.Module):
    """Queries with given boxes (center x, y, width, height, relative) and logits."""

    def __init__(self, inner, boxes, logits):
        super().__init__()
        self.config, self.boxes, self.logits = inner.config, torch.tensor(boxes), logits

    def forward(self, pixel_values, **_):
        count = len(pixel_values)
        return SimpleNamespace(
            pred_boxes=self.boxes.expand(count, -1, -1),
            logits=self.logits.expand(count, -1, -1),
        )


class BrightInBoxes(torch.nn.Module):
    """The masks of a SAM that finds what is bright inside of each box; notes the boxes."""

    def __init__(self, inner):
        super().__init__()
        self.config, self.seen = inner.config, []

    def forward(self, pixel_values, input_boxes, multimask_output):
        assert not multimask_output
        self.seen.append(input_boxes)
        bright = avg_pool2d(pixel_values.mean(1, keepdim=True), 2)
        return SimpleNamespace(
            pred_masks=bright[:, None].expand(-1, input_boxes.shape[1], -1, -1, -1)
        )


def with_fixed_boxes(folders, kind, boxes, logits, threshold=0.5):
    loaded = segmenter(folders, kind, threshold=threshold)
    loaded.detector.network = FixedBoxes(loaded.detector.network, boxes, logits)
    loaded.masks.network = BrightInBoxes(loaded.masks.network)
    return loaded


@pytest.mark.parametrize("kind", ["grounding_dino", "owl"])
def test_a_box_comes_back_where_it_is_with_its_mask(folders, bright, kind):
    # The picture is 150 x 200; OWLv2 pads it to a square before it counts in fractions.
    height, width = (150, 200) if kind == "grounding_dino" else (200, 200)
    box = [100 / width, 65 / height, 80 / width, 50 / height]
    logits = torch.full((1, 1, 256 if kind == "grounding_dino" else 1), 4.0)
    loaded = with_fixed_boxes(folders, kind, [[box]], logits)
    ((detection,),) = loaded.segment([bright], ["tennis racket"])
    truth = np.zeros(bright.size, bool)
    truth[WHITE] = True
    np.testing.assert_allclose(detection.box, [60, 40, 140, 90], atol=1e-3)
    assert detection.score == pytest.approx(1 / (1 + np.exp(-4)), abs=1e-5)
    assert (detection.mask & truth).sum() / (detection.mask | truth).sum() > 0.8
    # SAM's input is 64 pixels wide here: boxes are given in its pixels.
    (seen,) = loaded.masks.network.seen
    np.testing.assert_allclose(seen[0, 0], np.array([60, 40, 140, 90]) * 64 / 200, atol=0.1)


def test_boxes_are_cut_at_the_picture_and_those_outside_of_it_dropped(folders, bright):
    boxes = [[[0.0, 0.5, 1.0, 0.5], [1.5, 0.5, 0.2, 0.2], [0.5, 0.5, 0.0, 0.2]]]
    loaded = with_fixed_boxes(folders, "grounding_dino", boxes, torch.full((1, 3, 256), 4.0))
    ((detection,),) = loaded.segment([bright], ["person"])
    np.testing.assert_allclose(detection.box, [0, 37.5, 100, 112.5], atol=1e-3)


def test_a_category_of_two_words_needs_both(folders, bright):
    # Tokens: [CLS] person . tennis racket . [SEP]
    logits = torch.full((1, 2, 256), -9.0)
    logits[0, 0, 4] = 9.0
    logits[0, 1, 3:5] = 9.0
    boxes = [[[0.3, 0.5, 0.2, 0.2], [0.5, 0.5, 0.2, 0.2]]]
    loaded = with_fixed_boxes(folders, "grounding_dino", boxes, logits, threshold=0.7)
    ((detection,),) = loaded.segment([bright], ["person", "Tennis_Racket"])
    assert detection.category == "Tennis_Racket"
    assert detection.box[0] == pytest.approx(80)


def test_a_picture_without_boxes_is_not_given_to_sam(folders, bright):
    loaded = with_fixed_boxes(
        folders, "grounding_dino", [[[0.5, 0.5, 0.2, 0.2]]], torch.full((1, 1, 256), -9.0)
    )
    assert loaded.segment([bright], ["person"]) == [[]]
    assert loaded.masks.network.seen == []


@pytest.mark.parametrize("kind", ["grounding_dino", "owl"])
def test_any_name_is_taken(folders, pictures, kind):
    names = ["person", "St. Bernard dog?", "köttbulle", "a zzz-top   guitar", "x"]
    loaded = segmenter(folders, kind)
    loaded.check_categories(names)
    (found,) = loaded.segment(pictures[:1], names)
    assert {d.category for d in found} <= set(names)
    with pytest.raises(InputError, match="has no letters"):
        loaded.check_categories([" . "])


# --- keypoints ------------------------------------------------------------------------------
