"""Logistic regression against naive Bayes on the 15 subjects of Ng and Jordan (NIPS 2001), by training-set size.

    python -m benchmarks.crossing FOLDER [--draws 10] [--only pima sonar]

FOLDER holds the files of the UCI repository that `SUBJECTS` names. Each is an ordinary experiment: prepared by
`versus.data`, fitted and scored by `versus.experiments`, with the sentence of the report. The paper predicts that naive
Bayes is ahead on few rows and logistic regression on many, where there are enough of them for the two to cross.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from stages import experiment, fingerprint, prepare
from versus import params as parameters
from versus.report import results
from versus.report.sections import crossing
from versus.workspace import Workspace

ADULT = "age workclass fnlwgt education education_num marital occupation relationship race sex gain loss hours country"
CONTINUOUS = ("age", "fnlwgt", "education_num", "gain", "loss", "hours")
MOST_ROWS = 4000
MODELS = """\
discriminative:
  {0}-logistic_regression: {{data: {0}, module: linear, class: LogisticRegression, args: {{C: {1}}}}}
classical_generative:
  {0}-naive_bayes: {{data: {0}, module: naive_bayes, class: MixedNaiveBayes}}
experiments:
  size: {{data: {0}, cells: [{0}-logistic_regression, {0}-naive_bayes], draws: {2}}}
"""


def table(folder: Path, file: str, target: int = -1, **options: object) -> pd.DataFrame:
    """Read a csv file; its columns are called x0, x1 … and target."""
    found = pd.read_csv(folder / file, header=None, skipinitialspace=True, **options)  # type: ignore[call-overload]
    columns = list(found.columns)
    y = columns.pop(target)
    return found[columns].rename(columns={c: f"x{i}" for i, c in enumerate(columns)}).assign(target=found[y])


def arff(folder: Path, file: str) -> pd.DataFrame:
    """Read an ARFF file's rows; "?" is missing."""
    lines = (folder / file).read_text(encoding="utf-8").splitlines()
    rows = lines[next(i for i, line in enumerate(lines) if line.strip().lower() == "@data") + 1 :]
    data = [row for row in csv.reader(rows, quotechar="'", skipinitialspace=True) if row and not row[0].startswith("%")]
    found = pd.DataFrame(data).replace("?", None)
    *columns, y = found.columns
    return found[columns].rename(columns={c: f"x{c}" for c in columns}).assign(target=found[y])


def housing(folder: Path) -> pd.DataFrame:
    """Tell whether a price lies above the median."""
    found = table(folder, "housing.csv")
    return found.assign(target=(found.target > found.target.median()).map({True: "above", False: "below"}))


def digits(folder: Path, *pair: int) -> pd.DataFrame:
    """Tell two digits apart."""
    found = pd.concat([table(folder, f"optdigits.{part}") for part in ("tra", "tes")])
    found = found[found.target.isin(pair)]
    return found.assign(target="d" + found.target.astype(str))


def adult(folder: Path, kind: str) -> pd.DataFrame:
    """Tell incomes apart by the continuous, or by the discrete columns."""
    found = table(folder, "adult-train.csv", na_values="?").rename(
        columns={f"x{i}": name for i, name in enumerate(ADULT.split())}
    )
    chosen = [c for c in found.columns if c != "target" and (c in CONTINUOUS) == (kind == "continuous")]
    return found[[*chosen, "target"]]


def promoters(folder: Path) -> pd.DataFrame:
    """Tell promoters among sequences of 57 nucleotides."""
    found = table(folder, "promoters.data", target=0)
    bases = found["x1"].str.strip().map(list).apply(pd.Series).add_prefix("base")
    return bases.assign(target=found.target)


def lenses(folder: Path) -> pd.DataFrame:
    """Tell hard from soft lenses; patients without lenses are left out."""
    found = pd.read_csv(folder / "lenses.data")
    found = found[found["class"].isin([1, 2])]
    kept = found[["age", "spectacle", "astigmatic", "rate"]].astype(str).add_prefix("v")
    return kept.assign(target=found["class"].map({1: "hard", 2: "soft"}))


# Name -> its rows. Discrete columns are categories.
SUBJECTS: dict[str, Callable[[Path], pd.DataFrame]] = {
    "pima": lambda folder: table(folder, "pima-indians-diabetes.csv"),
    "adult_continuous": lambda folder: adult(folder, "continuous"),
    "boston": housing,
    "optdigits_0_1": lambda folder: digits(folder, 0, 1),
    "optdigits_2_3": lambda folder: digits(folder, 2, 3),
    "ionosphere": lambda folder: table(folder, "ionosphere.csv"),
    "liver": lambda folder: table(folder, "bupa.data", skiprows=1),
    "sonar": lambda folder: table(folder, "sonar.csv"),
    "adult_discrete": lambda folder: adult(folder, "discrete"),
    "promoters": promoters,
    "lymphography": lambda folder: arff(folder, "lymph.arff"),
    "breast_cancer": lambda folder: arff(folder, "breast.cancer.arff"),
    "lenses": lenses,
    "sick": lambda folder: arff(folder, "sick.arff"),
    "voting": lambda folder: arff(folder, "vote.arff"),
}


def run(name: str, rows: pd.DataFrame, draws: int, penalty: float) -> tuple[list[crossing.Pair], int, float]:
    """Run one experiment in a workspace of its own; return its pairs, the number of fits and the seconds."""
    rows = rows.dropna(subset=["target"])
    rows = rows.sample(min(len(rows), MOST_ROWS), random_state=0)
    rare = rows.target.map(rows.target.value_counts()) < 3
    started = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            rows[~rare].to_csv("rows.csv", index=False)
            given = json.dumps({"source": "csv", "path": "rows.csv", "target": "target", "task": "classification"})
            Path("params.yaml").write_text(f"files:\n  {name}: {given}\n{MODELS.format(name, penalty, draws)}")
            fingerprint.main()
            prepare.main(name)
            begin = time.perf_counter()
            experiment.main("size")
            seconds = time.perf_counter() - begin
            params = parameters.read(Path("params.yaml"))
            found = results.read(Workspace(Path()), parameters.cells(params), experiments=["size"]).experiments["size"]
        finally:
            os.chdir(started)
    return list(crossing.pairs(name, found)), 2 * len(found["sizes"]) * found["orders"], seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="folder with the files")
    parser.add_argument("--draws", type=int, default=10, help="random orders of the rows in each of 10 repeats")
    parser.add_argument("--only", nargs="+", default=list(SUBJECTS), choices=SUBJECTS, help="some of the subjects")
    parser.add_argument("-C", type=float, default=1.0, help="inverse strength of the penalty (default: 1)")
    options = parser.parse_args()
    folder = options.folder.resolve()
    print("| data | smallest | largest | by accuracy | by log loss |\n|---|---|---|---|---|")
    fits, seconds = 0, 0.0
    for name in options.only:
        pairs, some, taken = run(name, SUBJECTS[name](folder), options.draws, options.C)
        fits, seconds = fits + some, seconds + taken
        ends = (
            f"{pairs[0].rows[0][0]} rows: {pairs[0].rows[0][1]} | {pairs[0].rows[-1][0]} rows: {pairs[0].rows[-1][1]}"
        )
        print(f"| {name} | {ends} | {' | '.join(p.words.split(', ', 1)[1] for p in pairs)} |", flush=True)
    print(f"\n{fits} fits, scored, in {seconds:.0f} s")


if __name__ == "__main__":
    main()
