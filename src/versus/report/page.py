"""One self-contained HTML file: templates, style, script, and a policy that blocks all loading and sending."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256

from jinja2 import Environment
from markupsafe import Markup

from versus.report import formatting, metric_labels
from versus.report.figures.figure import TEMPLATES, draw, environment
from versus.report.results import Results
from versus.report.section import Shown
from versus.settings import FAMILIES


def render(results: Results, sections: Sequence[Shown]) -> str:
    """Render the page. Style and script are inline, and the page's policy allows them by their hashes only."""
    # These two files are our own and contain no data: they need no escaping, and escaping would break them.
    style = Markup((TEMPLATES / "style.css").read_text(encoding="utf-8"))
    script = Markup((TEMPLATES / "table.js").read_text(encoding="utf-8"))
    return (
        _with_filters(environment())
        .get_template("page.html")
        .render(
            results=results,
            sections=sections,
            style=style,
            script=script,
            style_hash=source_hash(style),
            script_hash=source_hash(script),
        )
    )


def _with_filters(made: Environment) -> Environment:
    made.filters |= {
        "score": formatting.score,
        "percent": formatting.percent,
        "p_value": formatting.p_value,
        "times": formatting.times,
        "breakable": breakable,
        "count": formatting.count,
        "shorten": formatting.shorten,
        "label": metric_labels.label,
        "lower_is_better": metric_labels.lower_is_better,
    }
    made.globals |= {
        "span": formatting.span,
        "groups": {**FAMILIES, "baseline": "baseline"},
        "draw": lambda figure: draw(figure, made),
        "render": lambda section: _section(made, section),
    }
    return made


def _section(made: Environment, section: Shown) -> Markup:
    """Render a section's template, which is given only the section's content."""
    return Markup(made.get_template(f"sections/{section.name}.html").render(section.content))


def breakable(name: str) -> Markup:
    """Allow a line break after each underscore of a name; copied text does not change."""
    return Markup("_<wbr>").join(name.split("_"))


def source_hash(text: str) -> str:
    """Return the hash source by which a Content-Security-Policy allows an inline style or script."""
    return "sha256-" + b64encode(sha256(text.encode("utf-8")).digest()).decode("ascii")
