"""What is known of the builder of simulated datasets. Light: it imports no part of the world."""

from __future__ import annotations

from chorus_bench.datasets.registry import BuilderSpec

BUILDERS = (
    BuilderSpec(
        name="simulated",
        summary="simulated people and things with known truth: test split or training images",
        function="chorus_bench.simulation.recipe:simulated_recipe",
        license="CC0 1.0",
    ),
)
