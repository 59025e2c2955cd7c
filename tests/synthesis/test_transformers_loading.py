"""Loading and running annotators on transformers: what is named, what is refused, what is used."""

import json
import shutil
import sys

import pytest
import torch
from safetensors.torch import load_file

from chorus_bench.errors import InputError, MissingDependencyError
from chorus_bench.synthesis.annotators.keypoints import make_keypoints
from chorus_bench.synthesis.annotators.open_vocabulary import make_open_vocabulary
from chorus_bench.synthesis.annotators.segmentation import make_segmentation
from chorus_bench.synthesis.batching import Batches
from chorus_bench.synthesis.interfaces import (
    OutOfDeviceMemoryError,
)
from chorus_bench.synthesis.registry import check_options
from tests.synthesis.annotator_checks import (
    ASKED,
    KINDS,
    changed,
    context,
    same,
    segmenter,
)


def test_loading_says_nothing(folders, capfd):
    for kind in KINDS:
        segmenter(folders, kind)
    make_keypoints(context(), model=str(folders.plus))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("feature_extractor_type", "MaskFormerFeatureExtractor"),
        ("image_processor_type", "MaskFormerImageProcessor"),
        ("image_processor_type", "Mask2FormerImageProcessorFast"),
    ],
)
def test_older_names_of_processors_are_read(folders, pictures, tmp_path, key, name):
    folder = tmp_path / "older"
    shutil.copytree(folders.mask2former, folder)
    path = folder / "preprocessor_config.json"
    settings = json.loads(path.read_text())
    del settings["image_processor_type"]
    path.write_text(json.dumps({**settings, key: name}))
    loaded = make_segmentation(context(), model=str(folder), threshold=0.0)
    assert type(loaded.loaded.processor).__name__.endswith("Pil")
    expected = segmenter(folders, "mask2former").segment(pictures, ASKED)
    results = zip(loaded.segment(pictures, ASKED), expected, strict=True)
    assert all(same(a, b) for a, b in results)


def test_a_damaged_file_is_named(folders, tmp_path):
    folder = tmp_path / "damaged"
    shutil.copytree(folders.mask2former, folder)
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(InputError, match=r"damaged") as caught:
        make_segmentation(context(), model=str(folder))
    assert "model.safetensors" in str(caught.value)


def test_pickled_weights_are_refused(folders, tmp_path):
    folder = tmp_path / "pickled"
    shutil.copytree(folders.plus, folder)
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    with pytest.raises(InputError, match="lacks weights in the safetensors format"):
        make_keypoints(context(), model=str(folder))


def test_missing_weights_are_named(folders, tmp_path):
    def without_one(weights):
        return {name: w for name, w in weights.items() if name != "class_predictor.weight"}

    folder = changed(folders.mask2former, tmp_path / "lacking", without_one)
    with pytest.raises(InputError, match=r"lacks 1 weight: class_predictor\.weight"):
        make_segmentation(context(), model=str(folder))


@pytest.mark.parametrize("change", ["config.json", "preprocessor_config.json"])
def test_a_missing_or_spoilt_configuration_is_an_error(folders, tmp_path, change):
    for name, spoil in (("missing", lambda p: p.unlink()), ("spoilt", lambda p: p.write_text("{"))):
        folder = tmp_path / name
        shutil.copytree(folders.mask2former, folder)
        spoil(folder / change)
        with pytest.raises(InputError):
            make_segmentation(context(), model=str(folder))


def test_a_model_of_another_kind_is_an_error(folders):
    with pytest.raises(InputError, match="of the kind 'sam'") as caught:
        make_segmentation(context(), model=str(folders.sam))
    assert "mask2former, maskformer" in str(caught.value)
    with pytest.raises(InputError, match="of the kind 'mask2former'"):
        make_keypoints(context(), model=str(folders.mask2former))
    with pytest.raises(InputError, match="of the kind 'owlv2'"):
        make_open_vocabulary(context(), detector=str(folders.owl), masks=str(folders.owl))


def test_a_model_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(InputError, match="no such folder"):
        make_segmentation(context(), model=str(tmp_path / "nothing"))
    with pytest.raises(InputError, match="not completely in the cache"):
        make_keypoints(context(), model="nobody/nothing", local_files_only=True)


@pytest.mark.parametrize("threshold", [-0.1, 1.5, float("nan"), "high"])
def test_wrong_thresholds(folders, threshold):
    for kind in ("mask2former", "owl"):
        with pytest.raises(InputError, match="`threshold` is"):
            segmenter(folders, kind, threshold=threshold)


def test_without_transformers_the_extra_is_named(folders, monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(MissingDependencyError, match=r"chorus-bench\[synthesis\]"):
        make_keypoints(context(), model=str(folders.plus))


def test_wrong_number_types_and_devices(folders):
    with pytest.raises(InputError, match="unknown dtype 'float8'"):
        segmenter(folders, "mask2former", dtype="float8")
    with pytest.raises(InputError):
        make_keypoints(context(device="cuda:99"), model=str(folders.plus))


def test_torch_uses_the_threads_of_the_run_and_no_others_after_it(folders, pictures):
    loaded = segmenter(folders, "mask2former")
    seen = []
    loaded.loaded.network.register_forward_hook(lambda *_: seen.append(torch.get_num_threads()))
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        loaded.segment(pictures[:1], ASKED)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert seen == [1]
    assert not loaded.loaded.network.training


def test_running_out_of_device_memory_halves_the_batch(folders, pictures):
    loaded = segmenter(folders, "mask2former")

    def refuse(_, arguments, options):
        if len(options["pixel_values"]) > 1:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")

    loaded.loaded.network.register_forward_pre_hook(refuse, with_kwargs=True)
    twice = [pictures[0], pictures[2]]
    with pytest.raises(OutOfDeviceMemoryError, match="out of memory"):
        loaded.segment(twice, ASKED)
    found = list(Batches(2, "images").map(lambda some: loaded.segment(some, ASKED), twice))
    assert len(found) == 2


def test_the_registry_knows_the_options():
    check_options("segmenter", "transformers", {"model": "m", "threshold": 0.5, "dtype": "float16"})
    check_options("segmenter", "open-vocabulary", {"detector": "d", "masks": "m"})
    with pytest.raises(InputError, match="unknown option 'treshold'"):
        check_options("keypoint detector", "transformers", {"treshold": 0.5})
