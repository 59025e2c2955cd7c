"""The description of the builder of simulated datasets, without importing it."""

from __future__ import annotations

from chorus_bench.datasets.registry import BuilderSpec

BUILDERS = (
    BuilderSpec(
        name="simulated",
        summary="simulated people and objects with ground truth: test split or training images",
        function="chorus_bench.simulation.recipe:simulated_recipe",
        license="CC0 1.0",
    ),
)
