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
        per_prompt_view: number of images for each prompt and view.
    """

    prompts: Mapping[str, tuple[str, ...]]
    views: tuple[ViewCondition, ...]
    per_prompt_view: int

    def images_of(self, category: str) -> int:
        """Return the number of images of a category."""
        return len(self.prompts[category]) * len(self.views) * self.per_prompt_view

    @property
    def images(self) -> int:
        """The total number of images."""
        return sum(map(self.images_of, self.prompts))

    def address(self, category: str, number: int) -> Address:
        """Return the address of a category's image; the index changes fastest."""
        rest, index = divmod(number, self.per_prompt_view)
        prompt, view = divmod(rest, len(self.views))
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
