"""The chat endpoint: what is sent, what is tried again, and what the user is told."""

import dataclasses
import socket
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from chorus_bench.errors import ChorusBenchError, InputError, MissingDependencyError
from chorus_bench.synthesis.chat import HUB_URL, ChatClient, ChatSettings, _default_key
from tests.synthesis.chat_server import Reply, completion, says
from tests.synthesis.conftest import KEY

SAID = f"Expired key: {KEY}"


def test_what_is_sent(chat, client, waits):
    chat.replies = [says("a person rides a bicycle")]
    assert client.ask("Write!", temperature=0.5, seed=7) == "a person rides a bicycle"
    ((path, headers, body),) = chat.requests
    assert path == "/v1/chat/completions"
    assert {k.lower(): v for k, v in headers.items()}["authorization"] == f"Bearer {KEY}"
    assert body == {
        "model": "tiny",
        "messages": [{"role": "user", "content": "Write!"}],
        "temperature": 0.5,
        "seed": 7,
        "stream": False,
    }
    assert waits == []


def test_settings_reach_the_endpoint(chat):
    settings = ChatSettings("tiny", chat.base_url, KEY, max_tokens=9, send_seed=False)
    chat.replies = [says("yes")]
    ChatClient(settings).ask("?", model="other", seed=7)
    body = chat.requests[0][2]
    assert (body["model"], body["max_tokens"], "seed" in body) == ("other", 9, False)


@pytest.mark.parametrize("ending", ["", "/", "/v1", "/v1/", "/v1/chat/completions"])
def test_addresses(chat, ending):
    chat.replies = [says("yes")]
    assert ChatClient(ChatSettings("tiny", chat.address + ending, KEY)).ask("?") == "yes"
    assert chat.requests[0][0] == "/v1/chat/completions"


def test_the_users_hub_token_goes_nowhere_else(chat):
    """Without a key the client by itself would send the hub token to any address."""
    chat.replies = [says("yes")]
    ChatClient(ChatSettings("tiny", chat.base_url)).ask("?")
    assert "hf_token_of_the_user" not in str(chat.requests)


@pytest.mark.parametrize(
    ("url", "gets_it"),
    [
        (HUB_URL, True),
        ("https://name.eu-west-1.aws.endpoints.huggingface.cloud/v1", True),
        ("http://router.huggingface.co/v1", False),
        ("https://huggingface.co.example.org/v1", False),
        ("https://nothuggingface.co/v1", False),
        ("https://example.org/huggingface.co/v1", False),
    ],
)
def test_which_addresses_get_the_hub_token(url, gets_it):
    assert (_default_key(url) == "hf_token_of_the_user") == gets_it


@pytest.mark.parametrize("content", [None, ""])
def test_blank_answer(chat, client, content):
    chat.replies = [says(content)]
    assert client.ask("?") == ""


def test_the_cut_last_line_is_left_out(chat, client):
    chat.replies = [says("a person rides a bicycle\na person pus", finish_reason="length")]
    assert client.ask("?") == "a person rides a bicycle"


@pytest.mark.parametrize(
    ("headers", "expected"),
    [({"Retry-After": "7"}, 7), ({"Retry-After": "0"}, 0), ({}, 1), ({"Retry-After": "soon"}, 1)],
)
@pytest.mark.parametrize("status", [429, 503])
def test_retry_after(chat, client, waits, headers, expected, status):
    chat.replies = [Reply({"error": {"message": "slow down"}}, status, headers), says("yes")]
    assert client.ask("?") == "yes"
    assert waits == [expected]


def test_retry_after_a_date(chat, client, waits):
    moment = datetime.now(UTC) + timedelta(seconds=30)
    headers = {"Retry-After": format_datetime(moment, usegmt=True)}
    chat.replies = [Reply({}, 429, headers), says("yes")]
    assert client.ask("?") == "yes"
    assert 25 < waits[0] <= 30


def test_too_long_a_wait_is_reported_at_once(chat, client, waits):
    chat.replies = [Reply({"error": "daily limit"}, 429, {"Retry-After": "3600"})]
    with pytest.raises(ChorusBenchError, match=r"wait 3600 s \(429: daily limit\).*120 s") as told:
        client.ask("?")
    assert told.value.exit_code == 1
    assert (waits, len(chat.requests)) == ([], 1)


