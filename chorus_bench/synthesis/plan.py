"""The planned images: addresses in order, divided into shards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from chorus_bench.datasets.folder import category_folder
from chorus_bench.datasets.sample_ids import prompt_slug, sample_name
from chorus_bench.datasets.view_conditions import ViewCondition
from chorus_bench.synthesis.interfaces import Address, ImageRequest
from chorus_bench.synthesis.work_folder import Shard


@dataclass(frozen=True)
class Plan:
    """The images of a dataset: every prompt with every view, a number of times.

    Attributes:
        prompts: category -> its prompts.
        views: the view conditions.
        totals: category -> its number of images. They are spread over its prompts and views as
            evenly as whole numbers can be.
    """

    prompts: Mapping[str, tuple[str, ...]]
    views: tuple[ViewCondition, ...]
    totals: Mapping[str, int]

    def images_of(self, category: str) -> int:
        """Return the number of images of a category."""
        return self.totals[category]

    @property
    def images(self) -> int:
        """The total number of images."""
        return sum(map(self.images_of, self.prompts))

    def address(self, category: str, number: int) -> Address:
        """Return the address of a category's image; the index changes fastest."""
        total, cells = self.totals[category], len(self.prompts[category]) * len(self.views)
        cell = ((number + 1) * cells - 1) // total  # the cells before it have cell * total // cells
        prompt, view = divmod(cell, len(self.views))
        index = number - cell * total // cells
        return Address(category, self.prompts[category][prompt], self.views[view].name, index)

    def request(self, address: Address, seed: int, attempt: int = 0) -> ImageRequest:
        """Return the request to the generator.

        Args:
            address: address of the image.
            seed: random seed of the dataset.
            attempt: 0, or how often it has been remade.
        """
        view = next(view for view in self.views if view.name == address.view)
        return ImageRequest(address, view.extend(address.prompt), address.seed(seed, attempt))

    def shards(self, size: int) -> tuple[Shard, ...]:
        """Return the shards, each of at most ``size`` rows of one category."""
        return tuple(
            Shard(f"{category_folder(category)}-{n:05d}", category, begin, min(begin + size, total))
            for category in self.prompts
            for total in [self.images_of(category)]
            for n, begin in enumerate(range(0, total, size))
        )


def sample_id(address: Address) -> str:
    """Return an image's id, for example ``synthesized-tie-a-man-ties-a-tie-1f00-plain-00003``."""
    parts = (prompt_slug(address.prompt), address.view, f"{address.index:05d}")
    return sample_name("synthesized", address.category, *parts)
