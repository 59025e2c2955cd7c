"""The simulated world: people and objects with ground truth, free for everyone.

Each row depends on its address only (seed, category, index; for training rows also prompt and
view), so any row can be made alone, in any order, on any number of workers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chorus_bench.lazy import lazy_exports

if TYPE_CHECKING:
    from chorus_bench.simulation.failures import FAILURES
    from chorus_bench.simulation.interactions import CATEGORIES, Interaction
    from chorus_bench.simulation.prompts import PROMPTS, interaction_of
    from chorus_bench.simulation.testing_rows import simulate_test_row, simulated_test
    from chorus_bench.simulation.training_rows import simulate_train_row
    from chorus_bench.simulation.truth import canonical_truth
else:
    __getattr__, __dir__ = lazy_exports(
        __name__,
        {
            "failures": ("FAILURES",),
            "interactions": ("CATEGORIES", "Interaction"),
            "prompts": ("PROMPTS", "interaction_of"),
            "testing_rows": ("simulate_test_row", "simulated_test"),
            "training_rows": ("simulate_train_row",),
            "truth": ("canonical_truth",),
        },
    )

__all__ = [
    "CATEGORIES",
    "FAILURES",
    "PROMPTS",
    "Interaction",
    "canonical_truth",
    "interaction_of",
    "simulate_test_row",
    "simulate_train_row",
    "simulated_test",
]
