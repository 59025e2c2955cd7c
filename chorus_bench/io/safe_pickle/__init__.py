"""Reading pickles without executing them.

SMPL's model files and the results of the original CHORUS exporter are pickles, and a pickle is a
program: Python's own reader imports and calls whatever the file names. ``load_pickle`` reads the
kinds of objects that such files contain and refuses everything else. It imports no module that
the file names (not even chumpy, easydict or torch, which need not be installed).
"""

from __future__ import annotations

from pathlib import Path

from chorus_bench.errors import InputError
from chorus_bench.io.safe_pickle._arrays import TABLE as ARRAYS
from chorus_bench.io.safe_pickle._machine import Machine
from chorus_bench.io.safe_pickle._tensors import TABLE as TENSORS
from chorus_bench.io.safe_pickle._values import Budget, check_tree

__all__ = ["load_pickle"]

_LARGEST_FILE = 4 * 2**30
_TABLE = {**ARRAYS, **TENSORS}
_OTHER_FORMATS = {
    b"PK\x03\x04": "a zip archive, such as .npz or a file of torch.save",
    b"\x93NUMPY": "a NumPy .npy file",
    b"\x1f\x8b": "compressed with gzip",
    b"<": "a web page, such as a login form saved in place of the file",
    b"version https://git-lfs": "a Git LFS pointer, not the file itself",
}


def load_pickle(path: str | Path) -> object:
    """Return the object in a pickle file, built from plain data only.

    Reads pickle protocols 0 to 5, from Python 2 (whose strings are decoded as latin-1) and
    Python 3. The result consists of:

    - None, booleans, numbers, strings, bytes, lists, tuples, sets and dictionaries, unchanged;
      ``collections.OrderedDict`` and ``easydict.EasyDict`` as plain dictionaries in the same order;
    - NumPy arrays and scalars of booleans, integers, floats and fixed-length strings, writable and
      in the machine's byte order; arrays of Python objects and structured arrays are refused;
    - SciPy csc and csr matrices and arrays as ``scipy.sparse.csc_array`` and ``csr_array``;
    - ``chumpy.ch.Ch`` and ``chumpy.reordering.Select`` (a slice of one) as NumPy arrays; other
      chumpy values would have to be computed and are refused;
    - torch tensors and parameters as C-ordered NumPy arrays (bfloat16 as float32), ``torch.Size``
      as a tuple. Tensors that share memory become separate arrays.

    Keys of dictionaries and members of sets are plain values (integers up to 64 bits) or tuples
    of up to 16 of them. Only the first object of a file is read, as ``pickle.load`` does.

    Args:
        path: the file.

    Raises:
        InputError: the file cannot be read, is not a complete pickle, names anything that is not
            in the list above, declares sizes that do not match its own, contains itself, or
            unfolds to far more than its size.
    """
    data = _read_file(Path(path))
    try:
        value = Machine(data, _TABLE, Budget(len(data))).run()
        check_tree(value)
    except InputError as error:
        raise InputError(
            error.found, where=path, expected=error.expected, fix=error.fix
        ) from error.__cause__
    return value


def _read_file(path: Path) -> bytes:
    """Return the bytes of a file that could be a pickle."""
    if not path.is_file():
        raise InputError("no such file", where=path, expected="a pickle file")
    if (size := path.stat().st_size) > _LARGEST_FILE:
        raise InputError(
            f"the file has {size} bytes", where=path, expected=f"at most {_LARGEST_FILE} bytes"
        )
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"the file cannot be read ({error.strerror})", where=path) from error
    for start, description in _OTHER_FORMATS.items():
        if data.startswith(start):
            raise InputError(
                f"the file is {description}",
                where=path,
                expected="a pickle file",
                fix="check that this is the right file, and download or copy it again",
            )
    return data
