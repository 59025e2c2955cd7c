"""Stage `images`.

While a shard is being made, each image has its own file; the next run continues from the complete
ones. Image and seed follow from the address alone, on any worker, in any order.

On most devices the last bits of an image depend on the batch it was made in. The layout
``fixed`` therefore has batches by address: the images kB to kB + B - 1 of a prompt and view are
always made together, including those of them that are not wanted. The layout ``free`` makes
batches as they come.

Source: docs/method.md M3.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from chorus_bench.datasets.recipe import Row
from chorus_bench.errors import ChorusBenchError
from chorus_bench.io.files import atomic_write_bytes
from chorus_bench.synthesis.batch_sizes import AUTO, FIXED
from chorus_bench.synthesis.batching import Batches
from chorus_bench.synthesis.checks import check_images
from chorus_bench.synthesis.image_files import (
    decode_picture,
    encode_picture,
    is_blank,
    is_whole,
    suffix_of,
)
from chorus_bench.synthesis.interfaces import (
    Address,
    ImageGenerator,
    ImageRequest,
    OutOfDeviceMemoryError,
    UInt8,
)
from chorus_bench.synthesis.jobs import Made, StageWork
from chorus_bench.synthesis.plan import Plan, sample_id
from chorus_bench.synthesis.registry import make_component
from chorus_bench.synthesis.settings import ImageSettings
from chorus_bench.synthesis.work_folder import Shard

SOURCE = "synthesized"
BLANK = "all pixels are the same"
#: Blank images are remade this often, each time from another seed.
TIMES_AGAIN = 1


def load_images(work: StageWork) -> Callable[[Shard], Made]:
    """Load the generator; return the function that makes the images of a shard."""
    images = work.settings.images
    generator = make_component(
        "generator", images.generator.name, work.context(), images.generator.options
    )
    maker = ImageMaker(generator, images, work.plan, work.settings.seed)

    def make(shard: Shard) -> Made:
        counts: Counter[str] = Counter()
        unfinished = work.folder("images").unfinished(shard)
        rows = maker.make_shard(shard, unfinished, counts)
        return Made(rows, counts, {"generator": maker.description}, unfinished)

    return make


@dataclass
class ImageMaker:
    """Makes images in batches, keeps them in files, and makes rows of them.

    Attributes:
        batch: number of images at a time, until memory runs out.

    Args:
        generator: makes the pixels.
        settings: layout, batch and format.
        plan: the planned images.
        seed: random seed of the dataset.
    """

    generator: ImageGenerator
    settings: ImageSettings
    plan: Plan
    seed: int
    batch: int = field(init=False)
    _batches: Batches = field(init=False)

    def __post_init__(self) -> None:
        wanted = self.settings.batch
        self.batch = batch_that_fits(self.generator) if isinstance(wanted, str) else wanted
        self._batches = Batches(self.batch, "images")

    @property
    def description(self) -> str:
        """The generator and the layout of its batches; stored in the rows."""
        auto = f"{AUTO} " if self.settings.batch == AUTO else ""
        return f"{self.generator.description}; batches {self.settings.layout} {auto}{self.batch}"

    def make_shard(self, shard: Shard, folder: Path, counts: Counter[str]) -> list[Row]:
        """Make the missing images of a shard and return its rows.

        Args:
            shard: the images to make.
            folder: folder of their files; complete ones are not made again.
            counts: number of events by kind.
        """
        numbers = range(shard.begin, shard.end)
        for attempt in range(TIMES_AGAIN + 1):
            missing = [n for n in numbers if self._is_missing(folder, n, attempt)]
            counts["images made"] += len(missing)
            counts["blank images made again"] += len(missing) if attempt else 0
            for number, pixels in self._generate(shard.category, missing, attempt):
                content = encode_picture(pixels, self.settings.format, self.settings.quality)
                atomic_write_bytes(self._file(folder, number, attempt), content)
        rows = [self._row(shard.category, folder, number) for number in numbers]
        counts["images that stayed blank"] += sum(row["fault"] is not None for row in rows)
        return rows

    def _file(self, folder: Path, number: int, attempt: int) -> Path:
        return folder / f"{number:07d}.{attempt}{suffix_of(self.settings.format)}"

    def _is_missing(self, folder: Path, number: int, attempt: int) -> bool:
        """Whether an image is to be made: it is incomplete, or the previous attempt was blank."""
        if self._content(folder, number, attempt) is not None:
            return False
        before = self._content(folder, number, attempt - 1)
        return attempt == 0 or (before is not None and is_blank(decode_picture(before, folder)))

    def _content(self, folder: Path, number: int, attempt: int) -> bytes | None:
        """Return the content of an image's file if it is complete."""
        file = self._file(folder, number, attempt)
        content = file.read_bytes() if file.is_file() else b""
        return content if is_whole(content, self.settings.format) else None

    def _generate(
        self, category: str, numbers: Sequence[int], attempt: int
    ) -> Iterator[tuple[int, UInt8]]:
        addresses = {self.plan.address(category, n): n for n in numbers}
        if self.settings.layout == FIXED:
            for batch in _fixed_batches(addresses, self.batch):
                requests = [self.plan.request(a, self.seed, attempt) for a in batch]
                for address, image in zip(batch, self._fixed(requests), strict=True):
                    if address in addresses:
                        yield addresses[address], image
            return
        requests = [self.plan.request(a, self.seed, attempt) for a in addresses]
        images = self._batches.map(self._call, requests)
        yield from zip(addresses.values(), images, strict=True)

    def _fixed(self, requests: Sequence[ImageRequest]) -> list[UInt8]:
        try:
            return self._call(requests)
        except OutOfDeviceMemoryError as error:
            advice = "choose a smaller model, size or number type, or another device"
            if len(requests) > 1:
                advice = (
                    "in a new output, choose smaller batches (images.batch), or images.layout "
                    "'free', which halves them automatically"
                )
            raise ChorusBenchError(
                f"the device has not enough memory for {len(requests)} images at a time, which is "
                f"the fixed layout of this dataset: {error}\n  What to do: {advice}"
            ) from error

    def _call(self, requests: Sequence[ImageRequest]) -> list[UInt8]:
        name = f"the generator ({self.generator.description})"
        return check_images(self.generator.generate(requests), len(requests), name)

    def _row(self, category: str, folder: Path, number: int) -> Row:
        attempt, content = next(
            (attempt, content)
            for attempt in range(TIMES_AGAIN, -1, -1)
            if (content := self._content(folder, number, attempt)) is not None
        )
        address = self.plan.address(category, number)
        pixels = decode_picture(content, folder)
        return {
            "sample_id": sample_id(address),
            "category": category,
            "prompt": address.prompt,
            "view": address.view,
            "index": address.index,
            "seed": address.seed(self.seed, attempt),
            "source": SOURCE,
            "generator": self.description,
            "height": pixels.shape[0],
            "width": pixels.shape[1],
            "image": {"bytes": content, "path": None},
            "attempt": attempt,
            "fault": BLANK if is_blank(pixels) else None,
        }


def batch_that_fits(generator: ImageGenerator) -> int:
    """Return how many images a generator can make at a time; 1 if it does not say."""
    known = getattr(generator, "batch_that_fits", None)
    return 1 if known is None else int(known())


def _fixed_batches(addresses: Iterable[Address], size: int) -> list[list[Address]]:
    """Return the batches that hold these addresses, each whole."""
    firsts = dict.fromkeys(replace(a, index=a.index // size * size) for a in addresses)
    return [[replace(a, index=a.index + i) for i in range(size)] for a in firsts]
