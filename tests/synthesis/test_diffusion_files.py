"""The files of a diffusion model: damaged, incomplete, pickled, or with code of their own."""

import json
import pickle
import shutil

import pytest

from chorus_bench.errors import InputError
from tests.synthesis.diffusion import make


@pytest.fixture
def folder(stable_diffusion, tmp_path):
    """Give a tiny model that may be changed."""
    return shutil.copytree(stable_diffusion, tmp_path / "model")


def test_a_damaged_file_is_named(folder):
    file = folder / "unet" / "diffusion_pytorch_model.safetensors"
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(InputError, match="is damaged") as error:
        make(folder)
    assert error.value.where == str(file)


@pytest.mark.parametrize("damage", ["missing", "garbled", "unknown", "no weights"])
def test_a_folder_that_is_not_a_whole_model(folder, damage):
    index = folder / "model_index.json"
    if damage == "missing":
        index.unlink()
    elif damage == "garbled":
        index.write_text("{")
    elif damage == "unknown":
        index.write_text(json.dumps({"_class_name": "MyPipeline"}))
    else:
        (folder / "vae" / "diffusion_pytorch_model.safetensors").unlink()
    expected = {
        "missing": "the folder of the model has no model_index.json",
        "garbled": "is not a valid JSON file",
        "unknown": "MyPipeline",
        "no weights": "lacks weights in the safetensors format",
    }
    with pytest.raises(InputError, match=expected[damage]) as error:
        make(folder)
    assert str(folder) in str(error.value)


class Trap:
    """Writes a file when it is unpickled."""

    def __init__(self, file):
        self.file = file

    def __reduce__(self):
        return (open, (str(self.file), "w"))


def test_pickled_weights_are_refused_and_never_run(folder, tmp_path):
    trap = tmp_path / "executed"
    for name in ("unet/diffusion_pytorch_model", "text_encoder/model"):
        (folder / f"{name}.safetensors").unlink()
        pickled = folder / f"{name.replace('/model', '/pytorch_model')}.bin"
        pickled.write_bytes(pickle.dumps(Trap(trap)))
    with pytest.raises(
        InputError, match=r"pickled ones: text_encoder/pytorch_model.bin, unet/"
    ) as error:
        make(folder)
    assert "pickled weights can run any code and are never loaded here" in str(error.value)
    assert not trap.exists()


def test_code_of_a_model_s_own_is_not_run(folder, tmp_path):
    trap = tmp_path / "executed"
    code = f"open({str(trap)!r}, 'w')\nfrom diffusers import UNet2DConditionModel as MyUNet\n"
    (folder / "unet" / "my_unet.py").write_text(code)
    (folder / "pipeline.py").write_text(code)
    index = json.loads((folder / "model_index.json").read_text())
    index["unet"] = ["my_unet", "MyUNet"]
    (folder / "model_index.json").write_text(json.dumps(index))
    with pytest.raises(InputError, match="cannot be loaded"):
        make(folder)
    assert not trap.exists()
