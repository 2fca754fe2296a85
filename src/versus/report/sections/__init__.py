"""Sections of the report, in the order of the page: each is a module here and a template of the same name."""

from __future__ import annotations

from versus.report.results import Results
from versus.report.section import Section
from versus.report.sections import (
    costs,
    crossing,
    datasets,
    differences,
    families,
    gaps,
    provenance,
    ranks,
    table,
    trade_off,
    tuning,
    verdict,
)

SECTIONS: tuple[Section[Results], ...] = (
    verdict,
    families,
    table,
    differences,
    trade_off,
    ranks,
    crossing,
    datasets,
    tuning,
    gaps,
    costs,
    provenance,
)
