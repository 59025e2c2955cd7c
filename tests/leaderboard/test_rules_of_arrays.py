"""The acceptance rules of fields, overlays and pictures, with entries that break them."""

from __future__ import annotations

import io
import json
import lzma
import zipfile

import cv2
import numpy as np
import pytest

from chorus_bench.datasets.masks import decode_mask, encode_mask
from chorus_bench.geometry.grid import GridSpec
from chorus_bench.io.findings import Findings
from chorus_bench.leaderboard.arrays import arrays_bytes
from chorus_bench.leaderboard.fields import STEPS, fields_bytes, in_steps
from chorus_bench.leaderboard.overlays import overlays_bytes, read_overlays
from chorus_bench.report.fields import SmallFields
from chorus_bench.report.overlays import Overlay
from chorus_bench.report.samples import ChosenSample
from tests.leaderboard import world


def test_pictures_of_earlier_versions(board, good):
    pictures = good / "pictures"
    pictures.mkdir()
    cv2.imwrite(str(pictures / "a.png"), np.zeros((8, 8, 3), np.uint8))
    row = {"sample_id": "bench-003", "category": "bench", "kind": "best", "file": "a.png"}
    rows = [row | {"score": 0.5}]
    (pictures / "pictures.json").write_text(json.dumps(rows))
    assert world.problems(board) == ""
    data = (pictures / "a.png").read_bytes()
    (pictures / "b.png").write_bytes(data[:40] + b"x" * 30)
    (pictures / "c.png").write_bytes(data[:16] + b"\x00\xff\xff\xff" * 2 + data[24:])
    bad = [row | {"score": 0, "file": name} for name in ("b.png", "c.png", "../x.png", "none.png")]
    bad += [row | {"score": 0, "sample_id": "sofa-1"}, row, row | {"score": 0, "kind": "nicest"}]
    (pictures / "pictures.json").write_text(json.dumps(rows + bad))
    text = world.problems(board)
    assert "pictures/b.png: cannot be decoded as a picture" in text
    assert "pictures/c.png: is 16777215 x 16777215 pixels" in text
    assert "pictures.json:1: [3].file: is '../x.png'" in text
    assert "pictures/none.png: is missing" in text
    assert "is of the sample 'sofa-1', which the result does not have" in text
    assert "[6].score: is missing" in text
    assert "[7].kind: is 'nicest'" in text


def test_unlisted_pictures(board, good):
    (good / "pictures").mkdir()
    (good / "pictures" / "pictures.json").write_text("[]")
    (good / "pictures" / "photo.jpg").write_bytes(b"x")
    assert "pictures/photo.jpg: is not listed" in world.problems(board)


FIELDS = {"grid": np.array([8, 3, 0, 0, 0]), "bench": np.zeros((8, 8, 8), np.uint8)}


@pytest.mark.parametrize(
    ("arrays", "found"),
    [
        ({"bench": np.zeros((8, 8, 8), np.uint8)}, "has no 'grid'"),
        (FIELDS | {"bench": np.zeros((9, 8, 8), np.uint8)}, "of shape"),
        (FIELDS | {"bench": np.zeros((8, 8, 8))}, "is float64"),
        (FIELDS | {"b": np.zeros(10**6, np.uint8)}, "at most 1001 arra"),
        ({"grid": np.array([{}], dtype=object)}, "holds Python objects"),
    ],
)
@pytest.mark.parametrize("packed", [True, False])
def test_fields_of_other_kinds(board, good, arrays, found, packed):
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    data = stream.getvalue()
    file, content = ("fields.npz.xz", lzma.compress(data)) if packed else ("fields.npz", data)
    (good / file).write_bytes(content)
    assert found in world.problems(board)


def small_fields():
    return fields_bytes(SmallFields(GridSpec(8), {"bench": FIELDS["bench"]}))


def test_numpy_reads_the_fields(tmp_path):
    (tmp_path / "fields.npz.xz").write_bytes(small_fields())
    with np.load(lzma.open(tmp_path / "fields.npz.xz")) as stored:
        assert stored["grid"].tolist() == [8, 3, 0, 0, 0]
        assert (stored["bench"] == FIELDS["bench"]).all()


@pytest.mark.parametrize("place", [-1, 30, 200])
def test_damaged_fields(board, good, place):
    data = bytearray(small_fields())
    (good / "fields.npz.xz").write_bytes(data)
    assert world.problems(board) == ""
    data[place] ^= 0xFF
    (good / "fields.npz.xz").write_bytes(data)
    assert "fields.npz.xz: is not a readable .xz file" in world.problems(board)
    (good / "fields.npz.xz").write_bytes(small_fields()[:-20])
    assert "fields.npz.xz: is truncated" in world.problems(board)


def test_a_damaged_byte_in_fields_of_earlier_versions(board, good):
    np.savez_compressed(good / "fields.npz", **FIELDS)
    assert world.problems(board) == ""
    data = (good / "fields.npz").read_bytes()
    with zipfile.ZipFile(good / "fields.npz") as archive:
        offset = archive.getinfo("bench.npy").header_offset
    start = offset + 30 + sum(int.from_bytes(data[offset + at :][:2], "little") for at in (26, 28))
    (good / "fields.npz").write_bytes(data[:start] + b"\xff\xff" + data[start + 2 :])
    assert "cannot be unpacked" in world.problems(board)


