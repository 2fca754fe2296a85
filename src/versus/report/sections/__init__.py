"""Sections of the report, in the order of the page: each is a module here and a template of the same name."""

from __future__ import annotations

from versus.report.results import Results
from versus.report.section import Section
from versus.report.sections import (
    costs,
    crossing,
    datasets,
    differences,
    gaps,
    provenance,
    ranks,
    table,
    trade_off,
    verdict,
)

SECTIONS: tuple[Section[Results], ...] = (
    verdict,
    table,
    differences,
    trade_off,
    ranks,
    crossing,
    datasets,
    gaps,
    costs,
    provenance,
)
