"""Reader of params.yaml, the only one: it checks the file and names the line of each fault."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from annotated_types import Gt
from pydantic import BaseModel, ConfigDict, Discriminator, Field, StringConstraints, Tag, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from versus import plugins
from versus.data import specification
from versus.data.errors import unknown
from versus.data.file_specification import FileSpecification, unwatched
from versus.data.specification import DatasetSpecification, known_task
from versus.data.table_specification import Brought
from versus.metrics import table
from versus.models import catalogue
from versus.settings import (
    FAMILIES,
    Augmentation,
    Cell,
    Comparison,
    FewLabels,
    Gate,
    HeldOutClass,
    LabelShift,
    Training,
    TrainingSize,
    Tuning,
)

PackageName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_]\w*$")]
ModuleName = Annotated[str, StringConstraints(pattern=r"^([A-Za-z_]\w*\.)?[a-z0-9_]+$")]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]+$")]
CellName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]+-[a-z0-9_]+$")]


ExperimentSpecification = Annotated[
    Annotated[TrainingSize, Tag("training_size")]
    | Annotated[FewLabels, Tag("few_labels")]
    | Annotated[Augmentation, Tag("augmentation")]
    | Annotated[HeldOutClass, Tag("held_out_class")]
    | Annotated[LabelShift, Tag("label_shift")],
    Discriminator(lambda given: given.get("kind", "training_size") if isinstance(given, dict) else given.kind),
]


class ParamsError(ValueError):
    """Error for an unusable params.yaml; the message names the file, the line, the key and the accepted values."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class CellSpecification(_Section):
    """Cell in params.yaml: a data set and a model."""

    data: Name
    module: ModuleName
    class_: str = Field(alias="class")
    args: dict[str, Any] = {}
    time_limit: Annotated[float, Gt(0)] | None = None


class Params(_Section):
    """Content of params.yaml. Cells are keyed ``<dataset>-<model>`` under their family."""

    seed: int = Field(default=0, ge=0, lt=2**31)
    plugins: list[PackageName] = []
    training: Training = Training()
    tuning: Tuning = Tuning()
    comparison: Comparison = Comparison()
    gate: Gate = Gate()
    datasets: dict[Name, DatasetSpecification] = {}
    files: dict[Name, FileSpecification] = {}
    discriminative: dict[CellName, CellSpecification] = {}
    classical_generative: dict[CellName, CellSpecification] = {}
    deep_generative: dict[CellName, CellSpecification] = {}
    experiments: dict[Name, ExperimentSpecification] = {}


def cells(params: Params) -> Iterator[Cell]:
    """Return all cells, in the order of params.yaml."""
    for family in FAMILIES:
        for name, spec in getattr(params, family).items():
            limit = spec.time_limit or params.training.time_limit
            yield Cell(name, spec.data, family, spec.module, spec.class_, spec.args, limit)


def cell(params: Params, name: str) -> Cell:
    """Return the cell called ``name``.

    Raises:
        ParamsError: if there is none.
    """
    for found in cells(params):
        if found.name == name:
            return found
    raise ParamsError(f"params.yaml: {unknown('cell', name, (found.name for found in cells(params)))}")


def dataset(params: Params, name: str) -> Any:
    """Return the specification of the data set called ``name``.

    Raises:
        ParamsError: if there is none.
    """
    found = params.datasets.get(name) or params.files.get(name)
    if found is None:
        raise ParamsError(f"params.yaml: {unknown('data set', name, (*params.datasets, *params.files))}")
    return found


GONE = {("gate", "resamples"): "the gate has the report's interval"}  # settings of earlier versions, and the reason

_WANTS_MAPPING = ("dict_type", "mapping_type", "model_type", "model_attributes_type", "dataclass_type")

_frozen: dict[Path, Params] = {}


def freeze(path: Path) -> None:
    """Freeze a params file for this process and its forks, which then ignore later edits.

    Raises:
        ParamsError: as for `read`.
    """
    _frozen[path.resolve()] = read(path)


def read(path: Path, changes: Sequence[str] = ()) -> Params:
    """Read and check a params file, in the same way as DVC (YAML 1.2).

    Args:
        path: of the file.
        changes: values that differ from the file's, for `change`.

    Raises:
        ParamsError: with all faults found, one per line.
    """
    if _frozen and path.resolve() in _frozen:
        return _frozen[path.resolve()]
    tree = _parse(path)
    for setting in changes:
        change(tree, setting)
    plain = _plain(tree)
    try:
        params = Params.model_validate(plain)
    except ValidationError as error:
        raise ParamsError("\n".join(_schema_faults(path, tree, error))) from None
    try:
        plugins.use(params.plugins, path.parent)
        table.check_brought()
    except plugins.PluginError as error:
        raise ParamsError(f"{path}:{_line(tree, ('plugins',))}: plugins: {error}") from error
    faults = [f"{path}:{_line(tree, where)}: {'.'.join(where)}: {what}" for where, what in _reference_faults(params)]
    if faults:
        raise ParamsError("\n".join(faults))
    return params


