"""Crawled images become training rows; broken and double ones are counted and named."""

from __future__ import annotations

import os
import struct
import zlib

import cv2
import numpy as np
import pyarrow.parquet as pq
import pytest
from datasets import load_dataset
from PIL import Image

from chorus_bench.datasets import image_folder
from chorus_bench.datasets.export import export
from chorus_bench.datasets.image_folder import image_folder_recipe
from chorus_bench.datasets.schema import FACTS, TRAIN_SCHEMA
from chorus_bench.errors import InputError


def _image(path, seed, height=20, width=30):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 255, (height, width, 3), dtype=np.uint8)
    cv2.imwrite(str(path), pixels)
    return path


@pytest.fixture
def crawled(tmp_path):
    folder = tmp_path / "crawled"
    for number in range(3):
        _image(folder / "riding a surfboard" / f"google_{number}.jpg", number)
    _image(folder / "surfer" / "naver_0.png", 7, height=12, width=8)
    copy = folder / "surfer" / "naver_1.jpg"
    copy.write_bytes((folder / "riding a surfboard" / "google_1.jpg").read_bytes())
    broken = folder / "surfer" / "naver_2.jpg"
    broken.write_bytes((folder / "riding a surfboard" / "google_0.jpg").read_bytes()[:60])
    (folder / "surfer" / "urls.txt").write_text("not an image")
    return folder


def test_rows(tmp_path, crawled):
    built = export(image_folder_recipe(crawled, "surfboard"), tmp_path / "out")
    table = pq.read_table(next((tmp_path / "out").rglob("*.parquet")))
    assert table.schema.names == [*TRAIN_SCHEMA.names, FACTS]
    rows = table.to_pylist()
    assert [row["prompt"] for row in rows] == ["riding a surfboard"] * 3 + ["surfer"]
    assert [row["index"] for row in rows] == [0, 1, 2, 0]
    assert {row["source"] for row in rows} == {"image_search"}
    assert (rows[3]["height"], rows[3]["width"]) == (12, 8)
    original = (crawled / "surfer" / "naver_0.png").read_bytes()
    assert rows[3]["image"]["bytes"] == original
    assert built.info.left_out == {"a broken image": 1, "a duplicate": 1, "not an image file": 1}
    entries = {note.reason: note.entry for note in built.notes}
    assert entries["a duplicate"] == "surfer/naver_1.jpg"
    assert entries["a broken image"] == "surfer/naver_2.jpg"


def test_one_prompt_for_all(tmp_path, crawled):
    recipe = image_folder_recipe(crawled, "surfboard", prompt="A person surfs")
    built = export(recipe, tmp_path / "out")
    table = pq.read_table(next((tmp_path / "out").rglob("*.parquet")), columns=["prompt", "index"])
    assert set(table["prompt"].to_pylist()) == {"A person surfs"}
    assert table["index"].to_pylist() == [0, 1, 2, 3]
    assert built.info.categories == {"surfboard": 4}


def test_files_in_the_folder_itself(tmp_path):
    _image(tmp_path / "in" / "a.png", 0)
    built = export(image_folder_recipe(tmp_path / "in", "tie"), tmp_path / "out")
    table = pq.read_table(next((tmp_path / "out").rglob("*.parquet")))
    assert table["prompt"].to_pylist() == ["tie"]
    assert built.info.split == "train"


def test_nothing_there(tmp_path):
    with pytest.raises(InputError, match="no such folder"):
        image_folder_recipe(tmp_path / "nowhere", "tie")
    (tmp_path / "note.txt").write_text("x")
    with pytest.raises(InputError, match="no image files among 1 file"):
        image_folder_recipe(tmp_path, "tie")


