"""Cells that `benchmarks.engine` runs with Versus and `benchmarks.plain_script` without: the same models and sizes."""

from __future__ import annotations

from collections.abc import Sequence

BATCH, EPOCHS, HIDDEN, LATENT, RATE = 64, 60, 64, 2, 3e-3
COMPONENTS, SAMPLES = 3, 64
SETS = ("moons", "wine", "breast_cancer")  # numbers only, so that the plain script needs no encoding

_TRAINED = f"learning_rate: {RATE}, batch_size: {BATCH}, epochs: {EPOCHS}, patience: null"
CELLS = {
    "discriminative": {
        "logistic_regression": "module: linear, class: LogisticRegression, args: {C: 1.0}",
        "mlp": "module: perceptron, class: MLPClassifier, "
        f"args: {{hidden_layer_sizes: [{HIDDEN}, {HIDDEN}], dropout: 0.0, {_TRAINED}}}",
    },
    "classical_generative": {
        "naive_bayes": "module: naive_bayes, class: MixedNaiveBayes",
        "gaussian_tied": "module: gaussian, class: GaussianClassifier, args: {covariance_type: tied}",
        "gaussian_mixture": f"module: mixture, class: GaussianMixtureClassifier, args: {{n_components: {COMPONENTS}}}",
    },
    "deep_generative": {
        "vae": "module: vae, class: VAE, "
        f"args: {{n_latent: {LATENT}, hidden_layer_sizes: [{HIDDEN}], evaluation_samples: {SAMPLES}, {_TRAINED}}}",
    },
}


def params(sets: Sequence[str], repeats: int) -> str:
    """Return the text of a params.yaml with all cells on these data sets."""
    lines = ["seed: 0", "plugins: []", "training: {device: cpu}", "datasets:"]
    lines += [f"  {name}: {{source: embedded, name: {name}, repeats: {repeats}}}" for name in sets]
    lines += ["files: {}"]
    for family, models in CELLS.items():
        lines += [f"{family}:"]
        lines += [f"  {data}-{name}: {{data: {data}, {model}}}" for data in sets for name, model in models.items()]
    return "\n".join(lines) + "\n"