def change(tree: CommentedMap, setting: str) -> None:
    """Set one value of params, given as ``KEY=VALUE`` with dots in the key; whoever reads them checks the outcome.

    Raises:
        ParamsError: where the setting has another form, or its key lies below a value.
    """
    path, equals, value = setting.partition("=")
    *above, last = path.split(".")
    place = tree
    for key in above:
        if isinstance(place, CommentedMap):
            place = place.setdefault(key, CommentedMap())
    if not (equals and last and isinstance(place, CommentedMap)):
        raise ParamsError(f"-S {setting}: wants KEY=VALUE, such as -S training.time_limit=60")
    try:
        place[last] = YAML(typ="safe").load(value)
    except YAMLError:
        raise ParamsError(f"-S {setting}: {value!r} is not valid YAML") from None


def migrated(path: Path) -> tuple[str, list[str]]:
    """Rename arguments and options of earlier versions in a params file; return the new text and the changes.

    Names are replaced in place, so comments and layout stay; the line of a setting that is gone is taken out.

    Raises:
        ParamsError: if the file is not YAML.
    """
    tree, changes = _parse(path), []
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    edits: set[tuple[int, int, str, str]] = set()  # line, column, old text, new text
    for where, given, today in _outdated(tree):
        for old, (new, value) in today.items():
            if new != old:
                edits.add((*given.lc.key(old), old, new))
            if value != given[old]:
                row, column = given.lc.value(old)
                text = re.match(r"""[^\s,}#"']*""", lines[row][column:].lstrip("\"'"))
                edits.add((row, column, text[0] if text else "", str(value)))
            changes.append(f"{where}: {old}: {given[old]} -> {new}: {value}")
    for row, column, old, new in sorted(edits, reverse=True):
        before, rest = lines[row][:column], lines[row][column:]
        lines[row] = before + rest.replace(old, new, 1)
    for section, key in GONE:
        found = tree.get(section)
        if isinstance(found, CommentedMap) and key in found and not found.fa.flow_style():
            del lines[found.lc.key(key)[0]]
            changes.append(f"{section}: {key} is taken out: {GONE[section, key]}")
    return "".join(lines), changes


def _outdated(tree: CommentedMap) -> Iterator[tuple[str, CommentedMap, dict[str, tuple[str, Any]]]]:
    """Yield the mappings that may hold names or values of earlier versions: their place, and old key -> new."""
    for family in FAMILIES:
        for name, cell in _entries(tree, family):
            args = cell.get("args")
            if isinstance(args, CommentedMap):
                today = catalogue.renamed(family, cell.get("module"), cell.get("class"), dict(args))
                yield f"{family}.{name}", args, today
    for section in ("datasets", "files"):
        for name, given in _entries(tree, section):
            content = given.get("content")
            options = content if isinstance(content, CommentedMap) else given
            yield f"{section}.{name}", options, specification.migrated(_plain(options))


def _entries(tree: CommentedMap, section: str) -> list[tuple[str, CommentedMap]]:
    found = tree.get(section)
    return [(k, v) for k, v in found.items() if isinstance(v, CommentedMap)] if isinstance(found, CommentedMap) else []


def _parse(path: Path) -> CommentedMap:
    if not path.is_file():
        raise ParamsError(f"{path} does not exist")
    try:
        tree = YAML(typ="rt").load(path.read_text(encoding="utf-8"))
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else "?"
        raise ParamsError(f"{path}:{line}: {(error.problem or 'not valid YAML').splitlines()[0]}") from None
    except UnicodeDecodeError as error:
        raise ParamsError(f"{path}: not UTF-8 (byte {error.start})") from None
    if not isinstance(tree, CommentedMap):
        raise ParamsError(f"{path}:1: wants a mapping with the keys {', '.join(Params.model_fields)}")
    return tree


def _plain(node: Any) -> Any:
    """Convert round-trip nodes to plain dicts, lists and scalars."""
    if isinstance(node, Mapping):
        return {str(k): _plain(v) for k, v in node.items()}
    if isinstance(node, list):
        return [_plain(v) for v in node]
    for kind in (bool, int, float, str):
        if isinstance(node, kind):
            return kind(node)
    return node


def _line(tree: Any, where: tuple[str, ...]) -> int:
    """Line of the deepest key of ``where`` that is in the file, counted from 1; one that `change` added is not."""
    line = 0
    for key in where:
        if not isinstance(tree, CommentedMap) or key not in (tree.lc.data or {}):
            break
        line = tree.lc.key(key)[0]
        tree = tree[key]
    return line + 1


