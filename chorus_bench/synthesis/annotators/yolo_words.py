"""The meaning of names for a YOLOE: a text encoder, stored embeddings, or fixed names."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from chorus_bench.errors import InputError
from chorus_bench.synthesis.annotators.local_files import check_file
from chorus_bench.synthesis.annotators.yolo_models import PICKLED

Vocabulary = Callable[[Sequence[str]], None]

_ASSETS = "https://github.com/ultralytics/assets/releases"


def learn_words(
    yolo: Any,  # noqa: ANN401 - an ultralytics model
    model: str,
    device: str,
    text_encoder: str | None,
    embeddings: str | None,
) -> Vocabulary | None:
    """Prepare a YOLOE for names; see `chorus_bench.synthesis.annotators.yolo`.

    Returns:
        A function that sets the model's names, or None if its names are fixed.

    Raises:
        InputError: both files or an unusable one, a model with fixed names, or no `clip`.
    """
    words = text_encoder or embeddings
    if words is None:
        return None
    _check(model, words, both=bool(text_encoder and embeddings))
    if text_encoder is None:
        _load_embeddings(yolo, words)
        return None
    yolo.model.to(device)
    yolo.model.clip_model = _load_encoder(Path(words), device)
    known: list[tuple[str, ...]] = []

    def learn(categories: Sequence[str]) -> None:
        names = tuple(categories)
        if known != [names]:
            prompts = yolo.model.get_text_pe(list(names), cache_clip_model=True)
            yolo.set_classes(list(names), prompts)
            known[:] = [names]

    return learn


def _check(model: str, words: str, *, both: bool) -> None:
    if both:
        raise InputError(
            "both are given",
            where="the options `text_encoder` and `embeddings`",
            expected="one of them, or none",
        )
    if Path(model).suffix not in PICKLED:
        raise InputError(
            "is an exported model, whose names are fixed",
            where=model,
            expected="a .pt of YOLOE for `text_encoder` or `embeddings`",
            fix="leave these two out, or give the .pt (with `trust_pickle=True`)",
        )
    check_file(
        Path(words),
        expected="MobileCLIP as TorchScript, or an .npz of `YOLOE.save_prompt_embeddings`",
        fix=f"fetch mobileclip_blt.ts from {_ASSETS}, or write embeddings once with "
        "`YOLOE.set_classes` and `save_prompt_embeddings`",
    )


def _load_embeddings(yolo: Any, embeddings: str) -> None:  # noqa: ANN401 - an ultralytics model
    if not hasattr(yolo, "load_prompt_embeddings"):
        raise InputError(
            "this model or version of ultralytics accepts no embeddings of names",
            where=embeddings,
            expected="a YOLOE and a recent ultralytics",
            fix="pip install --upgrade ultralytics, or give a `text_encoder`",
        )
    try:
        yolo.load_prompt_embeddings(embeddings)
    except (ValueError, KeyError, OSError, AssertionError) as error:
        raise InputError(
            f"cannot be used: {error}",
            where=embeddings,
            expected="output of `YOLOE.save_prompt_embeddings` for the same architecture",
        ) from error


def _load_encoder(path: Path, device: str) -> Any:  # noqa: ANN401 - a text encoder of ultralytics
    try:
        # Checked first: if clip is missing, ultralytics would install it from GitHub.
        importlib.import_module("clip")
        encoders = importlib.import_module("ultralytics.nn.text_model")
    except ImportError as error:
        raise InputError(
            f"needs the package '{error.name or 'clip'}', which is not installed",
            where=path,
            expected="OpenAI's `clip`, which tokenises names",
            fix="pip install clip-anytorch 'setuptools<81', or give `embeddings` instead of a "
            "`text_encoder`",
        ) from error
    try:
        return encoders.MobileCLIPTS(device, weight=str(path))
    except (RuntimeError, ValueError, OSError) as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        raise InputError(
            f"cannot be loaded: {lines[-1] if lines else type(error).__name__}",
            where=path,
            expected="MobileCLIP as a TorchScript file",
        ) from error
