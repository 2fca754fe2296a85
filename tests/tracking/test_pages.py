"""`versus ui` names the pages: links that lead to the experiments and the newest report, on MLflow's real server."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import psutil
import pytest

from tests.tracking.processes import SOURCE, wait_for
from tests.tracking.workspaces import a_cell, make_cell
from versus.settings import Comparison
from versus.tracking import client, destination, experiments
from versus.workspace import Workspace


@pytest.mark.parametrize(
    ("uri", "address"),
    [
        ("http://anna:secret@host:5000", "http://host:5000"),
        ("https://host/team/", "https://host/team"),
        ("http://[::1]:5000", "http://[::1]:5000"),
    ],
)
def test_the_address_of_a_server_has_no_credentials(uri: str, address: str) -> None:
    assert experiments.server_address(uri) == address


@pytest.mark.parametrize("uri", ["http://anna:pass/word@host:5000", "http://[::1", "http://", "http://host:port"])
def test_an_unreadable_address_is_not_repeated(uri: str) -> None:
    with pytest.raises(ValueError, match="no host and port") as caught:
        experiments.server_address(uri)
    assert "pass" not in str(caught.value).split(";")[0]


PARAMS = """\
datasets:
  flowers: {source: embedded, name: iris}
  later: {source: embedded, name: iris}
deep_generative:
  flowers-vae: {data: flowers, module: vae, class: VAE}
  flowers-later: {data: flowers, module: vae, class: VAE, args: {n_latent: 1}}
"""


@pytest.fixture
def mirrored(stored: Workspace) -> Workspace:
    """A workspace with two cells, one of them logged, and two reports in its store, the second of them the newest."""
    stored.params.write_text(PARAMS)
    make_cell(stored, "flowers-later", seed=1)
    for text in ("first", "second"):
        stored.reports.joinpath("report.html").write_text(f"<h1>{text}</h1>")
        stored.reports.joinpath("report.md").write_text(f"# Title\n\n## Verdicts\n\n{text} verdict\n\n## Rest\n")
        assert client.sync(stored, [a_cell()], Comparison()).ok
    return stored


def test_links_lead_to_what_was_logged(mirrored: Workspace) -> None:
    found = dict(experiments.links(destination.find(mirrored.root), ["flowers", "later"]))
    assert list(found) == ["models of flowers", "newest report"]


@pytest.mark.slow
def test_ui_prints_links_serves_them_and_leaves_nothing_behind(
    mirrored: Workspace, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    # As in a clone that DVC's cache filled: `ui` makes the store anew, in the repository whose code the workspace runs.
    (mirrored.root / "dvc.yaml").write_text("vars:\n  - code: repository\n")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    output, elsewhere = tmp_path / "ui.log", tmp_path / "elsewhere"
    elsewhere.mkdir()
    with output.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "versus", "ui", "--port", str(port), "--workspace", str(mirrored.root)],
            cwd=elsewhere,
            env={**os.environ, "PYTHONPATH": str(SOURCE)},
            stdout=log,
            stderr=log,
        )
    try:
        wait_for(lambda: answers(port), 240)
        printed = output.read_text()
        assert "There is no store yet: logging the results that are here." in printed
        (experiment,) = re.findall(
            rf"models of flowers: http://127.0.0.1:{port}/#/experiments/(\d+)/runs\?view", printed
        )
        got = json.loads(fetch(port, f"api/2.0/mlflow/experiments/get?experiment_id={experiment}"))
        assert got["experiment"]["name"] == "flowers"
        assert "mlflow.sharedViewState.leaderboard" in {tag["key"] for tag in got["experiment"]["tags"]}
        (run,) = re.findall(r"newest report: \S+/runs/(\w+)/artifacts/report.html", printed)
        assert fetch(port, f"get-artifact?path=report.html&run_uuid={run}") == b"<h1>second</h1>"
        if shutil.which("chromium") and shutil.which("chromedriver"):
            click_through(request.getfixturevalue("browser"), f"http://127.0.0.1:{port}/", mirrored)
        below = psutil.Process(process.pid).children(recursive=True)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)
    _, left = psutil.wait_procs(below, timeout=10)
    assert left == []
    assert (mirrored.root / "repository" / "mlflow.db").is_file()
    assert list(elsewhere.iterdir()) == []


def click_through(browser: Any, address: str, workspace: Workspace) -> None:
    """From the list of experiments to the runs, their leaderboard and their means, and from reports to the page."""
    from selenium.common.exceptions import NoSuchFrameException, StaleElementReferenceException
    from selenium.webdriver.support.wait import WebDriverWait

    script = """const every = [...document.querySelectorAll(arguments[0])];
        const found = every.find((element) => element.innerText.includes(arguments[1]));
        found?.click();
        return Boolean(found);"""
    # The page draws its parts anew at any time, also between a look for a part and a look at it.
    drawn_anew = (NoSuchFrameException, StaleElementReferenceException)

    def wait_until(condition: Callable[[], Any]) -> Any:
        return WebDriverWait(browser, 120, ignored_exceptions=drawn_anew).until(lambda _: condition())

    def click(css: str, text: str = "") -> None:
        wait_until(lambda: browser.execute_script(script, css, text))

    def shows(text: str) -> None:
        wait_until(lambda: text in browser.find_element("tag name", "body").text)

    browser.get(f"{address}#/experiments")
    click("a", "flowers")
    for column in ("family", "accuracy_score", "interval.accuracy_score", "deep generative"):
        shows(column)
    assert "/runs?" in browser.current_url  # not at pages for language models
    click("[aria-label='Select all runs']")
    click("button", "Compare")
    wait_until(lambda: "compare-runs" in browser.current_url)
    for cell in ("flowers-vae", "flowers-later"):  # the mean over repeats, not the last one
        scores = pd.read_csv(workspace.evaluation(cell) / "scores.csv")
        shows(f"{scores[scores['metric'] == 'accuracy_score']['value'].mean():.3f}")
    browser.get(f"{address}#/experiments")
    click("a", "versus-comparison")
    shows("The newest report")  # a link of a description opens in a tab of its own
    link = "return [...document.querySelectorAll('a')].find((a) => a.innerText.trim() === 'The newest report')?.href"
    browser.get(wait_until(lambda: browser.execute_script(link)))
    wait_until(lambda: "report.html" in browser.current_url)
    assert "workflowType=machine_learning" in browser.current_url
    wait_until(lambda: in_a_frame(browser, "second"))


def in_a_frame(browser: Any, text: str) -> bool:
    """The page of a report stands in a frame of its own."""
    browser.switch_to.default_content()
    for frame in browser.find_elements("tag name", "iframe"):
        browser.switch_to.frame(frame)
        found = text in browser.find_element("tag name", "body").text
        browser.switch_to.default_content()
        if found:
            return True
    return False


def answers(port: int) -> bool:
    try:
        return fetch(port, "health") == b"OK"
    except OSError:
        time.sleep(0.2)
        return False


def fetch(port: int, path: str) -> bytes:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", timeout=20) as reply:
        return bytes(reply.read())
