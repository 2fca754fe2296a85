"""One self-contained HTML file: templates, style, script, and a policy that lets the page load and send nothing."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from versus.report import formatting, metric_labels
from versus.report.figures.figure import Figure
from versus.report.page_content import Content

TEMPLATES = Path(__file__).parent / "templates"


def environment() -> Environment:
    """Jinja with autoescape for every template and an error for every name that is not there."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
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
    made.globals |= {"span": formatting.span, "draw": lambda figure: draw(made, figure)}
    return made


def render(report: Content) -> str:
    """The page. Style and script stand in it as they are, and its policy allows them by their hashes alone."""
    # These two files are ours and hold no data, so they need no escaping, and would not survive it.
    style = Markup((TEMPLATES / "style.css").read_text(encoding="utf-8"))
    script = Markup((TEMPLATES / "table.js").read_text(encoding="utf-8"))
    template = environment().get_template("page.html")
    return template.render(
        report=report, style=style, script=script, style_hash=source_hash(style), script_hash=source_hash(script)
    )


def breakable(name: str) -> Markup:
    """A name that a narrow column may break after its underscores, which copying does not show."""
    return Markup("_<wbr>").join(name.split("_"))


def source_hash(text: str) -> str:
    """How a Content-Security-Policy names an inline source that it allows."""
    return "sha256-" + b64encode(sha256(text.encode("utf-8")).digest()).decode("ascii")


def draw(made: Environment, figure: Figure) -> Markup:
    """A picture as markup for the page."""
    return Markup(made.get_template(f"figures/{figure.template}").render(figure=figure, standalone=None))


def standalone(figure: Figure) -> str:
    """A picture as a file of its own, light or dark as its reader prefers."""
    style = (TEMPLATES / "style.css").read_text(encoding="utf-8")
    colours = style[: style.index("* { box-sizing")]
    marks = style[style.index("/* figures */") : style.index("/* end of figures */")]
    ground = "svg { background: var(--ground); font-family: system-ui, sans-serif; }\n"
    text = (
        environment()
        .get_template(f"figures/{figure.template}")
        .render(figure=figure, standalone=Markup(colours + ground + marks))
    )
    return text + "\n"
