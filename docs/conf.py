"""Configuration of the site's builder, Sphinx: `make docs` builds it without a network, and warnings are errors.

Before it reads pages, the builder writes those of the models (`docs.model_pages`); hand-written pages are Jinja
templates that ask `docs.numbers`, `docs.pictures` and `docs.reference` for what a run or the source decides.
"""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path
from typing import Any

from docutils.nodes import SkipNode
from docutils.utils.math.latex2mathml import tex2mathml
from jinja2 import Environment, StrictUndefined

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from docs import model_pages, pictures, reference  # noqa: E402
from docs.numbers import Numbers  # noqa: E402
from versus import __version__  # noqa: E402
from versus.metrics import table  # noqa: E402

GALLERY = "runs/gallery"  # of `versus run examples/gallery.yaml`: models that the default run leaves out
SIDE_BY_SIDE = ("expected_calibration_error", "accuracy_half_missing")  # drawn for the page of five plots

project, author, release = "Versus", "", __version__
html_title, html_theme = "Versus", "furo"
html_static_path, html_css_files = ["_static"], ["figures.css"]
html_show_copyright = html_show_sphinx = html_copy_source = False
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.mathjax"]
html_math_renderer = "mathml"
exclude_patterns = ["templates", "_build", "_static"]
default_role = "py:obj"
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
autodoc_member_order = "bysource"
add_module_names = False
toc_object_entries = False
pygments_style, pygments_dark_style = "friendly", "monokai"


def write_pages(app: Any) -> None:
    """Draw the pictures and write the pages of the models; make what hand-written pages may ask for."""
    numbers, source = Numbers(ROOT), Path(app.srcdir)
    made = source / "models"
    shutil.rmtree(made, ignore_errors=True)
    projects = [numbers, *(Numbers(folder) for folder in [ROOT / GALLERY] if folder.is_dir())]
    drawn = [p for n in projects for p in pictures.draw(n.folder, n.cells.values(), made / "pictures")]
    model_pages.write(made, numbers, drawn)
    shutil.copytree(ROOT / "reports" / "figures", made / "figures")
    for metric in SIDE_BY_SIDE:
        pictures.draw_sides(numbers.sides(metric), table.label(metric), made / "figures" / f"{metric}.svg")
    names = {picture.file.name for picture in drawn}
    page = Environment(undefined=StrictUndefined, keep_trailing_newline=True)
    page.globals |= {"numbers": numbers, "reference": reference, "picture": lambda *given: _picture(names, *given)}
    app.connect("source-read", lambda app, name, text: text.__setitem__(0, _rendered(page, app, name, text[0])))


def _rendered(page: Environment, app: Any, name: str, text: str) -> str:
    return page.from_string(text).render() if Path(app.env.doc2path(name)).suffix == ".md" else text


def _picture(drawn: set[str], cell: str, kind: str, caption: str) -> str:
    """Return the Markdown of a picture of a cell; a note where the run that draws it is not there."""
    if f"{cell}-{kind}" in drawn:
        return f"```{{figure}} /models/pictures/{cell}-{kind}\n:alt: {caption}\n\n{caption}\n```"
    return f"*(The picture of `{cell}` comes from a run: `make repro`, then `make docs`.)*"


def show_math(translator: Any, node: Any) -> None:
    """Write a formula as MathML, which browsers show without a script."""
    as_block = node.tagname == "math_block"
    # These the converter does not know; the sizes of brackets are the browser's to choose.
    code = re.sub(r"\\[bB]ig(?![a-zA-Z])", "", node.astext().replace(r"\dots", r"\ldots"))
    if r"\\" in code:
        code = rf"\begin{{aligned}}{code}\end{{aligned}}"
    # Between a function and its argument TeX has a space where no bracket stands; browsers have none.
    applied = "<mo>&ApplyFunction;</mo>"
    found = tex2mathml(code, as_block=as_block)
    found = re.sub(rf"{applied}(?!\s*<mo)", f'{applied}<mspace width="0.17em"/>', found)
    translator.body.append(f'<div style="overflow-x: auto">{found}</div>' if as_block else found)
    raise SkipNode


def escape_shapes(app: Any, kind: str, name: str, found: Any, options: Any, lines: list[str]) -> None:
    """Escape the star of a shape such as (N, *event), which would begin an emphasis."""
    lines[:] = [re.sub(r"\*(?=event|shape)", r"\*", line) for line in lines]


def setup(app: Any) -> None:
    """Register the writer of pages and the renderer of formulas."""
    app.connect("builder-inited", write_pages)
    app.connect("autodoc-process-docstring", escape_shapes)
    app.add_html_math_renderer("mathml", (show_math, None), (show_math, None))
