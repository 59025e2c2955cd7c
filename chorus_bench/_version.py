"""The version, in one place; it appears in every signature."""

__version__ = "0.1.0"
