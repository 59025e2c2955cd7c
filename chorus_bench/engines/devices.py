"""Devices of torch that compute to the bit: they need double precision."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chorus_bench.errors import InputError, import_extra

if TYPE_CHECKING:
    import torch

#: The name of the processor's own path, for which torch is not needed.
PROCESSOR = "cpu"


def torch_device(name: str, purpose: str) -> torch.device:
    """Return a torch device that computes in float64, after trying it.

    Args:
        name: such as ``cuda`` or ``cuda:1``.
        purpose: what needs it, for messages.

    Raises:
        InputError: an unknown or missing device.
        MissingDependencyError: torch is not installed.
    """
    library = import_extra("torch", extra="torch", purpose=purpose)
    try:
        device: torch.device = library.device(name)
        library.zeros(1, dtype=library.float64, device=device)
    except (RuntimeError, TypeError, AssertionError) as error:
        first_line = str(error).partition("\n")[0]
        raise InputError(
            f"device '{name}' cannot be used: {first_line}",
            expected=f"'{PROCESSOR}', or a torch device with double precision such as 'cuda'",
            fix=f"use the device '{PROCESSOR}'",
        ) from error
    return device


def check_geometry_device(name: str) -> None:
    """Raise an error for a device on which test geometry cannot be prepared; see `torch_device`."""
    if name != PROCESSOR:
        torch_device(name, f"preparing geometry on a device other than '{PROCESSOR}'")
