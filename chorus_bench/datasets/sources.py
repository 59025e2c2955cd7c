"""Sources that users bring themselves: what to get, where from, under which license.

They are data, and the error about a missing file contains all of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from chorus_bench.datasets.recipe import SourceFile
from chorus_bench.errors import InputError
from chorus_bench.io.findings import printable


@dataclass(frozen=True)
class Source:
    """A file or folder that a builder needs and that we may not distribute.

    Attributes:
        title: description.
        option: the option that takes it.
        file: its original file name.
        get: where to find it and how to get it, step by step.
        license: under which it is given.
        size: expected size.
        url: the project's page.
        optional: what happens without it; empty if it is required.
    """

    title: str
    option: str
    file: str
    get: str
    license: str
    size: str
    url: str
    optional: str = ""

    def instruction(self) -> str:
        """Return instructions for getting it."""
        return (
            f"get {self.title}:\n"
            f"      from     {self.url}\n"
            f"      how      {self.get}\n"
            f"      license  {self.license}\n"
            f"      size     {self.size}\n"
            f"      then     {self.option} path/to/{self.file}"
        )

    def require(self, path: str | Path | None) -> Path:
        """Return the path of the file.

        Raises:
            InputError: no path is given, or nothing is there.
        """
        if path is None:
            raise InputError(
                f"{self.option} is missing: this builder needs {self.title}, which you obtain from "
                "its own project",
                fix=self.instruction(),
            )
        found = Path(path)
        if not found.exists():
            raise InputError("no such file", where=found, fix=self.instruction())
        if found.is_dir() and (found / self.file).is_file():
            return found / self.file
        if not found.is_file():
            raise InputError("is a folder", where=found, expected=self.file, fix=self.instruction())
        return found


def require_sources(given: Sequence[tuple[Source, str | Path | None]]) -> list[Path]:
    """Return the paths of several files; the error names all that are missing.

    Raises:
        InputError: no path is given, or nothing is there.
    """
    errors: list[InputError] = []
    paths: list[Path] = []
    for source, path in given:
        try:
            paths.append(source.require(path))
        except InputError as error:
            errors.append(error)
    if len(errors) > 1:
        heads = [f"{e.where}: {e.found}" if e.where else e.found for e in errors]
        raise InputError("\n  ".join(heads), fix="\n    ".join(e.fix or "" for e in errors))
    if errors:
        raise errors[0]
    return paths


def describe_file(title: str, path: Path) -> SourceFile:
    """Return name, size and SHA-256 of a file without loading all of it into memory."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
    return SourceFile(title, printable(path.name), path.stat().st_size, digest.hexdigest())


COCO_ANNOTATIONS = Source(
    title="the COCO 2014 validation annotations (instances)",
    option="--annotations",
    file="instances_val2014.json",
    get=(
        'download "2014 Train/Val annotations" (annotations_trainval2014.zip, about 253 MB) '
        "and unpack annotations/instances_val2014.json"
    ),
    license="Creative Commons Attribution 4.0 (CC BY 4.0), COCO Consortium",
    size="161 MB: 40,504 images, 291,875 annotations",
    url="https://cocodataset.org/#download",
)

EFT_FITS = Source(
    title="the EFT body fits to COCO 2014 val people",
    option="--fits",
    file="COCO2014-Val-ver10.json",
    get=(
        "clone the repository facebookresearch/eft and run its script scripts/download_eft.sh; "
        "the file is then eft_fit/COCO2014-Val-ver10.json"
    ),
    license="Creative Commons Attribution-NonCommercial 4.0 (CC BY-NC 4.0), the EFT authors",
    size="10,510 people",
    url="https://github.com/facebookresearch/eft",
)

SMPL_BODY = Source(
    title="the SMPL neutral body",
    option="--body",
    file="basicModel_neutral_lbs_10_207_0_v1.0.0.pkl",
    get=(
        "register on the SMPL site (the neutral model also comes with SMPLify, "
        "smplify.is.tue.mpg.de) and download the neutral model; the .pkl can be used as it is"
    ),
    license="SMPL's own license: non-commercial research, not to be passed on",
    size="39 MB: 6,890 vertices",
    url="https://smpl.is.tue.mpg.de",
    optional="the free default body, whose scores are not comparable with those on SMPL",
)

SPIN_REGRESSOR = Source(
    title="SPIN's regressor of nine additional joints",
    option="--joint-regressor",
    file="J_regressor_extra.npy",
    get="clone the repository nkolot/SPIN and run its script fetch_data.sh",
    license="as the SPIN repository says (BSD 3-Clause for its code)",
    size="500 kB: an array of shape (9, 6890)",
    url="https://github.com/nkolot/SPIN",
    optional="cameras are fitted to the 24 SMPL joints instead of SPIN's 24 points",
)

COCO_IMAGES = Source(
    title="the COCO 2014 validation images",
    option="--images",
    file="val2014",
    get='download "2014 Val images" (val2014.zip) and unpack it',
    license="each under its photographer's Flickr license, which the rows name",
    size="6.6 GB: 40,504 images",
    url="https://cocodataset.org/#download",
    optional="rows without pictures; scores do not need them",
)
