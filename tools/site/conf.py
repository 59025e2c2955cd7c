"""Settings of Sphinx for the documentation site; `build_site.py` copies it beside the pages."""

from chorus_bench import __version__

project = "chorus-bench"
copyright = "the chorus-bench authors, Apache-2.0"
release = version = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode"]
html_theme = "furo"
html_title = f"chorus-bench {release}"
templates_path: list[str] = []
exclude_patterns: list[str] = []

myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence"]

# In docstrings a name in single backticks is code of Python, linked where it is documented.
default_role = "py:obj"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
autodoc_typehints = "description"
autodoc_member_order = "groupwise"
autodoc_inherit_docstrings = False
# One name may be public in two packages; the first page that documents it is linked.
suppress_warnings = ["ref.python", "autodoc.duplicate_object", "misc.highlighting_failure"]
