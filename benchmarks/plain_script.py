"""Plain script that fits and scores the cells of `benchmarks.engine` with scikit-learn and torch, in one process.

    python -m benchmarks.plain_script FOLDER

The folder has a file for each data set and repeat, with the arrays X, y, X_test and y_test. It is what somebody writes
who needs the numbers once: no validation, no cache, no report, no intervals.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.special import logsumexp
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, brier_score_loss, log_loss, roc_auc_score
from sklearn.mixture import GaussianMixture
from sklearn.naive_bayes import GaussianNB
from sklearn.preprocessing import StandardScaler
from torch import nn

from benchmarks.cells import BATCH, COMPONENTS, EPOCHS, HIDDEN, LATENT, RATE, SAMPLES


class Mixtures:
    """Classifier by one Gaussian mixture for each class."""

    def fit(self, X: Any, y: Any) -> Mixtures:
        self.prior = np.log(np.bincount(y) / len(y))
        self.models = [GaussianMixture(COMPONENTS, random_state=0).fit(X[y == k]) for k in np.unique(y)]
        return self

    def predict_proba(self, X: Any) -> Any:
        joint = np.stack([m.score_samples(X) for m in self.models], 1) + self.prior
        return np.exp(joint - logsumexp(joint, axis=1, keepdims=True))


def train(network: nn.Module, loss: Any, *arrays: torch.Tensor) -> None:
    optimizer = torch.optim.AdamW(network.parameters(), lr=RATE)
    for _ in range(EPOCHS):
        for rows in torch.randperm(len(arrays[0])).split(BATCH):
            optimizer.zero_grad()
            loss(*(a[rows] for a in arrays)).backward()
            optimizer.step()


class Perceptron:
    """Multilayer perceptron."""

    def fit(self, X: Any, y: Any) -> Perceptron:
        self.network = nn.Sequential(
            nn.Linear(X.shape[1], HIDDEN),
            nn.ReLU(),
            nn.Linear(HIDDEN, HIDDEN),
            nn.ReLU(),
            nn.Linear(HIDDEN, y.max() + 1),
        )
        arrays = torch.as_tensor(X, dtype=torch.float32), torch.as_tensor(y)
        train(self.network, lambda a, b: nn.functional.cross_entropy(self.network(a), b), *arrays)
        return self

    def predict_proba(self, X: Any) -> Any:
        with torch.no_grad():
            return self.network(torch.as_tensor(X, dtype=torch.float32)).softmax(1).double().numpy()


class Autoencoder:
    """Variational autoencoder with a Gaussian decoder."""

    def fit(self, X: Any, y: Any) -> Autoencoder:
        d = X.shape[1]
        self.encoder = nn.Sequential(nn.Linear(d, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 2 * LATENT))
        self.decoder = nn.Sequential(nn.Linear(LATENT, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 2 * d))
        networks = nn.ModuleList([self.encoder, self.decoder])
        train(networks, lambda a: -self.elbo(a).mean(), torch.as_tensor(X, dtype=torch.float32))
        return self

    def elbo(self, X: torch.Tensor) -> torch.Tensor:
        mean, log_variance = self.encoder(X).chunk(2, 1)
        z = mean + torch.randn_like(mean) * (log_variance / 2).exp()
        m, s = self.decoder(z).chunk(2, 1)
        fit = torch.distributions.Normal(m, s.exp()).log_prob(X).sum(1)
        return fit - 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).sum(1)

    def score(self, X: Any) -> float:
        with torch.no_grad():
            events = torch.as_tensor(X, dtype=torch.float32)
            return float(torch.stack([self.elbo(events) for _ in range(SAMPLES)]).mean())


MODELS = {
    "logistic_regression": LogisticRegression,
    "mlp": Perceptron,
    "naive_bayes": GaussianNB,
    "gaussian_tied": LinearDiscriminantAnalysis,
    "gaussian_mixture": Mixtures,
    "vae": Autoencoder,
}


def scores(model: Any, X: Any, y: Any, X_test: Any, y_test: Any) -> dict[str, float]:
    scaler = StandardScaler().fit(X)
    fitted, X_test = model().fit(scaler.transform(X), y), scaler.transform(X_test)
    if not hasattr(model, "predict_proba"):
        return {"elbo": fitted.score(X_test)}
    p = np.clip(fitted.predict_proba(X_test), 1e-12, 1)
    p /= p.sum(1, keepdims=True)
    area = roc_auc_score(y_test, p[:, 1] if p.shape[1] == 2 else p, multi_class="ovr")
    brier = float(np.mean([brier_score_loss(y_test == k, p[:, k]) for k in range(p.shape[1])]))
    found = {"accuracy": accuracy_score(y_test, p.argmax(1)), "log_loss": log_loss(y_test, p)}
    return {**found, "auroc": area, "brier": brier}


def run(folder: Path) -> Iterator[tuple[str, dict[str, float]]]:
    for path in sorted(folder.glob("*.npz")):
        arrays = np.load(path, allow_pickle=False)
        for name, model in MODELS.items():
            yield f"{path.stem} {name}", scores(model, *(arrays[k] for k in ("X", "y", "X_test", "y_test")))


if __name__ == "__main__":
    torch.set_num_threads(1)
    begin = time.perf_counter()
    table = dict(run(Path(sys.argv[1])))
    print(json.dumps({"seconds_without_imports": time.perf_counter() - begin, "scores": table}))
