"""PAP as a `torchmetrics.Metric`: a thin wrapper that sums the results of the NumPy metric.

Needs the extra ``torchmetrics``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from chorus_bench.arrays import real_array
from chorus_bench.boundary import checked
from chorus_bench.errors import InputError, MissingDependencyError, count_of, unknown_name
from chorus_bench.metrics.pap import (
    SCORE_NAMES,
    THRESHOLDS,
    benchmark_mean,
    counted,
    projective_average_precision,
)

try:
    import torch
    from torch import Tensor
    from torchmetrics import Metric
except ImportError as error:
    raise MissingDependencyError(
        "torchmetrics", extra="torchmetrics", purpose="ProjectiveAveragePrecision"
    ) from error


@checked
class ProjectiveAveragePrecision(Metric):
    """Projective Average Precision over images of several categories.

    Args:
        categories: their names, each once.
        thresholds: ascending.
        closed: see `chorus_bench.metrics.projective_average_precision`.
        kwargs: passed to `torchmetrics.Metric`.

    Example:
        >>> import torch
        >>> metric = ProjectiveAveragePrecision(["bench"])
        >>> occupancy = torch.tensor([[[0.9, 0.5], [0.1, 0.0]]])
        >>> target = torch.tensor([[[1, 1], [0, 0]]])
        >>> metric.update(occupancy, target, torch.zeros_like(target), ["bench"])
        >>> round(metric.compute()["mPAP"].item(), 6)
        1.0
    """

    full_state_update = False
    is_differentiable = False
    higher_is_better = True

    totals: Tensor
    counts: Tensor

    def __init__(
        self,
        categories: Sequence[str],
        *,
        thresholds: Sequence[float] = THRESHOLDS,
        closed: bool = False,
        **kwargs: Any,  # noqa: ANN401 - torchmetrics' own options
    ) -> None:
        super().__init__(**kwargs)
        twice = sorted(name for name, n in Counter(categories).items() if n > 1)
        if isinstance(categories, str) or twice or not categories:
            raise InputError(
                f"categories {categories!r}",
                expected="the names of the categories, each once, in a list",
            )
        self.categories, self.thresholds, self.closed = tuple(categories), tuple(thresholds), closed
        shape = (len(self.categories), len(SCORE_NAMES))
        zeros = torch.zeros(shape, dtype=torch.float64)
        self.add_state("totals", zeros, dist_reduce_fx="sum")
        self.add_state("counts", zeros.to(torch.int64), dist_reduce_fx="sum")

    @checked
    def update(
        self, occupancy: Tensor, target: Tensor, human: Tensor, categories: Sequence[str]
    ) -> None:
        """Add a batch of images.

        Args:
            occupancy: (B, H, W) occupancy images, minus infinity where nothing projects.
            target: (B, H, W) object masks, non-zero is on.
            human: (B, H, W) human masks, non-zero is on.
            categories: B names.

        Raises:
            InputError: shapes that differ, a category that was not declared, and what
                `chorus_bench.metrics.projective_average_precision` refuses.
        """
        names = ("the occupancy images", "the target masks", "the human masks")
        batch = zip((occupancy, target, human), names, strict=True)
        images = [real_array(tensor, name) for tensor, name in batch]
        sizes = {len(array) if array.ndim else 0 for array in images} | {len(categories)}
        if len(sizes) > 1:
            raise InputError(
                f"a batch of {[array.shape for array in images]} and "
                f"{count_of(len(categories), 'category')}",
                expected="(B, H, W) occupancy images, targets and human masks, and B categories",
            )
        for image, on, body, category in zip(*images, categories, strict=True):
            if category not in self.categories:
                raise unknown_name("category", category, self.categories)
            row = self.categories.index(category)
            score = projective_average_precision(
                image, on, body, self.thresholds, closed=self.closed
            )
            values = [score.pap, score.pap_strict, score.pap_hoa, score.pap_strict_hoa]
            used = counted([[score.target_area, score.target_area_hoa]])[0]
            self.totals[row] += torch.as_tensor(np.where(used, values, 0.0)).to(self.totals)
            self.counts[row] += torch.as_tensor(used).to(self.counts)

    def compute(self) -> dict[str, Tensor]:
        """Return ``mPAP`` and its variants over all declared categories."""
        means = (self.totals / self.counts.clamp(min=1)).tolist()
        rows = [dict(zip(SCORE_NAMES, row, strict=True)) for row in means]
        return {
            name: torch.tensor(value, dtype=torch.float64)
            for name, value in benchmark_mean(rows).items()
        }
