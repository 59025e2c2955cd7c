"""A chat endpoint, and no settings or logins of the user's."""

import pytest

from chorus_bench.synthesis.chat import ChatClient, ChatSettings
from tests.synthesis.chat_server import running_chat

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
