"""Readers of untrusted files, given corrupted versions of valid files."""
