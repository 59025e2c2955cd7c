"""Datasets: row schemas, masks, builders, cards."""