def test_what_unpacks_without_end_is_refused(board, good):
    bomb = lzma.compress(bytes((1 << 27) + 1), preset=0)
    (good / "fields.npz.xz").write_bytes(bomb)
    (good / "overlays.npz.xz").write_bytes(bomb)
    text = world.problems(board)
    assert "fields.npz.xz: unpacks to more than 134217728 bytes" in text
    assert "overlays.npz.xz: unpacks to more than 134217728 bytes" in text


def test_both_ways_at_once(board, good):
    (good / "fields.npz.xz").write_bytes(small_fields())
    np.savez_compressed(good / "fields.npz", **FIELDS)
    assert "fields.npz: exists beside fields.npz.xz" in world.problems(board)


def overlays_file(sample=("bench-003", "bench", "best", 0.5), *, heat=None, mask=None, top=0.5):
    """Return `overlays.npz.xz` of one picture."""
    heat = np.arange(12, dtype=np.uint8).reshape(3, 4) if heat is None else heat
    person = encode_mask(np.eye(6, dtype=np.uint8))
    overlay = Overlay(heat, top, person, person if mask is None else mask)
    return overlays_bytes({ChosenSample(*sample): overlay})


def changed(**arrays):
    """Return `overlays.npz.xz` with other arrays; None takes one away."""
    with np.load(io.BytesIO(lzma.decompress(overlays_file()))) as stored:
        kept = {name: stored[name] for name in stored.files} | arrays
    return arrays_bytes({name: array for name, array in kept.items() if array is not None})


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (overlays_file(("sofa-1", "bench", "best", 0.5)), "is of the sample 'sofa-1', which"),
        (
            overlays_file(("bench-003", "tie", "best", 0.5)),
            "of the sample 'bench-003' has the category",
        ),
        (
            overlays_file(("a\u202eb", "bench", "best", 0.5)),
            "picture 0: a sample or category with an",
        ),
        (overlays_file(("bench-003", "bench", "nicest", 0.5)), "picture 0: an unknown kind"),
        (overlays_file(("bench-003", "bench", "best", 2.0)), "a score or probability of 2.0"),
        (overlays_file(top=float("inf")), "a score or probability of inf"),
        (overlays_file(mask={"size": [6, 6], "counts": "zz"}), "runs of the RLE are damaged"),
        (overlays_file(mask={"size": [6, 6], "counts": "1"}), "do not add up to 6 x 6 pixels"),
        (overlays_file(mask={"size": [6, 5000], "counts": "1"}), "an image of [6, 5000] pixels"),
        (
            overlays_file(heat=np.zeros((1, 1000), np.uint8)),
            "the length of 'heat' is not the size of its images",
        ),
        (changed(heat=np.zeros(5, np.uint8)), "the length of 'heat' is not the size of its images"),
        (changed(heat=np.zeros(12)), "the length of 'heat' is not the size of its images"),
        (changed(top=None), "has the arrays category, heat, heat_size"),
        (changed(top=np.zeros(2)), "'top' is float64 of shape (2,)"),
        (changed(kind=np.zeros(1)), "'kind' is float64 of shape (1,)"),
        (changed(sample_id=np.array(["x"] * 201)), "has 201 pictures"),
        (lzma.compress(b"no zip"), "is not a readable .zip file"),
        (b"no xz file at all", "is not a readable .xz file"),
    ],
)
def test_overlays(board, good, content, found):
    (good / "overlays.npz.xz").write_bytes(content)
    text = world.problems(board)
    assert "entries/good" in text
    assert found in text


def test_overlays_are_read_as_they_were_written(board, good):
    (good / "overlays.npz.xz").write_bytes(overlays_file(("bench-003", "bench", "worst", None)))
    assert world.problems(board) == ""
    found = Findings()
    ((sample, overlay),) = read_overlays(good / "overlays.npz.xz", "here", found).items()
    assert not found
    assert sample == ChosenSample("bench-003", "bench", "worst", None)
    assert overlay.heat.tolist() == np.arange(12).reshape(3, 4).tolist()
    assert overlay.top == 0.5
    assert (decode_mask(overlay.person) == np.eye(6)).all()
    assert (decode_mask(overlay.target) == np.eye(6)).all()


def test_fields_in_steps_of_their_maximum():
    wide = np.arange(200, dtype=np.uint8).repeat(3)[:512].reshape(8, 8, 8)
    faint = (wide // 10).astype(np.uint8)
    found = in_steps(SmallFields(GridSpec(8), {"wide": wide, "faint": faint})).values
    np.testing.assert_array_equal(found["faint"], faint)
    assert len(np.unique(found["wide"])) == STEPS + 1
    assert found["wide"].max() == wide.max()
    assert np.abs(found["wide"].astype(int) - wide).max() <= np.ceil(wide.max() / STEPS / 2)
