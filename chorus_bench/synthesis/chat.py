"""A language model behind an OpenAI-compatible chat endpoint.

`huggingface_hub.InferenceClient` implements the protocol; this module handles the key, waiting,
retries and messages to the user.
"""

from __future__ import annotations

import json
import logging
import os
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from chorus_bench.errors import ChorusBenchError, InputError, import_extra

URL_VARIABLE = "CHORUS_BENCH_CHAT_URL"
MODEL_VARIABLE = "CHORUS_BENCH_CHAT_MODEL"
KEY_VARIABLE = "CHORUS_BENCH_CHAT_KEY"

#: The default endpoint; its key is the token of `hf auth login`.
HUB_URL = "https://router.huggingface.co/v1"

_HUB_DOMAINS = ("huggingface.co", "endpoints.huggingface.cloud")
# Without a key, the client would send the user's hub token to any address.
_NO_KEY = "no-key"
_AGAIN = frozenset({408, 409, 425, 429})
_LONGEST_WORDS = 300
_QUESTION_ADVICE = "check the model, temperature, max_tokens and send_seed (some accept no seed)"
# Errors raised by reading an answer of an unexpected shape.
_SHAPE_ERRORS = (ValueError, TypeError, AttributeError, LookupError)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ChatSettings:
    """The address of the language model, and settings of requests to it.

    Args:
        model: its name at the endpoint.
        base_url: an address that ends in ``/v1`` (added if missing), or a complete address that
            ends in ``/chat/completions``.
        key: sent as a bearer token. Without one, the hub's endpoints get the token of
            ``hf auth login``, and other endpoints get none.
        timeout: seconds without a byte after which an attempt is given up.
        tries: how often a question is sent before giving up.
        longest_wait: longest wait between two attempts, seconds.
        max_tokens: limit of an answer; by default the endpoint's.
        send_seed: whether questions carry a seed; some endpoints refuse it.

    Raises:
        InputError: a value makes no sense.
    """

    model: str
    base_url: str = HUB_URL
    key: str | None = field(default=None, repr=False)
    timeout: float = 60.0
    tries: int = 5
    longest_wait: float = 120.0
    max_tokens: int | None = None
    send_seed: bool = True

    def __post_init__(self) -> None:
        if not self.model.strip():
            raise InputError(
                "no language model is named",
                expected="the name of a model at the endpoint",
                fix=f"give the model, or set {MODEL_VARIABLE}",
            )
        _check_url(self.base_url)
        if self.key is not None and not re.fullmatch(r"[!-~]+", self.key):
            raise InputError(
                "the key is empty or has invalid characters",
                where=KEY_VARIABLE,
                fix="copy it again, without quotes, spaces or line ends",
            )
        for name, value in (("timeout", self.timeout), ("tries", self.tries)):
            if not value > 0:
                raise InputError(f"{name} is {value}", expected="more than 0")
        if not self.longest_wait >= 0:
            raise InputError(f"longest_wait is {self.longest_wait}", expected="0 or more")

    @classmethod
    def from_environment(
        cls, *, model: str | None = None, base_url: str | None = None, key: str | None = None
    ) -> ChatSettings:
        """Return settings from arguments and, where these are not given, from the environment.

        The variables are ``CHORUS_BENCH_CHAT_MODEL``, ``CHORUS_BENCH_CHAT_URL`` and
        ``CHORUS_BENCH_CHAT_KEY``. If the environment has a key and an address, they belong
        together: no other address gets that key.

        Raises:
            InputError: no model is named, or a value makes no sense.
        """
        own_url = _variable(URL_VARIABLE)
        url = base_url or own_url or HUB_URL
        if key is None and own_url in (None, url):
            key = _variable(KEY_VARIABLE)
        return cls(model=model or _variable(MODEL_VARIABLE) or "", base_url=url, key=key)