def _schema_faults(path: Path, tree: CommentedMap, error: ValidationError) -> Iterator[str]:
    for fault in error.errors():
        # Pydantic adds the tag of a union's branch and "[key]" to the path; only what stands in the file is shown.
        where = tuple(str(part) for part in fault["loc"] if part not in ("[key]", "[own]", "[brought]"))
        where = _existing(tree, where) if fault["type"] != "missing" else where
        message = fault["msg"]
        if fault["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
            reason = GONE.get((where[0], where[-1])) if len(where) == 2 else None
            advice = f"is no setting any more: {reason}; `versus migrate` takes it out"
            message = advice if reason else "unknown key"
        elif fault["type"] == "union_tag_not_found":
            message = f"needs {fault['ctx']['discriminator']}"
        elif fault["type"] == "string_pattern_mismatch":
            message = f"name {fault['input']!r} does not match {fault['ctx']['pattern']}"
        elif fault["input"] is None and fault["type"] in _WANTS_MAPPING:
            message = f"is empty; write `{where[-1]}: {{}}`, or take the line out"
        elif fault["type"] != "missing":
            message = f"{message}, and got {fault['input']!r}"
        yield f"{path}:{_line(tree, where)}: {'.'.join(where)}: {message}"


def _existing(tree: Any, where: tuple[str, ...]) -> tuple[str, ...]:
    kept = []
    for part in where:
        if isinstance(tree, Mapping) and part in tree:
            kept.append(part)
            tree = tree[part]
    return tuple(kept)


def _reference_faults(params: Params) -> Iterator[tuple[tuple[str, ...], str]]:
    """Find faults between the parts: cells without their data set, unknown models, unknown arguments of models."""
    known = [*params.datasets, *params.files]
    for chosen, metric in params.comparison.primary.items():
        task = known_task(dataset(params, chosen)) if chosen in known else chosen
        tasks = [t for t in table.DECIDING if task in (t, None)]
        accepted = dict.fromkeys(m.name for t in tasks for m in table.deciding(t))
        if not accepted:
            there = f"tasks are {', '.join(table.DECIDING)}, data sets {', '.join(known) or 'none'}"
            yield ("comparison", "primary", chosen), f"unknown task or data set; {there}"
        elif metric not in accepted:
            refused = f"{metric!r} cannot decide; of {task or 'all'} models {', '.join(accepted)} can"
            yield ("comparison", "primary", chosen), refused
    for chosen in params.comparison.slices:
        if chosen not in known:
            yield ("comparison", "slices", chosen), unknown("data set", chosen, known)
    for name in sorted(set(params.datasets) & set(params.files)):
        yield ("files", name), "a data set of this name already stands under datasets"
    for name, spec in [*params.datasets.items(), *params.files.items()]:
        if isinstance(spec, Brought) and (unknown_source := _source_fault(spec.source)):
            yield ("files" if name in params.files else "datasets", name, "source"), unknown_source
    for name, spec in params.files.items():
        for key in unwatched(spec):
            advice = f"with a second file, `path` is the folder of both, `file` and `{key}` are names in it"
            yield ("files", name, key), f"only `path` is watched for changes; {advice}"
    yield from _experiment_faults(params)
    seen: set[str] = set()
    for found in cells(params):
        where = (found.family, found.name)
        if found.name in seen:
            yield where, "a cell of this name already stands under another family"
        seen.add(found.name)
        if found.dataset not in known:
            yield (*where, "data"), f"unknown data set {found.dataset!r}; there are {', '.join(known) or 'none'}"
        if not found.name.startswith(f"{found.dataset}-"):
            yield where, f"the name of a cell starts with its data set: {found.dataset}-…"
        fault = catalogue.problem(found.family, found.module, found.class_name, dict(found.args))
        if fault:
            yield (*where, *fault[0].split(".")), fault[1]
        elif found.dataset in known and (task := known_task(dataset(params, found.dataset))) is not None:
            unfit = catalogue.unfit(found.family, found.module, found.class_name, task)
            if unfit:
                yield (*where, "class"), unfit


def _source_fault(source: str) -> str | None:
    """Find the error in the name of a function of a package; None if there is none."""
    package, _, name = source.partition(".")
    if package not in plugins.active():
        return f"package {package!r} is not in use: name it under `plugins`"
    known = plugins.functions(package)
    return None if name in known else f"sources.py of {package}: {unknown('function', name, known)}"


def _experiment_faults(params: Params) -> Iterator[tuple[tuple[str, ...], str]]:
    known = {found.name: found for found in cells(params)}
    for name, asked in params.experiments.items():
        where = ("experiments", name, "cells")
        there = [cell for cell in known if known[cell].dataset == asked.data]
        for cell in asked.cells:
            if cell not in there:
                yield where, f"{cell!r} is no cell of data set {asked.data!r}; there are {', '.join(there) or 'none'}"
        sides = {known[cell].family == "discriminative" for cell in asked.cells if cell in known}
        if len(sides) < 2 and asked.kind != "training_size":
            yield where, "wants cells of both sides: a discriminative and a generative one"
