"""Sections of the report, in the order of the page: each is a module here and a template of the same name."""

from __future__ import annotations

from versus.report.results import Results
from versus.report.section import Section
from versus.report.sections import (
    additions,
    costs,
    crossing,
    datasets,
    differences,
    families,
    gaps,
    held_out,
    provenance,
    ranks,
    since,
    table,
    tuning,
    verdict,
)

SECTIONS: tuple[Section[Results], ...] = (
    verdict,
    since,
    families,
    table,
    differences,
    ranks,
    crossing,
    additions,
    held_out,
    datasets,
    tuning,
    gaps,
    costs,
    provenance,
)
