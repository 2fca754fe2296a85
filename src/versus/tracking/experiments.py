"""Experiments as MLflow's pages show them: the data set, the leaderboard, and links to both and to the newest report.

MLflow's table of runs shows no metric until somebody selects columns. A view saved with an experiment selects, sorts
and filters them; it is a tag of the experiment, written here as MLflow's pages write it (3.17). The description, on top
of the table that a click in the list of experiments opens, links to the views.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
from mlflow.data.dataset_source_registry import get_dataset_source_from_json
from mlflow.data.meta_dataset import MetaDataset
from mlflow.entities import Dataset, DatasetInput, InputTag
from mlflow.types import ColSpec, DataType, Schema
from mlflow.types.schema import TensorSpec
from mlflow.utils.mlflow_tags import MLFLOW_DATASET_CONTEXT

from versus import manifest
from versus.data import findings, prepared
from versus.data.prepared import Prepared
from versus.data.spaces import Table
from versus.metrics import table
from versus.tracking.destination import Destination
from versus.tracking.run_log import CURRENT, INTERVAL, OF
from versus.tracking.store import open_store

LONGEST_DIGEST = 36  # MLflow's limit
LONGEST_NOTE = 2000
LONGEST_REPORT = 4000
LEADERBOARD, CURVES = "leaderboard", "curves"  # views
VIEW = "mlflow.sharedViewState."
NOTE = "mlflow.note.content"
KIND = {"mlflow.experimentKind": "custom_model_development"}  # opens at the runs, not at pages for language models
WORKFLOW = "workflowType=machine_learning"  # the same for what a link opens
CHARACTER, MARGIN, NARROWEST = 7.5, 40.0, 150.0  # pixels: a column is as wide as its name

COSTS = ("cost/training_seconds", "cost/latency_ms_1_p50")


def digest(folder: Path) -> str:
    """Hash of a prepared data set, from the list of its contents."""
    return manifest.sha256(folder / manifest.NAME)[:LONGEST_DIGEST]


def as_input(folder: Path) -> DatasetInput:
    """Return a prepared data set as the input of a run: its location, hash, columns and size.

    Raises:
        FileNotFoundError: if the data set is not prepared.
    """
    data = prepared.read(folder)
    # From the workspace, not from the file system's root: clones of the repository describe it alike.
    source = get_dataset_source_from_json(json.dumps({"uri": f"data/prepared/{folder.name}"}), "local")
    described = MetaDataset(source, folder.name, digest(folder)).to_dict()  # type: ignore[abstract]
    described["schema"] = json.dumps(_columns(data))
    about = data.schema
    profile = {"rows": len(data.X), "task": about.y.task, "shape": about.shape, "classes": about.n_classes}
    described["profile"] = json.dumps(profile)
    return DatasetInput(Dataset(**described), [InputTag(MLFLOW_DATASET_CONTEXT, "train, validation and test")])


def _columns(data: Prepared) -> dict[str, object]:
    """Columns with their types, as MLflow's pages show them; one tensor for images and sequences."""
    space = data.schema.x
    if not isinstance(space, Table):
        tensor = TensorSpec(np.dtype(np.float64), (-1, *space.shape))
        return {"mlflow_tensorspec": {"features": Schema([tensor]).to_dict()}}
    kinds = {True: DataType.double, False: DataType.string}
    return {"mlflow_colspec": Schema([ColSpec(kinds[c.categories is None], c.name) for c in space.columns]).to_dict()}


def experiment_tags(experiment: str, folder: Path, primary: Mapping[str, str]) -> dict[str, str]:
    """Tags of a data set's experiment: facts about the data, for people (a note) and for searches, and the leaderboard.

    Args:
        experiment: id of the experiment.
        folder: folder of the prepared data set.
        primary: data set or task -> the deciding score, by which the leaderboard is sorted.
    """
    data = prepared.read(folder)
    schema = data.schema
    classes = f", {schema.n_classes} classes ({', '.join(schema.classes)})" if schema.classes else ""
    about = f"{schema.y.task}, {schema.x.describe()}, {len(data.X)} rows{classes}"
    facts = [f"- {key}: {value}" for key, value in data.about.items() if isinstance(value, str | int | float)]
    found = findings.read(folder)
    links_to_views = f"[**Leaderboard**]({link(experiment)}) · [Training curves]({link(experiment, CURVES)})"
    told = "\n".join([*(f"- finding: {finding}" for finding in found.shown), *facts])
    return {
        **KIND,
        NOTE: f"{links_to_views} · {about}\n\n{told}"[:LONGEST_NOTE],
        VIEW + LEADERBOARD: leaderboard(schema.y.task, table.primary(primary, schema.y.task, folder.name)),
        VIEW + CURVES: curves(),
        "task": schema.y.task,
        "kind": schema.x.form,
        "data_hash": digest(folder),
        "findings": " ".join(dict.fromkeys(finding.code for finding in found.shown)) or "none",
    }


