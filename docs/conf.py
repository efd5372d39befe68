"""The manual, built by ``make docs``; it needs nothing from a network."""

from importlib.metadata import version as installed

project = "adderlab"
author = "the adderlab authors"
copyright = "2026, the adderlab authors"
version = release = installed("adderlab")
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
html_theme = "furo"
html_title = "adderlab"
html_copy_source = False
autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_preserve_defaults = True
autodoc_mock_imports = ["jaxtyping"]
napoleon_google_docstring = True
myst_heading_anchors = 3
exclude_patterns = ["_build"]
