"""A chat endpoint, small models, pictures and runs, and no settings or logins of the user's."""

import io
import shutil
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from chorus_bench.simulation import simulate_train_row
from chorus_bench.synthesis.annotators.pose_files import make_pose_files
from chorus_bench.synthesis.chat import ChatClient, ChatSettings
from chorus_bench.synthesis.interfaces import Picture
from tests.synthesis import tiny_annotators
from tests.synthesis.annotator_checks import SIZES, WHITE
from tests.synthesis.chat_server import running_chat
from tests.synthesis.pose_checks import CONTEXT, detection, picture
from tests.synthesis.tiny_models import tiny_pipeline
from tests.synthesis.world import make_small

KEY = "secret-key-1234"


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch, tmp_path):
    for name in ("URL", "MODEL", "KEY"):
        monkeypatch.delenv(f"CHORUS_BENCH_CHAT_{name}", raising=False)
    monkeypatch.setenv("HF_TOKEN", "hf_token_of_the_user")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture(scope="session")
def _running_chat():
    with running_chat() as running:
        yield running


@pytest.fixture
def chat(_running_chat):
    _running_chat.replies, _running_chat.requests = [], []
    return _running_chat


@pytest.fixture
def waits():
    """The seconds that a client was told to wait."""
    return []


@pytest.fixture
def client(chat, waits):
    settings = ChatSettings("tiny", chat.base_url, KEY, timeout=10, tries=4)
    return ChatClient(settings, sleep=waits.append)


@pytest.fixture(scope="session")
def folders(tmp_path_factory):
    base = tmp_path_factory.mktemp("annotators")
    detector, sam = tiny_annotators.tiny_open_vocabulary(base)
    return SimpleNamespace(
        mask2former=tiny_annotators.tiny_segmenter(base / "mask2former"),
        maskformer=tiny_annotators.tiny_maskformer(base / "maskformer"),
        grounding_dino=detector,
        owl=tiny_annotators.tiny_owl(base / "owl"),
        sam=sam,
        plus=tiny_annotators.tiny_keypoints(base / "plus"),
        plain=tiny_annotators.tiny_keypoints(base / "plain", experts=1),
    )


@pytest.fixture(scope="session")
def pictures():
    found = []
    for index, (height, width) in enumerate(SIZES):
        row = simulate_train_row("tennis racket", "a person plays", "front", index, size=160)
        pixels = np.array(Image.open(io.BytesIO(row["image"]["bytes"])))[:height, :width]
        found.append(Picture(f"simulated-{index}", None, pixels))
    return found


@pytest.fixture
def bright():
    """A picture, larger than the models' inputs, that is black but for one rectangle."""
    pixels = np.zeros((150, 200, 3), np.uint8)
    pixels[WHITE] = 255
    return Picture("bright", None, pixels)


@pytest.fixture
def read(tmp_path):
    """Return a function that estimates one picture's people from the files in a folder."""

    def run(people, name="one", **options):
        estimator = make_pose_files(CONTEXT, folder=str(tmp_path), **options)
        return estimator.estimate([picture(name)], [[detection(box) for box in people]])[0]

    return run


@pytest.fixture(scope="session")
def stable_diffusion(tmp_path_factory):
    """Give the folder of a tiny Stable Diffusion with random weights; it is only read."""
    return tiny_pipeline(tmp_path_factory.mktemp("tiny") / "model")


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """Give the folder of a finished run; it is only read."""
    folder = tmp_path_factory.mktemp("finished")
    make_small(folder)
    return folder


@pytest.fixture
def copy(finished, tmp_path):
    """Give a finished run that may be changed; its settings name the first one's inputs."""
    for name in ("d", "d.work"):
        shutil.copytree(finished / name, tmp_path / name)
    return tmp_path
