"""What pyproject.toml cannot say of the build: the wheel carries the leaderboard's results."""

from __future__ import annotations

from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

#: What an installation carries of ``leaderboard/``: scores without fields and pictures.
CARRIED = (
    "published.yaml",
    "entries/*/entry.yaml",
    "entries/*/results.json",
    "entries/*/samples.parquet",
    "entries/*/truth.json",
)
#: Where; a checkout reads ``leaderboard/`` itself.
TARGET = "chorus_bench/data/leaderboard"


class BuildWithLeaderboard(build_py):
    """Copies the leaderboard's results into the package; an editable installation needs no copy."""

    def run(self) -> None:
        """Build the packages, then add the results."""
        super().run()
        if not self.editable_mode:
            for source in self._carried():
                target = Path(self.build_lib, TARGET, *Path(source).parts[1:])
                self.mkpath(str(target.parent))
                self.copy_file(source, str(target))

    def get_source_files(self) -> list[str]:
        """Return the files that an sdist needs."""
        return [*super().get_source_files(), *self._carried()]

    def _carried(self) -> list[str]:
        return sorted(str(file) for one in CARRIED for file in Path("leaderboard").glob(one))


setup(cmdclass={"build_py": BuildWithLeaderboard})
