"""What goes wrong while a model is loaded: a stand-in hub that refuses, and damaged folders."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from chorus_bench.errors import ChorusBenchError, InputError
from chorus_bench.synthesis.model_files import (
    check_device,
    damaged_files,
    loading,
    model_version,
)
from tests.synthesis.model_hub import COMMIT, REFUSALS, running_model_hub
from tests.synthesis.tiny_models import tiny_pipeline

REPOSITORY = Path(__file__).parents[2]
WEIGHTS = ("unet/diffusion_pytorch_model", "vae/diffusion_pytorch_model", "text_encoder/model")

GOOD = ("diffusers", "org/good", {})
PICKLED = ("diffusers", "org/pickled", {})
EMPTY = ("diffusers", "org/empty", {})
NO_REVISION = ("diffusers", "org/good", {"revision": "nope"})
TAG = ("diffusers", "org/good", {"revision": "v1"})
NOT_CACHED = ("transformers", "org/never", {"local_files_only": True})
NOT_THAT_KIND = ("transformers", "org/good", {})
AFTERWARDS = [GOOD, ("diffusers", "org/other", {})]


@contextlib.contextmanager
def loader(address, home):
    """Give a function that loads models and says how each case ended, in a process of its own.

    The process knows the hub at this address. It is one, for the libraries take long to import.
    """
    environment = {
        "PATH": os.environ["PATH"],
        "HF_HOME": str(home),
        "HF_ENDPOINT": address,
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_TOKEN": "hf_dummy",
        "NO_PROXY": "127.0.0.1",
    }
    errors = home / "errors.txt"
    with (
        errors.open("w") as log,
        subprocess.Popen(
            [sys.executable, "-W", "error::UserWarning", "-m", "tests.synthesis.load_models"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            env=environment,
            cwd=REPOSITORY,
            text=True,
        ) as process,
    ):

        def load(cases):
            process.stdin.write(f"{json.dumps(cases)}\n")
            process.stdin.flush()
            answer = process.stdout.readline()
            assert answer, errors.read_text()
            return [tuple(outcome) for outcome in json.loads(answer)]

        yield load


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    tiny_pipeline(folder / "good")
    shutil.copytree(folder / "good", folder / "pickled")
    for name in WEIGHTS:
        (folder / "pickled" / f"{name}.safetensors").unlink()
        pickled = name.replace("/model", "/pytorch_model")
        torch.save({}, folder / "pickled" / f"{pickled}.bin")
    (folder / "empty").mkdir()
    return {f"org/{path.name}": path for path in folder.iterdir()}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("hf")


@pytest.fixture(scope="module")
def ends(models, home):
    """How every case ended while there was a hub, and how some did once it had gone."""
    cases = [
        *(("diffusers", repo, {}) for repo in REFUSALS),
        *(("transformers", repo, {}) for repo in REFUSALS if repo != "org/broken"),
        *(GOOD, PICKLED, EMPTY, NO_REVISION, TAG, NOT_CACHED, NOT_THAT_KIND),
    ]
    with contextlib.ExitStack() as hub:
        address = hub.enter_context(running_model_hub(models))
        with loader(address, home) as load:
            online = load(cases)
            hub.close()
            return dict(zip(map(key, cases), online, strict=True)), load(AFTERWARDS)


@pytest.fixture(scope="module")
def outcomes(ends):
    return ends[0]


def key(case):
    return json.dumps(case)


@pytest.mark.parametrize("library", ["diffusers", "transformers"])
@pytest.mark.parametrize("repo", ["org/gated", "org/gated-nobody", "org/forbidden"])
def test_no_access(outcomes, library, repo):
    kind, message = outcomes[key((library, repo, {}))]
    assert kind == "InputError"
    assert f"the hub denies access to the model '{repo}'" in message
    assert f"accept the license on https://huggingface.co/{repo}" in message
    assert "`hf auth login`" in message


@pytest.mark.parametrize("library", ["diffusers", "transformers"])
@pytest.mark.parametrize("repo", ["org/private", "org/missing"])
def test_not_there_or_private(outcomes, library, repo):
    kind, message = outcomes[key((library, repo, {}))]
    assert kind == "InputError"
    assert f"the hub has no model '{repo}', or it is private" in message
    assert "correct the id" in message


@pytest.mark.parametrize(
    ("case", "parts"),
    [
        (("diffusers", "org/broken", {}), ["status 500", "try again later"]),
        (EMPTY, ["'org/empty' lacks a file", "model_index.json", "choose a model"]),
        (PICKLED, ["'org/pickled' lacks weights in the safetensors format", "never loaded"]),
        (NO_REVISION, ["'org/good' has no such revision", "correct or leave out `revision`"]),
        (NOT_CACHED, ["'org/never' is not completely in the cache", "was not asked", "HF_HOME"]),
        (NOT_THAT_KIND, ["the segmenter: the model 'org/good' cannot be loaded", "model_type"]),
    ],
)
def test_other_failures(outcomes, case, parts):
    kind, message = outcomes[key(case)]
    assert kind == "InputError"
    for part in parts:
        assert part in message


@pytest.mark.parametrize("case", [GOOD, TAG])
def test_a_model_of_the_hub_is_described_by_its_commit(outcomes, case):
    kind, description = outcomes[key(case)]
    assert kind == "made"
    assert description.startswith(f"org/good@{COMMIT}, StableDiffusionPipeline")


def test_no_network(ends, home):
    """What is in the cache is used; for what is not, the message says how to bring it."""
    outcomes, (cached, missing) = ends
    assert cached == outcomes[key(GOOD)]
    assert missing[0] == "InputError"
    assert "'org/other' is not completely in the cache, and the hub is unreachable" in missing[1]
    assert "`hf download org/other --local-dir FOLDER`" in missing[1]
    assert str(home) in missing[1]


@pytest.mark.parametrize(
    ("model", "parts"),
    [
        ("/nowhere/model", ["/nowhere/model: there is no such folder", "correct the path"]),
        ("./model", ["there is no such folder", "a folder with a model for the test"]),
        ("some/where/model", ["there is no such folder"]),
    ],
)
def test_no_folder(model, parts):
    with pytest.raises(InputError) as error, loading(model, purpose="the test"):
        pass
    for part in parts:
        assert part in str(error.value)


def test_a_file_is_not_a_folder(tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"")
    with (
        pytest.raises(InputError, match="is not a folder"),
        loading(str(tmp_path / "model.safetensors"), purpose="the test"),
    ):
        pass


def test_an_empty_folder(tmp_path):
    with (
        pytest.raises(InputError, match=r"has no model_index.json and no config.json"),
        loading(str(tmp_path), purpose="the test"),
    ):
        pass


def test_errors_of_our_own_pass_through():
    mine = InputError("mine")
    with pytest.raises(InputError) as error, loading("org/model", purpose="the test"):
        raise mine
    assert error.value is mine


def test_a_missing_package_is_named():
    with (
        pytest.raises(
            InputError, match="needs a package that is not installed: No module"
        ) as error,
        loading("org/model", purpose="the test"),
    ):
        import no_such_package  # noqa: F401
    assert error.value.fix == "pip install no_such_package, or choose another model"


def test_no_memory_for_the_model():
    with (
        pytest.raises(ChorusBenchError, match="not enough memory for the model 'org/model'"),
        loading("org/model", purpose="the test"),
    ):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")


def test_damaged_files_are_named(models, tmp_path):
    folder = shutil.copytree(models["org/good"], tmp_path / "model")
    assert damaged_files(folder) == []
    damaged = folder / "unet" / "diffusion_pytorch_model.safetensors"
    damaged.write_bytes(damaged.read_bytes()[:-10])
    assert damaged_files(folder) == [damaged]
    with (
        pytest.raises(InputError, match="is damaged: something of the library's") as error,
        loading(str(folder), purpose="the test"),
    ):
        raise OSError("something of the library's\nand more")
    assert error.value.where == str(damaged)


def test_the_version_of_a_folder_is_its_contents(models, tmp_path):
    one = shutil.copytree(models["org/good"], tmp_path / "one" / "model")
    two = shutil.copytree(models["org/good"], tmp_path / "two" / "model")
    (two / "README.md").write_text("for people")
    (two / ".cache").mkdir()
    (two / ".cache" / "x.json").write_text("{}")
    version = model_version(str(one))
    assert version.startswith("folder model (xxh3 ")
    assert model_version(str(two)) == version
    config = two / "scheduler" / "scheduler_config.json"
    config.write_text(config.read_text().replace("scaled_linear", "linear"))
    assert model_version(str(two)) != version


def test_the_version_of_a_model_that_is_not_in_the_cache():
    assert model_version("org/never-loaded") == "org/never-loaded"
    assert model_version("org/never-loaded", "v2") == "org/never-loaded@v2"


@pytest.mark.parametrize("device", ["cuda:99", "mps:7", "tpu", "gpu", ""])
def test_no_such_device(device):
    with pytest.raises(InputError, match="device") as error:
        check_device(device, where="here")
    assert error.value.where == "here"


def test_the_processor_is_a_device():
    check_device("cpu", where="here")
