"""The page in a real browser: nothing it loads or sends, nothing it logs, and what its controls do."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from tests.report.conftest import PROVENANCE
from tests.report.made_workspace import MODELS, Made
from versus.data.schema import Schema
from versus.data.spaces import Column, Table
from versus.data.targets import Classes
from versus.report import build
from versus.workspace import Workspace

HOSTILE = "<img src=x onerror=document.title='broken'>"
LONG = "n" * 200


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """A data set whose names attack the page: markup, a formula, 200 characters, 60 classes, one never tested."""
    rng = np.random.default_rng(0)
    found = Made(Workspace(tmp_path_factory.mktemp("hostile")))
    classes = (
        HOSTILE,
        LONG,
        "=cmd()",
        "$x$ {{ 7*7 }} </svg><script>alert(1)</script>",
        *(f"class {k}" for k in range(56)),
    )
    y = np.concatenate([np.arange(240) % 59, np.arange(60) % 59])  # nothing is ever of the 60th class
    columns = (Column("=cmd()"), Column(HOSTILE, ("<b>yes</b>", "@no")), Column(LONG), Column("</title>"))
    X = np.column_stack([rng.normal(size=300), rng.integers(0, 2, 300), rng.normal(size=300), y + rng.normal(size=300)])
    schema = Schema(Table(columns), Classes(classes))
    found.add_classification("hostile", X, y, schema)
    found.add_classification(LONG, X, y, schema, repeats=1, models=MODELS[:2])
    attack = {"commit": HOSTILE, "</dl>": {"<i>": "javascript:alert(1)"}, "link": "https://example.org/?a=<b>"}
    build(found.workspace, found.cells, {**PROVENANCE, **attack})
    return found


def opened(driver, made, width=1440, dark=False):
    driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    )
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
    driver.get_log("performance")
    driver.get_log("browser")
    driver.get((made.workspace.reports / "report.html").as_uri())
    return driver


def unfolded(driver):
    driver.execute_script("for (const folded of document.querySelectorAll('details')) folded.open = true")
    return driver


def requested(driver):
    """The addresses that the page asked for since the last look, data within the page aside."""
    events = (json.loads(entry["message"])["message"] for entry in driver.get_log("performance"))
    sent = (e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent")
    return [url for url in sent if not url.startswith("data:")]


def column(driver, table, number):
    script = (
        "return [...arguments[0].tBodies[0].rows].filter(r => !r.hidden).map(r => r.cells[arguments[1]].textContent)"
    )
    return driver.execute_script(script, table, number)


@pytest.mark.parametrize("which", ["made", "hostile"])
def test_no_request_and_no_error(browser, which, request):
    made = request.getfixturevalue(which)
    driver = opened(browser, made)
    assert requested(driver) == [(made.workspace.reports / "report.html").as_uri()]
    assert [e["message"] for e in driver.get_log("browser")] == []


def test_policy_is_in_force(browser, made):
    driver = opened(browser, made)
    driver.execute_script("fetch('https://example.org/').catch(() => {}); document.body.append(new Image());")
    driver.execute_script("document.body.lastChild.src = 'https://example.org/x.png'")
    script = "const s = document.createElement('script'); s.textContent = 'document.title = 1'; document.body.append(s)"
    driver.execute_script(script)
    assert driver.title != "1"
    refused = [e["message"] for e in driver.get_log("browser")]
    assert sum("Content Security Policy" in message for message in refused) >= 3


def test_sorting(browser, made):
    from selenium.webdriver.common.keys import Keys

    driver = opened(browser, made)
    table = driver.find_element("css selector", "table.headline")
    header = table.find_element("xpath", ".//th[contains(., 'accuracy')]")
    header.find_element("tag name", "button").send_keys(Keys.ENTER)  # by keyboard
    assert header.get_attribute("aria-sort") == "descending"
    values = [float(text[:5]) for text in column(driver, table, 3)]
    assert values == sorted(values, reverse=True)
    header.find_element("tag name", "button").click()
    assert header.get_attribute("aria-sort") == "ascending"
    assert [float(text[:5]) for text in column(driver, table, 3)] == sorted(values)
    name = table.find_element("xpath", ".//th[contains(., 'model')]")
    name.find_element("tag name", "button").click()
    assert header.get_attribute("aria-sort") is None
    assert column(driver, table, 1) == sorted(column(driver, table, 1))


def test_values_that_are_missing_sort_last(browser, made):
    driver = opened(browser, made)
    table = driver.find_elements("css selector", "table.headline")[1]
    button = table.find_element("xpath", ".//th[contains(., 'coverage')]/button")
    for _ in range(2):
        button.click()
        assert [text == "–" for text in column(driver, table, 5)] == [False, True, True]


def test_filters(browser, made):
    from selenium.webdriver.support.select import Select

    driver = opened(browser, made)
    table = driver.find_element("css selector", "table.headline")
    dataset, family = (Select(s) for s in driver.find_elements("css selector", "form.filter select"))
    dataset.select_by_visible_text("plain")
    assert set(column(driver, table, 0)) == {"plain"}
    assert len(column(driver, table, 0)) == 5
    family.select_by_value("deep_generative")
    assert column(driver, table, 1) == ["vae"]
    assert driver.find_element("css selector", "form.filter [role=status]").text == "1 of 23 models"
    assert not driver.find_elements("css selector", "table.headline")[1].is_displayed()
    assert driver.current_url.endswith("#rows?dataset=plain&kind=deep_generative")
    driver.refresh()  # as whoever is sent the address
    table = driver.find_element("css selector", "table.headline")
    assert column(driver, table, 1) == ["vae"]
    dataset, family = (Select(s) for s in driver.find_elements("css selector", "form.filter select"))
    dataset.select_by_visible_text("all")
    family.select_by_visible_text("all")
    assert len(column(driver, table, 0)) == 20


def test_a_link_to_a_data_set_unfolds_it(browser, made):
    driver = opened(browser, made)
    inside = driver.find_element("css selector", "#data-plain h4")
    assert not inside.is_displayed()
    driver.find_element("css selector", 'table.answers a[href="#data-plain"]').click()
    assert inside.is_displayed()


def test_complete_without_script(browser, made):
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        driver = opened(browser, made)
        assert len(driver.find_elements("css selector", "table.headline tbody tr")) == 23
        assert not driver.find_element("css selector", "form.filter").is_displayed()
        assert driver.find_elements("css selector", "thead button") == []
        assert driver.get_log("browser") == []
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


@pytest.mark.parametrize("which", ["made", "hostile"])
@pytest.mark.parametrize("width", [1440, 390])
def test_nothing_is_wider_than_the_window(browser, width, which, request):
    driver = unfolded(opened(browser, request.getfixturevalue(which), width=width))
    assert driver.execute_script("return document.documentElement.scrollWidth") <= width
    # what does not fit stands in a region that scrolls
    script = """return [...document.querySelectorAll("main *:not(.scroll, .scroll *, svg *, pre *, .skip)")]
        .filter(e => e.getBoundingClientRect().right > arguments[0] + 1).map(e => e.outerHTML.slice(0, 200))"""
    assert driver.execute_script(script, width) == []


@pytest.mark.parametrize("which", ["made", "hostile"])
def test_a_phone_shows_titles_of_tables_and_heads_of_columns(browser, which, request):
    driver = unfolded(opened(browser, request.getfixturevalue(which), width=390))
    wide = "return [...document.querySelectorAll('caption')].filter(c => c.getBoundingClientRect().right > 390).length"
    assert driver.execute_script(wide) == 0
    unseen = """return [...document.querySelectorAll("thead th")]
        .filter(h => getComputedStyle(h).fontSize === "0px").map(h => h.textContent.match(/\\w+/)[0])"""
    assert set(driver.execute_script(unseen)) == {"family"}  # its cells are symbols, which a legend explains


def test_hostile_names_are_text(browser, hostile):
    driver = unfolded(opened(browser, hostile))
    assert driver.title.startswith("Versus: hostile")
    assert driver.find_elements("css selector", "img[src=x], main script, main b, main i") == []
    text = driver.execute_script("return document.body.textContent")
    assert HOSTILE in text
    assert "{{ 7*7 }}" in text
    assert LONG in text
    assert "class 55" in driver.find_element("xpath", "//dt[.='no test rows of']/following-sibling::dd").text
    assert driver.find_elements("css selector", "a[href^='javascript']") == []


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("which", ["made", "hostile"])
def test_axe_finds_nothing_serious(browser, which, dark, request):
    path = os.environ.get("AXE_PATH")
    if not path:
        pytest.skip("needs axe-core: npm pack axe-core, unpack, and AXE_PATH=…/package/axe.min.js")
    driver = unfolded(opened(browser, request.getfixturevalue(which), dark=dark))
    driver.execute_script(Path(path).read_text(encoding="utf-8"))
    result = driver.execute_async_script("const done = arguments[0]; axe.run(document).then(done)")
    assert len(result["passes"]) > 20
    found = [
        (v["id"], v["nodes"][0]["html"][:200]) for v in result["violations"] if v["impact"] in ("serious", "critical")
    ]
    assert found == []
