"""Atomic renames that never replace, and atomic exchanges, where the system has them.

Linux has them (``renameat2``) on its usual file systems; elsewhere the closest substitute is used.
"""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from functools import cache
from pathlib import Path
from typing import Any

_HERE, _NO_REPLACE, _EXCHANGE = -100, 1, 2
#: Errors of kernels and file systems that do not support these renames.
_UNKNOWN = frozenset({errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP})


def rename_new(source: Path, target: Path) -> None:
    """Rename ``source`` to ``target`` unless ``target`` exists.

    On file systems without such a rename, an empty folder that is created at ``target`` at the
    same moment is replaced; a folder that is not empty never is.

    Raises:
        FileExistsError: ``target`` exists.
        OSError: any other failure.
    """
    if _renameat2(source, target, _NO_REPLACE):
        return
    if os.path.lexists(target):
        raise _there(target)
    try:
        source.rename(target)
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.ENOTDIR, errno.EISDIR):
            raise _there(target) from error
        raise


def exchange(first: Path, second: Path) -> bool:
    """Exchange two names atomically; False if the system cannot.

    Raises:
        OSError: one of them does not exist, or any other failure.
    """
    return _renameat2(first, second, _EXCHANGE)


def _there(path: Path) -> FileExistsError:
    return FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))


def _renameat2(source: Path, target: Path, flag: int) -> bool:
    """Call the system; False if it lacks the call or the flag."""
    function = _system_call()
    if function is None:
        return False
    sys.audit("os.rename", str(source), str(target), -1, -1)  # as os.rename does
    if function(_HERE, os.fsencode(source), _HERE, os.fsencode(target), flag) == 0:
        return True
    number = ctypes.get_errno()
    if number in _UNKNOWN:
        return False
    raise OSError(number, os.strerror(number), str(source), None, str(target))


@cache
def _system_call() -> Any:  # noqa: ANN401 - a function of the C library, or None
    if sys.platform != "linux":
        return None
    function = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if function is not None:
        text, number = ctypes.c_char_p, ctypes.c_int
        function.argtypes = [number, text, number, text, ctypes.c_uint]
    return function