class ChatClient:
    """Asks a language model single questions.

    Args:
        settings: see `ChatSettings`.
        sleep: waits the given number of seconds; tests replace it.

    Raises:
        InputError: the hub is the endpoint and no user is logged in.
        MissingDependencyError: huggingface_hub is not installed.
    """

    def __init__(
        self, settings: ChatSettings, *, sleep: Callable[[float], object] = time.sleep
    ) -> None:
        hub = import_extra("huggingface_hub", extra="datasets", purpose="Asking a language model")
        self.settings = settings
        self._sleep = sleep
        self._key = settings.key or _default_key(settings.base_url)
        self._client = hub.InferenceClient(
            base_url=settings.base_url, api_key=self._key, timeout=settings.timeout
        )

    def ask(
        self,
        question: str,
        *,
        model: str | None = None,
        temperature: float = 1.0,
        seed: int | None = None,
    ) -> str:
        """Return the model's answer; empty if there is none.

        Timeouts, lost connections, too many requests (429; ``Retry-After`` is obeyed), server
        failures (5xx) and answers that are not chat completions are retried, up to
        `ChatSettings.tries` attempts. If an answer was truncated at its length limit, its last
        line is left out.

        Args:
            question: the user's message.
            model: its name at the endpoint; by default that of the settings.
            temperature: sampling temperature.
            seed: random seed, for endpoints that accept one.

        Raises:
            InputError: the key, the address, the model or the question is refused.
            ChorusBenchError: no attempt gave an answer.
        """
        request = {
            "messages": [{"role": "user", "content": question}],
            "model": model or self.settings.model,
            "temperature": temperature,
            "seed": seed if self.settings.send_seed else None,
            "max_tokens": self.settings.max_tokens,
        }
        for attempt in range(1, self.settings.tries + 1):
            try:
                return self._ask_once(request)
            except _TryAgainError as trouble:
                last = trouble
                if attempt < self.settings.tries:
                    wait = self._wait(trouble, attempt)
                    log.warning("%s: %s; again in %g s", self.settings.base_url, trouble, wait)
                    self._sleep(wait)
        raise self._gave_up(f"{last} (tried {self.settings.tries} times)", last.advice)

    def _ask_once(self, request: Mapping[str, Any]) -> str:
        try:
            return _text(self._client.chat_completion(**request))
        except _call_errors() as error:
            raise self._explain(error, request) from error

    def _explain(self, error: Exception, request: Mapping[str, Any]) -> Exception:
        """Return the meaning of a failed attempt: `_TryAgainError`, or the error for the user."""
        from huggingface_hub.errors import OfflineModeIsEnabled

        response = _response_of(error)
        if response is not None:
            return self._refusal(response, str(request["model"]))
        if isinstance(error, OfflineModeIsEnabled):
            return InputError(
                "is not asked: huggingface_hub is set to stay offline",
                where=self.settings.base_url,
                fix="unset HF_HUB_OFFLINE, or use a file of prompts",
            )
        if "Timeout" in type(error).__name__:  # of the client, or of any HTTP library
            return _TryAgainError(
                f"no answer within {self.settings.timeout:g} s",
                advice="raise the timeout, or choose a smaller model",
            )
        if isinstance(error, _SHAPE_ERRORS):
            return _TryAgainError(
                f"the answer is not a chat completion: {self._shown(str(error))}",
                advice="check that the address is that of an OpenAI-compatible endpoint",
            )
        return _TryAgainError(
            f"cannot be reached: {self._shown(str(error))}",
            advice="check the address, the network, and whether the server is running",
        )

    def _refusal(self, response: Any, model: str) -> Exception:  # noqa: ANN401 - of any library
        """Return the meaning of an HTTP status other than success."""
        status = int(response.status_code)
        said = self._shown(_words(response))
        told = f"({status}: {said})" if said else f"({status})"
        if status in _AGAIN or status >= 500:
            return self._busy(status, told, _retry_after(response.headers))
        found, fix = {
            401: ("the key is refused", self._key_advice()),
            403: (f"no access to '{model}'", f"ask for access to it, or {self._key_advice()}"),
            404: (
                f"there is no chat endpoint or no model '{model}'",
                f"check the address ({URL_VARIABLE}) and the model ({MODEL_VARIABLE})",
            ),
        }.get(status, (f"the question to '{model}' is refused", _QUESTION_ADVICE))
        return InputError(f"{found} {told}", where=self.settings.base_url, fix=fix)

    def _busy(self, status: int, told: str, wait: float | None) -> Exception:
        """Return the meaning of a transient status: try again, unless that takes too long."""
        allowed = self.settings.longest_wait
        if wait is not None and wait > allowed:
            return self._gave_up(
                f"asks to wait {wait:.0f} s {told}, more than the {allowed:g} s allowed",
                "try again then, or raise longest_wait",
            )
        busy = "too many requests" if status == 429 else "the server failed"
        return _TryAgainError(f"{busy} {told}", wait=wait, advice="try again later")

    def _key_advice(self) -> str:
        advice = f"set {KEY_VARIABLE} to a key that is valid there"
        hub = _is_hub(self.settings.base_url)
        return f"{advice}, or log in again with `hf auth login`" if hub else advice

    def _gave_up(self, found: str, advice: str) -> ChorusBenchError:
        return ChorusBenchError(f"{self.settings.base_url}: {found}\n  What to do: {advice}")

    def _wait(self, trouble: _TryAgainError, attempt: int) -> float:
        """Return the seconds to wait: as the server requests, or 1, 2, 4, ..."""
        if trouble.wait is not None:
            return trouble.wait
        return min(2.0 ** (attempt - 1), self.settings.longest_wait)

    def _shown(self, text: str) -> str:
        """Return a server's message as one short line without the key."""
        line = " ".join(text.replace(self._key, "***").split())
        return line if len(line) <= _LONGEST_WORDS else f"{line[:_LONGEST_WORDS]} ..."


