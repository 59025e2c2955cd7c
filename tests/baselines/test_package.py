"""The package's names."""

import subprocess
import sys

import pytest

import chorus_baselines.chorus as chorus


def test_every_name_is_there():
    assert chorus.__all__ == sorted(chorus.__all__, key=lambda n: (not n.isupper(), n.islower(), n))
    for name in chorus.__all__:
        assert getattr(chorus, name).__doc__
    assert set(chorus.__all__) <= set(dir(chorus))
    with pytest.raises(AttributeError, match="has no attribute 'agregate'"):
        _ = chorus.agregate


def test_importing_the_package_is_light():
    code = "import sys, chorus_baselines.chorus; print('numpy' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "False\n"
