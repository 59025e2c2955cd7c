"""The simulated world: people and objects with ground truth, free for everyone.

Each row depends on its address only (seed, category, index; for training rows also prompt and
view), so any row can be made alone, in any order, on any number of workers.
"""

from chorus_bench.simulation.failures import FAILURES
from chorus_bench.simulation.interactions import CATEGORIES, Interaction, interactions
from chorus_bench.simulation.occupancy import (
    decode_occupancy,
    encode_occupancy,
    occupancy,
)
from chorus_bench.simulation.prompts import PROMPTS, interaction_of
from chorus_bench.simulation.testing_rows import simulate_test_row, simulated_test
from chorus_bench.simulation.training_rows import simulate_train_row
from chorus_bench.simulation.truth import canonical_truth

__all__ = [
    "CATEGORIES",
    "FAILURES",
    "PROMPTS",
    "Interaction",
    "canonical_truth",
    "decode_occupancy",
    "encode_occupancy",
    "interaction_of",
    "interactions",
    "occupancy",
    "simulate_test_row",
    "simulate_train_row",
    "simulated_test",
]
