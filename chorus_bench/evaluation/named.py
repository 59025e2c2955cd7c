"""Test splits that come with the package."""
NAMED_SPLITS = {}
