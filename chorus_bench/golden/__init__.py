"""Figures of the original code; `chorus_bench.selftest` and the parity tests read them."""
