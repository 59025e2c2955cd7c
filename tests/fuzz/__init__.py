"""Readers of files from strangers, given valid files that were broken in every way."""