class _TryAgainError(Exception):
    """An attempt that failed and may succeed later."""

    def __init__(self, found: str, *, advice: str, wait: float | None = None) -> None:
        super().__init__(found)
        self.advice, self.wait = advice, wait


def _variable(name: str) -> str | None:
    return os.environ.get(name, "").strip() or None


def _check_url(url: str) -> None:
    """Raise an `InputError` for anything other than an http(s) address without a password."""
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good:
        raise InputError(
            f"'{url}' is not an address of a chat endpoint",
            where=URL_VARIABLE,
            expected="for example http://localhost:8000/v1",
        )
    if parts.username is not None:
        raise InputError(
            "the address holds a user or a password",
            where=URL_VARIABLE,
            fix=f"leave it out, and give the key on its own ({KEY_VARIABLE})",
        )


def _is_hub(url: str) -> bool:
    """Whether an address belongs to the hub, so that the hub's token may be sent there."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    return parts.scheme == "https" and any(
        host == domain or host.endswith(f".{domain}") for domain in _HUB_DOMAINS
    )


def _default_key(url: str) -> str:
    """Return the hub's token for the hub, and a placeholder for any other address."""
    if not _is_hub(url):
        return _NO_KEY
    from huggingface_hub import get_token

    token = get_token()
    if not token:
        raise InputError(
            "a key is needed",
            where=url,
            fix=f"log in with `hf auth login`, or set {KEY_VARIABLE}; {URL_VARIABLE} chooses "
            "another endpoint, such as one on this machine",
        )
    return token


def _call_errors() -> tuple[type[Exception], ...]:
    """Return the errors of a call: those of the HTTP library, and of reading the answer.

    The library is requests, httpx or httpx2, depending on the version of huggingface_hub; the
    client's own errors derive from the library's.
    """
    from huggingface_hub.errors import HfHubHTTPError, InferenceTimeoutError

    bases = (*HfHubHTTPError.__bases__, *InferenceTimeoutError.__bases__, OSError)
    return (*(base for base in bases if issubclass(base, Exception)), *_SHAPE_ERRORS)


def _text(answer: Any) -> str:  # noqa: ANN401 - whatever a server sends
    """Return the text of a chat completion; raise an error for any other shape."""
    choice = answer.choices[0]
    content = choice.message.content
    if content is None:
        return ""
    if not isinstance(content, str):
        raise TypeError(f"the content is {type(content).__name__}, not text")
    return content.rpartition("\n")[0] if choice.finish_reason == "length" else content


def _response_of(error: BaseException) -> Any | None:  # noqa: ANN401 - of any HTTP library
    """Return the HTTP response that an error is about.

    If the server's message has an unexpected shape, the client fails while reading it; the error
    with the response is then the context.
    """
    link: BaseException | None = error
    while link is not None:
        response = getattr(link, "response", None)
        if response is not None:
            return response
        link = link.__context__
    return None


def _words(response: Any) -> str:  # noqa: ANN401 - of any HTTP library
    """Return a server's message about a failure; nothing for an HTML page."""
    try:
        text = str(response.text)
        content = json.loads(text)
    except RuntimeError:
        return ""
    except ValueError:
        return "" if text.lstrip().startswith("<") else text
    for key in ("error", "message", "detail"):
        if isinstance(content, dict) and content.get(key):
            content = content[key]
    return content if isinstance(content, str) else json.dumps(content)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds in a ``Retry-After`` header, in either of its forms."""
    text = (headers.get("Retry-After") or "").strip()
    if re.fullmatch(r"\d{1,9}(\.\d+)?", text):
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
