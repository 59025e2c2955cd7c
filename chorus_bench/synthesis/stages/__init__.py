"""Synthesis: from the names of categories to a dataset of annotated images (stages 1 to 6)."""