def test_always_too_many_requests(chat, client, waits):
    chat.replies = [Reply({"error": {"message": "slow down"}}, 429, {"Retry-After": "2"})]
    with pytest.raises(ChorusBenchError, match=r"429: slow down\) \(tried 4 times\)\n.*later"):
        client.ask("?")
    assert (waits, len(chat.requests)) == ([2, 2, 2], 4)


@pytest.mark.parametrize("status", [500, 502, 529])
@pytest.mark.parametrize(
    "body", [{"error": "oops"}, b"<html>oops</html>", b"", b"oops", ["oops"], "oops", 3]
)
def test_server_failures_pass(chat, client, waits, status, body):
    """Bodies that are not objects make huggingface_hub stumble; the status counts all the same."""
    chat.replies = [Reply(body, status), Reply(body, status), says("yes")]
    assert client.ask("?") == "yes"
    assert waits == [1, 2]


def test_server_failures_last(chat, client, waits):
    chat.replies = [Reply(b"<html>500 Internal</html>", 500)]
    with pytest.raises(ChorusBenchError, match=r"the server failed \(500\) \(tried 4 times\)"):
        client.ask("?")
    assert waits == [1, 2, 4]


def test_waits_are_bounded(chat, waits):
    settings = ChatSettings("tiny", chat.base_url, KEY, tries=6, longest_wait=3)
    chat.replies = [Reply({}, 500)]
    with pytest.raises(ChorusBenchError):
        ChatClient(settings, sleep=waits.append).ask("?")
    assert waits == [1, 2, 3, 3, 3]


def test_time_outs(chat, waits):
    settings = ChatSettings("tiny", chat.base_url, KEY, timeout=1, tries=2)
    client = ChatClient(settings, sleep=waits.append)
    chat.replies = [Reply(hang=True), says("yes")]
    assert client.ask("?") == "yes"
    chat.replies = [Reply(hang=True)]
    with pytest.raises(ChorusBenchError, match=r"no answer within 1 s \(tried 2 times\)"):
        client.ask("?")
    assert waits == [1, 1]


@pytest.mark.parametrize(
    "body",
    [
        b"{not json",
        b"<html>welcome</html>",
        b"",
        b"\xff\xfe",
        [],
        "yes",
        {},
        {"choices": []},
        {"choices": ["yes"]},
        {"choices": "yes"},
        {"choices": [{"message": None}]},
        {"choices": [{"message": {"content": 3}}]},
        {"error": {"message": "overloaded", "code": 502}},
    ],
)
def test_answers_that_are_no_chat_completion(chat, client, waits, body):
    chat.replies = [Reply(body), says("yes")]
    assert client.ask("?") == "yes"
    chat.replies = [Reply(body)]
    with pytest.raises(ChorusBenchError, match=r"not a chat completion.*\n.*OpenAI-compatible"):
        client.ask("?")
    assert waits == [1, 1, 2, 4]


def test_an_answer_cut_in_the_middle(chat, client, waits):
    chat.replies = [Reply(completion("yes"), cut=True), says("yes")]
    assert client.ask("?") == "yes"
    assert waits == [1]


def test_nobody_there(waits):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound but not listening: connections are refused
        settings = ChatSettings("tiny", f"http://127.0.0.1:{taken.getsockname()[1]}/v1", tries=2)
        with pytest.raises(ChorusBenchError, match=r"cannot be reached.*\n.*server is running"):
            ChatClient(settings, sleep=waits.append).ask("?")
    assert waits == [1]


@pytest.mark.parametrize(
    "body",
    [{"error": {"message": SAID}}, {"detail": SAID}, SAID.encode(), [SAID], SAID],
)
def test_expired_key(chat, client, waits, body):
    chat.replies = [Reply(body, 401)]
    with pytest.raises(InputError, match=r"the key is refused \(401: .*Expired key") as told:
        client.ask("?")
    assert "CHORUS_BENCH_CHAT_KEY" in told.value.fix
    assert told.value.where == chat.base_url
    assert KEY not in str(told.value)
    assert (waits, len(chat.requests), told.value.exit_code) == ([], 1, 2)


