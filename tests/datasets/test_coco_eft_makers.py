"""Only EFT's fits make a split of EFT's name."""

import dataclasses
import gzip
import json
from pathlib import Path

import pytest

from chorus_bench.datasets.builders import build_dataset
from chorus_bench.datasets.coco_eft.makers import EFT_ENTRIES, Statement, makers_of
from chorus_bench.datasets.eval_split import load_split
from chorus_bench.errors import InputError

REAL = Path(__file__).parents[1] / "data" / "real_coco"
SHA256 = "0123456789abcdef" * 4


def statement(makers=(), entries=3, version="0.1"):
    data = [{"fitted_by": maker} if maker else {} for maker in makers]
    data += [{}] * (entries - len(data))
    return Statement.of({"ver": version, "data": data}, data)


def test_the_real_people_are_never_efts(tmp_path):
    """Their entries say whose they are, and the name, the card and the sources say so too."""
    sources = {"annotations": REAL / "instances.json", "fits": REAL / "fits.json"}
    built = build_dataset("coco-eft", tmp_path / "split", solver="lm", **sources)
    assert built.info.name == "coco+chorus-bench-real-people-1+lm+smpl24"
    assert load_split(built.path).name == built.info.name
    assert built.info.details["fits"] == "chorus-bench-real-people-1"
    assert "not EFT" in built.info.details["fits_known_by"]
    assert not any(note.entry == "--fits" for note in built.notes)
    card = (built.path / "README.md").read_text()
    assert "which must not be taken for EFT's" in card
    assert "COCO-EFT" not in card
    assert "joo2021eft" not in card
    assert "license: other" in card
    assert not any("the EFT body fits" in source.title for source in built.info.sources)
    with pytest.raises(InputError, match="the fits are not 'eft': every entry says: fitted by"):
        build_dataset("coco-eft", tmp_path / "other", solver="lm", fits_name="eft", **sources)


def test_all_files_of_our_fits_have_one_name():
    content = json.loads(gzip.decompress((REAL / "all_fits.json.gz").read_bytes()))
    makers = makers_of(Statement.of(content, content["data"]), SHA256)
    assert makers.name == "chorus-bench-real-people-1"


def test_fits_of_unknown_makers(world, tmp_path):
    """A part of EFT's file, or fits of somebody who does not say so: the digest is the name."""
    built = world.build(tmp_path, fits_name=None)
    digest = next(s.sha256 for s in built.info.sources if s.name == "COCO2014-Val-ver10.json")
    assert built.info.name == f"coco+fits-{digest[:8]}+lm+smpl24"
    [note] = built.notes
    assert "entries, not EFT's 10,510, and none says who fitted it" in note.message
    assert "--fits-name" in note.message
    assert not note.left_out
    known = world.build(tmp_path, fits_name="my-method")
    assert known.info.name == "coco+my-method+lm+smpl24"
    assert known.info.details["fits_known_by"] == "the builder's user said so"
    assert known.info.fingerprint == built.info.fingerprint


@pytest.mark.parametrize(
    ("file", "name"),
    [
        (statement(entries=EFT_ENTRIES), "eft"),
        (statement(entries=EFT_ENTRIES - 1), "fits-01234567"),
        (statement(["Somebody & Co."] * 3, version="Second try"), "second-try"),
        (statement(["Somebody & Co."] * 3, version="Fits 2"), "somebody-co"),
        (statement(["Somebody & Co."] * 3), "somebody-co"),
        (statement(["us"] * EFT_ENTRIES, entries=EFT_ENTRIES), "us"),
        # Some entries are others', or of different makers: not even a part may pass for EFT's.
        (statement(["us"], entries=EFT_ENTRIES), "by-others-01234567"),
        (statement(["us", "them", "us"]), "by-others-01234567"),
        # Names that would look like EFT's, or have nothing that can stay.
        (statement(["EFT, refined by us"] * 3), "by-others-01234567"),
        (statement(["我们"] * 3), "by-others-01234567"),
    ],
)
def test_names(file, name):
    makers = makers_of(file, SHA256)
    assert makers.name == name
    assert makers.eft == (name == "eft")
    assert bool(makers.note()) == name.startswith("fits-")


@pytest.mark.parametrize("given", ["", "EFT", "a|b", "a@b", "a b", "x" * 41])
def test_a_name_that_cannot_stand_in_a_signature(given):
    with pytest.raises(InputError, match="--fits-name"):
        makers_of(statement(), SHA256, given)


def test_the_user_may_repeat_what_the_file_says():
    file = statement(["us"] * 3)
    assert makers_of(file, SHA256, "us") == makers_of(file, SHA256)
    other = dataclasses.replace(file, makers=())
    assert makers_of(other, SHA256, "us").name == "us"
    assert makers_of(other, SHA256, "eft").eft
