"""Times of fits as formulas of the work that they do, in seconds of one core of 2020 or later.

They are right to a factor of about three, which is enough to tell minutes from days.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from versus.arrays import Events, Ragged
from versus.data.schema import Schema
from versus.data.spaces import Tokens

WORDS = 20  # of a text whose length is not known


@dataclass(frozen=True)
class Size:
    """What the time of a fit depends on.

    Args:
        rows: number N of examples that are learnt from.
        width: number F of columns, with one for each category; of tokens the size of the vocabulary.
        columns: number of columns.
        numbers: number D of columns that covariances join; categories enter a density as factors.
        classes: number K of classes or tags, 1 for a quantity.
        steps: number of tokens, or rows of sequences, in all examples; N where an example is one.
        values: numbers that are held of them: a token's code, or all columns of a step.
    """

    rows: int
    width: int
    columns: int
    numbers: int
    classes: int
    steps: int
    values: int

    @classmethod
    def of(cls, schema: Schema, rows: int, steps: int | None = None) -> Size:
        """Size of the training part of a data set of so many rows, and steps (see `steps_of`) if they are known."""
        width = max(schema.n_features + sum(max(size - 1, 0) for size in schema.cardinalities), 1)
        numbers = max(schema.cardinalities.count(0), 1)
        learnt, columns, classes = max(int(0.8 * rows), 1), schema.n_features, max(schema.n_classes, 1)
        usual = rows * (WORDS if isinstance(schema.x, Tokens) else 1)
        held = max(int(0.8 * (usual if steps is None else steps)), 1)
        return cls(
            learnt, width, columns, numbers, classes, held, held * (1 if isinstance(schema.x, Tokens) else width)
        )

    @property
    def covariance(self) -> str:
        """Kind of covariance that the rows of a class can determine: "full", "tied" or "diag"."""
        return "full" if self.steps > self.numbers * self.classes else "tied" if self.steps > self.numbers else "diag"


Seconds = Callable[[Size], float]


def steps_of(X: Events) -> int:
    """Count the tokens or rows of all sequences; of other examples, themselves."""
    return len(X.values) if isinstance(X, Ragged) else len(X)


def no_time(size: Size) -> float:
    """Counts alone."""
    return 0.0


def linear(size: Size) -> float:
    """A linear model of each class."""
    return 1e-7 * size.values * size.classes


def kernel(size: Size) -> float:
    """Kernels of all pairs of rows."""
    return 2e-9 * size.rows**2 * size.width


def forest(size: Size) -> float:
    """Hundred trees, each split by a few columns."""
    return 6e-6 * size.rows * math.log2(size.rows + 1) * math.sqrt(size.width)


def value_forest(size: Size) -> float:
    """Hundred trees of a quantity, each split by all columns."""
    return 1e-6 * size.rows * math.log2(size.rows + 1) * size.width


def boosting(size: Size) -> float:
    """Hundred trees of each class on histograms of the columns."""
    trees = 100 * (size.classes if size.classes > 2 else 1)
    return trees * (2e-3 + 1e-4 * size.width + 5e-8 * size.rows * size.width)


def network(size: Size) -> float:
    """Hundred epochs of two dense layers."""
    return 100 * size.rows * (2e-5 + 4e-8 * size.width)


def convolutions(size: Size) -> float:
    """Hundred epochs of convolutions."""
    return 100 * size.rows * 5e-6 * size.width


def autoencoder(size: Size) -> float:
    """Hundred epochs of an encoder and a decoder."""
    return size.rows * (1.5e-2 + 1e-5 * size.width)


def flow(size: Size) -> float:
    """Thirty epochs of three splines."""
    return size.rows * (4e-3 + 1e-4 * size.width)


def diffusion(size: Size) -> float:
    """Hundred epochs of dense layers, and each class asked about when rows are scored."""
    return size.rows * (5e-3 + 1e-5 * size.width + 3e-5 * size.classes)


def game(size: Size) -> float:
    """Fifteen epochs of two convolutional networks."""
    return 1.2e-4 * size.rows * size.width


def cycles(size: Size) -> float:
    """Thirty epochs of four convolutional networks in full resolution."""
    return 6e-4 * size.rows * size.width


def boltzmann(size: Size) -> float:
    """Thirty epochs: six products of a batch with the weights of 128 units."""
    return 30 * size.rows * (4e-5 + 8e-8 * size.width)


def recurrent(size: Size) -> float:
    """Twenty epochs of an LSTM in both directions."""
    return 20 * 4e-5 * size.steps


def language(epochs: int) -> Seconds:
    """Epochs of an LSTM that tells the next token among those of the vocabulary."""
    return lambda size: epochs * size.steps * (3e-5 + 2e-8 * size.width)


def chains(size: Size) -> float:
    """Hundred passes over all tokens, and all pairs of tags."""
    return 100 * size.steps * (4e-7 + 2.5e-8 * size.classes)


def span_charts(size: Size) -> float:
    """Thirty passes: charts of sentences of 25 words take five times as long as those of 12."""
    return 30 * 4e-3 * size.rows * math.pow(size.steps / size.rows / 12, 2.2)


def topics(size: Size) -> float:
    """Inference of each document's topics, and the topics."""
    return 2e-4 * size.steps


def pairs(size: Size) -> float:
    """Counts of all pairs of categories."""
    return 1e-10 * size.rows * (size.width + 5 * size.numbers) ** 2


def search(size: Size) -> float:
    """Hill climbing: about two arcs a column are added, and for each the families of one column are counted."""
    return 2 * size.columns**2 * (4e-8 * size.rows + 2e-4)


def field(size: Size) -> float:
    """Pseudo-likelihood of all pairs: 100 products of the rows with all categories."""
    return 100 * 1e-9 * size.rows * (size.width + size.classes) ** 2


def normals(size: Size) -> float:
    """Covariances of each class."""
    return 2e-9 * size.numbers**2 * (size.steps + 5 * _choosing(size) + 11 * size.classes * size.numbers)


def mixtures(size: Size) -> float:
    """Hundred steps of EM with four covariances of each class."""
    return 100 * 4 * 2e-9 * size.numbers**2 * (size.steps + _choosing(size) + 2 * size.classes * size.numbers)


def _choosing(size: Size) -> int:
    """Rows by whose held-out likelihood the regularisation is chosen."""
    return min(size.steps, 2000 * size.classes)