@pytest.mark.parametrize(
    ("status", "found"),
    [
        (400, "the question to 'tiny' is refused"),
        (403, "no access to 'tiny'"),
        (404, "no model 'tiny'"),
        (422, "send_seed"),
    ],
)
def test_refusals_are_not_tried_again(chat, client, waits, status, found):
    chat.replies = [Reply({"error": {"message": "no"}}, status)]
    with pytest.raises(InputError, match=rf"(?s)({status}: no)?.*{found}"):
        client.ask("?")
    assert (waits, len(chat.requests)) == ([], 1)


def test_long_words_are_shortened(chat, client):
    chat.replies = [Reply(b"x" * 5000, 400)]
    with pytest.raises(InputError) as told:
        client.ask("?")
    assert len(str(told.value)) < 700


def test_offline(chat, client, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    chat.replies = [says("yes")]
    with pytest.raises(InputError, match="HF_HUB_OFFLINE"):
        client.ask("?")


def test_settings_from_the_environment(monkeypatch):
    monkeypatch.setenv("CHORUS_BENCH_CHAT_URL", "http://localhost:1/v1 ")
    monkeypatch.setenv("CHORUS_BENCH_CHAT_MODEL", "tiny")
    monkeypatch.setenv("CHORUS_BENCH_CHAT_KEY", "abc\n")
    found = ChatSettings.from_environment()
    assert found == ChatSettings("tiny", "http://localhost:1/v1", "abc")
    assert "abc" not in repr(found)


def test_arguments_come_before_the_environment(monkeypatch):
    monkeypatch.setenv("CHORUS_BENCH_CHAT_URL", "http://localhost:1/v1")
    monkeypatch.setenv("CHORUS_BENCH_CHAT_MODEL", "tiny")
    monkeypatch.setenv("CHORUS_BENCH_CHAT_KEY", "abc")
    found = ChatSettings.from_environment(model="big", base_url="http://other/v1")
    assert found == ChatSettings("big", "http://other/v1")  # abc belongs to localhost
    assert ChatSettings.from_environment(base_url="http://localhost:1/v1").key == "abc"
    assert ChatSettings.from_environment(key="own").key == "own"
    monkeypatch.delenv("CHORUS_BENCH_CHAT_URL")
    assert ChatSettings.from_environment(base_url="http://other/v1").key == "abc"


def test_no_settings_at_all():
    with pytest.raises(InputError, match="CHORUS_BENCH_CHAT_MODEL"):
        ChatSettings.from_environment()
    assert ChatSettings.from_environment(model="org/name").base_url == HUB_URL


def test_the_hub_wants_a_login(monkeypatch):
    monkeypatch.setattr("huggingface_hub.get_token", lambda: None)
    with pytest.raises(InputError, match="hf auth login"):
        ChatClient(ChatSettings("org/name"))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"model": " "}, "no language model"),
        ({"base_url": "localhost:8000"}, "not an address"),
        ({"base_url": "file:///etc"}, "not an address"),
        ({"base_url": "http://"}, "not an address"),
        ({"base_url": "http://x:99999999"}, "not an address"),
        ({"base_url": "http://[x"}, "not an address"),
        ({"base_url": "http://me:password@x/v1"}, "user or a password"),
        ({"key": ""}, "empty or has invalid characters"),
        ({"key": "two words"}, "empty or has invalid characters"),
        ({"timeout": 0}, "timeout is 0"),
        ({"timeout": float("nan")}, "timeout is nan"),
        ({"tries": 0}, "tries is 0"),
        ({"longest_wait": -1}, "longest_wait is -1"),
    ],
)
def test_settings_without_sense(change, told):
    with pytest.raises(InputError, match=told) as error:
        dataclasses.replace(ChatSettings("tiny"), **change)
    assert "me:password" not in str(error.value)


def test_without_huggingface_hub(monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(MissingDependencyError, match=r"chorus-bench\[datasets\]"):
        ChatClient(ChatSettings("tiny", "http://localhost:1/v1"))


def test_importing_needs_no_huggingface_hub():
    code = (
        "import sys; sys.modules['huggingface_hub'] = None\n"
        "import chorus_bench.synthesis.chat, chorus_bench.synthesis.prompts as p\n"
        "assert p.shipped_prompts('bench')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