def leaderboard(task: str, primary: str) -> str:
    """Return the view of the newest results of each cell, best first, with scores and costs as columns.

    Args:
        task: "classification" or "regression".
        primary: the deciding score, in the first column, by which the table is sorted.
    """
    deciding = [metric.name for metric in table.deciding(task)]
    headline = [name for name in table.shown("headline") if name in deciding]
    scores = tuple(dict.fromkeys((primary, *headline)))
    names = {"family": "tags", scores[0]: "metrics", f"{INTERVAL}{scores[0]}": "tags"}
    names |= dict.fromkeys((*scores, *COSTS), "metrics")
    order = (f"metrics.`{scores[0]}`", table.named(scores[0]).lower_is_better)
    return _view("Leaderboard", f"tags.`{CURRENT}` = 'yes'", names, order)


def curves() -> str:
    """Return the view of the fits of all repeats, the newest first, whose losses MLflow draws into one chart each."""
    return _view("Training curves", f"tags.`{OF}` != ''", {OF: "tags"}, ("attributes.start_time", False))


def _view(title: str, condition: str, names: Mapping[str, str], order: tuple[str, bool]) -> str:
    """Write a view: its title, which runs it shows, name of a column -> its kind, sorting key, True for ascending."""
    widths = {f"{of}.`{name}`": max(NARROWEST, CHARACTER * len(name) + MARGIN) for name, of in names.items()}
    state = {
        "searchFilter": condition,
        "orderByKey": order[0],
        "orderByAsc": order[1],
        "startTime": "ALL",
        "lifecycleFilter": "Active",
        "datasetsFilter": [],
        "modelVersionFilter": "All Runs",
        "selectedColumns": list(widths),
        "columnOrder": list(widths),
        "columnWidths": widths,
    }
    # Times would change the tag without need.
    return json.dumps({"name": title, "createdAt": 0, "updatedAt": 0, "state": json.dumps(state)})


def link(experiment: str, view: str = LEADERBOARD) -> str:
    """Return the address of a view of an experiment, without the part of the server."""
    charts = "&compareRunsMode=CHART" if view == CURVES else ""
    return f"#/experiments/{experiment}/runs?viewStateShareKey={view}{charts}&{WORKFLOW}"


def page_link(experiment: str, run_id: str) -> str:
    """Return the address of a report's page, without the part of the server."""
    return f"#/experiments/{experiment}/runs/{run_id}/artifacts/report.html?{WORKFLOW}"


def report_tags(experiment: str, run_id: str, text: str) -> dict[str, str]:
    """Tags of the run of a report: what it concludes, as its description, with a link to the page.

    Args:
        experiment: id of the experiment of the reports.
        run_id: id of the run.
        text: the report as Markdown.
    """
    first = text.split("\n## ", 2)[:2]  # title and verdicts
    lines = (line for line in "\n## ".join(first).splitlines() if not line.startswith("!["))  # without pictures
    return {NOTE: f"[**The page**]({page_link(experiment, run_id)})\n\n" + "\n".join(lines)[:LONGEST_REPORT]}


def server_address(uri: str) -> str:
    """Address of a tracking server's pages, without credentials, which a browser asks for.

    Raises:
        ValueError: if the URI names no host or no valid port.
    """
    try:
        parts = urlsplit(uri)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = None  # what the parser says of it may be a part of the password
    if not host:
        advice = "in a user name or password, / @ : are written %2F %40 %3A"
        raise ValueError(f"MLFLOW_TRACKING_URI has no host and port that can be read; {advice}") from None
    host = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{host}{f':{port}' if port else ''}{parts.path.rstrip('/')}"


def links(to: Destination, datasets: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield the title of each page and its address without the server's part; nothing for pages not logged yet.

    Args:
        to: the store; a sqlite file is created if it does not exist.
        datasets: names, from params.yaml.

    Raises:
        OSError, ValueError, mlflow.exceptions.MlflowException: if the store cannot be read.
    """
    client = open_store(to)
    for dataset in datasets:
        found = client.get_experiment_by_name(to.experiment(dataset))
        if found is not None and found.lifecycle_stage == "active":
            yield f"models of {dataset}", link(found.experiment_id)
    found = client.get_experiment_by_name(to.comparison)
    if found is None or found.lifecycle_stage != "active":
        return
    condition = f"tags.`{CURRENT}` = 'yes'"
    for run in client.search_runs([found.experiment_id], condition, max_results=1):  # the newest first
        yield "newest report", page_link(found.experiment_id, run.info.run_id)
