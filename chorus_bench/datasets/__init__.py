"""Datasets: row schemas, masks, builders and cards."""
