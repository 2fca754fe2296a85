"""Neural language models compared with the usual scripts: ``python -m benchmarks.language``.

LSTM: tokens a second of training, on the characters of the docstring stream, with the network of the usual example (two
layers of 200, vectors of 200): there batches of 20 rows of 35 characters, each from the state of the one before, and
gradient descent whose rate falls by four where the held-out loss does not. Ours has as many passes and must predict
held-out text no worse.
Transformer: characters a second drawn one by one with the keys and values kept, and by a pass over the whole text for
each, until the context is full; both must draw the same. Two threads each, one where it is quick.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from benchmarks.side_by_side import compare, report
from versus.arrays import Array, Ragged
from versus.data.preparation import prepare
from versus.data.schema import Schema
from versus.data.targets import Nothing
from versus.models.deep_generative.lstm import LSTM
from versus.models.deep_generative.transformer import Transformer
from versus.training.devices import cpu_threads

TRAIN, DRAW = "LSTM of characters, training", "transformer, characters drawn"
TARGETS = {TRAIN: 2.0, DRAW: 20.0}
ROWS, STEPS = 20, 35
CONTEXT = 1024


class Example(nn.Module):
    """The network of the usual example."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.encoder, self.decoder = nn.Embedding(size, 200), nn.Linear(200, size)
        self.layers, self.drop = nn.LSTM(200, 200, 2, dropout=0.2), nn.Dropout(0.2)
        for weight in (self.encoder.weight, self.decoder.weight):
            nn.init.uniform_(weight, -0.1, 0.1)
        nn.init.zeros_(self.decoder.bias)

    def forward(self, codes: torch.Tensor, state: Any) -> tuple[torch.Tensor, Any]:
        h, state = self.layers(self.drop(self.encoder(codes)), state)
        return self.decoder(self.drop(h)).flatten(0, 1).log_softmax(dim=1), state


def columns(text: Array) -> torch.Tensor:
    """Cut a text into parallel columns, (T,) -> (T / rows, rows)."""
    kept = text[: len(text) // ROWS * ROWS].astype(np.int64)
    return torch.from_numpy(kept).view(ROWS, -1).t().contiguous()


def one_pass(network: Example, text: torch.Tensor, rate: float) -> float:
    """Go through a text once; learn where the rate is above 0. Returns the mean loss, nats."""
    total, state = 0.0, None
    network.train(rate > 0)
    for at in range(0, len(text) - 1, STEPS):
        inputs = text[at : min(at + STEPS, len(text) - 1)]
        targets = text[at + 1 : at + 1 + len(inputs)].flatten()
        state = None if state is None else tuple(part.detach() for part in state)
        network.zero_grad()
        log_p, state = network(inputs, state)
        loss = functional.nll_loss(log_p, targets)
        if rate:
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 0.25)
            for parameter in network.parameters():
                parameter.data.add_(parameter.grad, alpha=-rate)
        total += len(inputs) * loss.item()
    return total / (len(text) - 1)


def compare_training(windows: int, epochs: int, threads: int, pairs: int) -> tuple[Any, dict[str, float]]:
    """Train both on the same characters, with as many passes."""
    data = prepare("stream", {"source": "embedded", "name": "docstring_stream", "repeats": 1}, Path(), seed=0)
    X, held_out = data.take(0, "train")[0][:windows], data.take(0, "test")[0][: windows // 4]
    size, losses = data.schema.n_features, {"ours": 0.0, "theirs": 0.0}

    def ours() -> None:
        arguments = {"embedding_size": 200, "hidden": 200, "n_layers": 2, "dropout": 0.2, "min_df": 1}
        arguments |= {"epochs": epochs, "window": 48, "batch_size": 8, "learning_rate": 0.005}
        model = LSTM(schema=data.schema, device="cpu", threads=threads, random_state=0, **arguments)
        model.fit(X)
        losses["ours"] = float(-model.log_prob(held_out).sum() / len(held_out.values))

    def theirs() -> None:
        torch.manual_seed(0)
        network, rate, best = Example(size), 20.0, np.inf
        with cpu_threads(threads):
            for _ in range(epochs):
                one_pass(network, columns(X.values), rate)
                with torch.no_grad():
                    found = one_pass(network, columns(held_out.values), 0.0)
                rate, best = (rate, found) if found < best else (rate / 4, best)
        losses["theirs"] = best

    timing = compare(TRAIN, "plain torch script", ours, theirs, pairs)
    found = timing.as_json()
    speeds = {f"{who}, characters a second": epochs * len(X.values) / found[f"{s}_s"] for who, s in SIDES}
    return timing, speeds | {f"{who}, held-out nats a character": losses[who] for who, _ in SIDES}


SIDES = (("ours", "ours"), ("theirs", "peer"))


def compare_drawing(n: int, threads: int, pairs: int) -> tuple[Any, dict[str, float]]:
    """Draw ``n`` most probable characters after one."""
    rng = np.random.default_rng(0)
    X = Ragged.cut(rng.integers(0, 80, 4000).astype(np.int32), np.full(40, 100))
    schema = Schema(Schema.of(X).x, Nothing())
    sizes = {"embedding_size": 256, "n_layers": 4, "n_heads": 4, "context": CONTEXT}
    model = Transformer(schema=schema, device="cpu", threads=threads, epochs=1, min_df=1, random_state=0, **sizes)
    model.fit(X)
    drawn = {}

    def ours() -> None:
        drawn["ours"] = model.continue_(np.array([1]), n, temperature=0)

    def theirs() -> None:
        codes, network = torch.tensor([[model.n_codes, 1]]), model.network_
        with torch.inference_mode(), cpu_threads(threads):
            for _ in range(n):
                codes = torch.cat([codes, network(codes)[:, -1].argmax(dim=1, keepdim=True)], dim=1)
        drawn["theirs"] = codes[0, 2:].numpy()

    timing = compare(DRAW, "without a cache", ours, theirs, pairs)
    return timing, {"characters drawn that differ": float((drawn["ours"] != drawn["theirs"]).sum())}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=3, help="how many times each is timed")
    parser.add_argument("--quick", action="store_true", help="10,000 characters, 60 drawn, one pair")
    options = parser.parse_args()
    quick = options.quick
    windows, epochs, n, threads, pairs = (24, 2, 60, 1, 1) if quick else (10_000, 4, CONTEXT - 1, 2, options.pairs)
    training, quality = compare_training(windows, epochs, threads, pairs)
    drawing, differing = compare_drawing(n, threads, pairs)
    report("language", [training, drawing], quality | differing, {} if quick else TARGETS)
    ours, theirs = (quality[f"{who}, held-out nats a character"] for who, _ in SIDES)
    if (ours > theirs + 0.01 and not quick) or differing["characters drawn that differ"]:
        raise SystemExit("the peers predict better, or the cache changes what is drawn")


if __name__ == "__main__":
    main()
