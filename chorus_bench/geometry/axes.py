"""Other people's axes: from the words that describe them to the body frame.

The body frame has x to the person's left, y up, z forward (docs/protocol.md P2). Axes are named in
one of two ways:

* three letters, each with an optional minus sign: ``xzy`` or ``-xzy`` say along which axis of the
  body frame the first, the second and the third one run;
* two or three directions as the person has them: ``z-up, x-right``. A third axis that is not named
  completes a right-handed frame.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chorus_bench.errors import InputError
from chorus_bench.geometry import exact

Float64 = NDArray[np.float64]

_DIRECTIONS = {
    "left": (0, 1), "right": (0, -1), "up": (1, 1), "down": (1, -1),
    "forward": (2, 1), "front": (2, 1), "backward": (2, -1), "back": (2, -1),
}  # fmt: skip
_EXPECTED = "'xyz' with signs, such as 'xzy' or '-xzy', or directions: 'z-up, x-right'"
_FIX = (
    "name two axes as the person sees them (left, right, up, down, forward, backward); "
    "Blender's are 'z-up, x-left'"
)


@dataclass(frozen=True)
class Axes:
    """Axes other than those of the body frame. `Axes.parse` reads them from words.

    Args:
        along: for each of the three axes the axis of the body frame along which it runs, 0 to 2.
        signs: 1, or -1 where it runs the other way.
        label: the words.
    """

    along: tuple[int, int, int] = (0, 1, 2)
    signs: tuple[int, int, int] = (1, 1, 1)
    label: str = "xyz"

    @classmethod
    def parse(cls, words: str) -> Axes:
        """Return the axes that some words describe.

        Raises:
            InputError: other words, an axis that is named twice, or too few of them.
        """
        text = words.strip().lower()
        letters = re.fullmatch(r"(-?[xyz])(-?[xyz])(-?[xyz])", text)
        if letters:
            found = [
                ("xyz".index(part[-1]), -1 if part[0] == "-" else 1) for part in letters.groups()
            ]
        else:
            found = _from_directions(words, text)
        axes, signs = zip(*found, strict=True)
        if sorted(axes) != [0, 1, 2]:
            raise _wrong(words, "names an axis of the body twice")
        return cls(axes, signs, words.strip())

    @property
    def right_handed(self) -> bool:
        """Whether the axes form a right-handed frame; the body's do."""
        return bool(exact.determinant(self.matrix) > 0)

    @property
    def matrix(self) -> Float64:
        """The matrix (3, 3) that takes coordinates to the body frame."""
        matrix = np.zeros((3, 3))
        matrix[list(self.along), range(3)] = self.signs
        return matrix

    def points(self, points: ArrayLike) -> Float64:
        """Return points (..., 3) in the body frame."""
        given = np.asarray(points, dtype=np.float64)
        turned = np.empty_like(given)
        for axis, (along, sign) in enumerate(zip(self.along, self.signs, strict=True)):
            turned[..., along] = sign * given[..., axis]
        return turned

    def array(self, values: NDArray[np.generic]) -> NDArray[np.generic]:
        """Return an array over three axes with the axes of the body frame in the order x, y, z."""
        turned = np.flip(values, tuple(axis for axis, sign in enumerate(self.signs) if sign < 0))
        return np.transpose(turned, [self.along.index(axis) for axis in range(3)])


#: The axes of the body frame.
BODY_AXES = Axes()


def _from_directions(words: str, text: str) -> list[tuple[int, int]]:
    """Return the body axis and the sign of x, y and z."""
    named: dict[str, tuple[int, int]] = {}
    for part in filter(None, re.split(r"[,;\s]+", text)):
        letter, _, direction = part.partition("-")
        if letter not in ("x", "y", "z") or direction not in _DIRECTIONS or letter in named:
            raise _wrong(words, f"'{part}' is no axis with a direction, or one named before")
        named[letter] = _DIRECTIONS[direction]
    if len(named) < 2:
        raise _wrong(words, "does not say where the other axes point")
    if len({axis for axis, _ in named.values()}) < len(named):
        raise _wrong(words, "names an axis of the body twice")
    if len(named) == 2:
        (missing,) = {"x", "y", "z"} - set(named)
        named[missing] = _third(missing, named)
    return [named[letter] for letter in "xyz"]


def _third(missing: str, named: dict[str, tuple[int, int]]) -> tuple[int, int]:
    """Return the axis that completes a right-handed frame."""
    first, second = ("xyz"[("xyz".index(missing) + step) % 3] for step in (1, 2))
    one, other = (np.eye(3)[axis] * sign for axis, sign in (named[first], named[second]))
    across = exact.cross(one, other)
    axis = int(np.argmax(np.abs(across)))
    return axis, int(across[axis])


def _wrong(words: str, found: str) -> InputError:
    return InputError(f"the axes '{words}': {found}", expected=_EXPECTED, fix=_FIX)
