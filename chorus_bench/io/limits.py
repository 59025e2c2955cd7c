"""Limits on what a submission may demand of the machine that reads it, in bytes unless stated."""

from __future__ import annotations

KIB, MIB, GIB = 2**10, 2**20, 2**30

#: `submission.yaml` with its list of interaction types, and one text in it (characters).
MAX_MANIFEST_BYTES = 256 * KIB
MAX_METHOD_LENGTH = 80
MAX_TEXT_LENGTH = 10_000

#: Side of the cube and distance of its centre from the origin, metres. Deliberately wide:
#: wrong units get a warning that explains them, and only what breaks float32 is refused.
MIN_SIDE_LENGTH, MAX_SIDE_LENGTH = 0.001, 100_000.0

MAX_CATEGORIES = 1_000
#: Files and folders in the submission, or members of the archive.
MAX_FILES = 100_000
#: Total size of all grid files.
MAX_TOTAL_BYTES = 8 * GIB
#: Overhead of a header or container around a grid.
GRID_SLACK_BYTES = MIB
#: The header of a .safetensors or .npy file.
MAX_HEADER_BYTES = 10_000

#: An archive: its file, its unpacked content, the list of its members.
MAX_ARCHIVE_BYTES = 4 * GIB
MAX_UNPACKED_BYTES = 4 * GIB
MAX_ARCHIVE_DIRECTORY_BYTES = 16 * MIB
#: An archive that unpacks to more than the free bytes may not also be this many times smaller
#: than its content. (Honest grids of mostly zeros do shrink a thousandfold, but are small.)
MAX_UNPACK_RATIO = 200
RATIO_FREE_BYTES = GIB