def test_only_broken_files(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.jpg").write_bytes(b"nothing")
    with pytest.raises(InputError):
        export(image_folder_recipe(tmp_path / "in", "tie"), tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_pictures_that_exif_turns(tmp_path, kind):
    """Sizes are those of the upright picture, which `datasets` shows too; bytes stay."""
    exif = Image.Exif()
    exif[0x0112] = 6
    (tmp_path / "in").mkdir()
    file = tmp_path / "in" / f"a.{kind.lower()}"
    Image.fromarray(np.zeros((20, 30, 3), np.uint8)).save(file, kind, exif=exif.tobytes())
    place = export(image_folder_recipe(tmp_path / "in", "tie"), tmp_path / "out").path
    [row] = load_dataset(str(place), split="train", cache_dir=str(tmp_path / "cache"))
    assert (row["height"], row["width"]) == (30, 20)
    assert row["image"].size == (20, 30)
    [stored] = pq.read_table(next(place.rglob("*.parquet")))["image"].to_pylist()
    assert stored["bytes"] == file.read_bytes()


def test_a_name_that_lies_about_the_format(tmp_path):
    _image(tmp_path / "in" / "a.png", 0)
    Image.fromarray(np.zeros((5, 6, 3), np.uint8)).save(tmp_path / "in" / "b.jpg", "GIF")
    built = export(image_folder_recipe(tmp_path / "in", "tie"), tmp_path / "out")
    assert built.info.left_out == {"another format": 1}
    assert "no JPEG, PNG, WebP or BMP" in built.notes[0].message


def broken_png(width, height):
    """A PNG file of a few bytes that claims a size."""

    def chunk(kind, content):
        check = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
    return b"\x89PNG\r\n\x1a\n" + data + chunk(b"IEND", b"")


BAD = {
    "an empty file": b"",
    "too large an image": broken_png(100_000, 100_000),
    "a broken image": b"BM not really",
    "another format": b"<html>not found</html>",
}


@pytest.mark.parametrize("reason", BAD)
def test_one_bad_file_among_good_ones(tmp_path, reason):
    folder = tmp_path / "in" / "surfer"
    for number in range(4):
        _image(folder / f"{number}.png", number)
    (folder / "2b.png").write_bytes(BAD[reason])
    built = export(image_folder_recipe(tmp_path / "in", "surfboard"), tmp_path / "out")
    assert built.info.rows == 4
    assert built.info.left_out == {reason: 1}
    assert [note.entry for note in built.notes] == ["surfer/2b.png"]


def test_a_file_that_is_too_long(tmp_path, monkeypatch):
    monkeypatch.setattr(image_folder, "MAX_IMAGE_BYTES", 10**5)
    _image(tmp_path / "in" / "a.png", 0)
    with (tmp_path / "in" / "b.png").open("wb") as file:
        file.truncate(10**5 + 1)
    built = export(image_folder_recipe(tmp_path / "in", "tie"), tmp_path / "out")
    assert built.info.left_out == {"too large a file": 1}


def test_what_is_no_file_is_not_opened(tmp_path):
    _image(tmp_path / "in" / "a.png", 0)
    os.mkfifo(tmp_path / "in" / "b.png")
    (tmp_path / "in" / "c.png").symlink_to(tmp_path / "nowhere")
    built = export(image_folder_recipe(tmp_path / "in", "tie"), tmp_path / "out")
    assert built.info.left_out == {"not a file": 1, "cannot be read": 1}


def test_hidden_files_are_not_crawled(tmp_path):
    _image(tmp_path / "in" / "a.png", 0)
    _image(tmp_path / "in" / ".ipynb_checkpoints" / "a-checkpoint.png", 1)
    _image(tmp_path / "in" / "__MACOSX" / "b.png", 2)
    (tmp_path / "in" / "._a.png").write_bytes(b"resource fork")
    built = export(image_folder_recipe(tmp_path / "in", "tie"), tmp_path / "out")
    assert (built.info.rows, built.info.left_out) == (1, {})


def test_names_that_are_not_utf_8(tmp_path):
    for number, name in enumerate([b"caf\xe9", b"tea"]):
        folder = os.fsencode(tmp_path / "in") + b"/" + name
        os.makedirs(folder)  # noqa: PTH103
        _image(tmp_path / "x.png", number)
        os.rename(tmp_path / "x.png", folder + b"/\xff.png")  # noqa: PTH104
    (tmp_path / "in" / "tea" / os.fsdecode(b"\xfe.png")).write_bytes(b"")
    built = export(image_folder_recipe(tmp_path / "in", "tie"), tmp_path / "out")
    table = pq.read_table(next((tmp_path / "out").rglob("*.parquet")))
    assert table["prompt"].to_pylist() == ["caf\ufffd", "tea"]
    assert table["image"].to_pylist()[0]["path"] == "\ufffd.png"
    assert [note.entry for note in built.notes] == ["tea/\\udcfe.png"]


@pytest.mark.parametrize("text", ["caf\udce9", "a\nb", "\x1b[31m"])
def test_texts_that_are_none(tmp_path, text):
    _image(tmp_path / "in" / "a.png", 0)
    with pytest.raises(InputError, match="category"):
        image_folder_recipe(tmp_path / "in", text)
    with pytest.raises(InputError, match="is not a usable prompt"):
        image_folder_recipe(tmp_path / "in", "tie", prompt=text)
