import numpy as np
import pytest
import torch
from sklearn.datasets import make_moons
from sklearn.linear_model import LinearRegression, LogisticRegression

from versus.data.schema import Schema
from versus.data.spaces import Column, Image, Table
from versus.data.targets import Classes
from versus.models.discriminative.perceptron import MLPClassifier, MLPRegressor
from versus.models.protocols import FitsBySteps

RNG = np.random.default_rng(0)
X, Y = make_moons(300, noise=0.2, random_state=0)
HELD_OUT = make_moons(200, noise=0.2, random_state=1)
TARGET = 100.0 + 20.0 * X[:, 0] - 5.0 * X[:, 1] ** 2
ROWS = {"device": "cpu", "random_state": 0}
FEW = ROWS | {"hidden_layer_sizes": (16,), "epochs": 5}


def test_moons_are_told_apart_and_probabilities_are_honest():
    model = MLPClassifier(epochs=60, **ROWS)
    assert isinstance(model, FitsBySteps)
    list(model.fit_steps(X, Y, HELD_OUT))
    probabilities = model.predict_proba(HELD_OUT[0])
    assert probabilities.shape == (200, 2)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0, rtol=1e-12)
    assert (model.predict(HELD_OUT[0]) == HELD_OUT[1]).mean() > 0.94
    assert -np.log(probabilities[np.arange(200), HELD_OUT[1]]).mean() < 0.2 < np.log(2)


@pytest.mark.parametrize("class_weight", [None, "balanced"])
def test_without_hidden_layers_it_is_logistic_regression(class_weight):
    noise = RNG.normal(size=(300, 2))
    labels = (X[:, 0] + noise[:, 0] > 0.5).astype(np.int64) + (X[:, 1] + noise[:, 1] > 0.8)
    model = MLPClassifier(
        hidden_layer_sizes=(), dropout=0.0, weight_decay=0.0, learning_rate=0.1, batch_size=300, epochs=600,
        precision="64-true", class_weight=class_weight, **ROWS,
    ).fit(X, labels)  # fmt: skip
    reference = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000, class_weight=class_weight).fit(X, labels)
    np.testing.assert_allclose(model.predict_proba(X), reference.predict_proba(X), atol=2e-3)


def test_without_hidden_layers_the_regressor_is_least_squares():
    model = MLPRegressor(
        hidden_layer_sizes=(),
        weight_decay=0.0,
        learning_rate=0.1,
        batch_size=300,
        epochs=400,
        precision="64-true",
        **ROWS,
    ).fit(X, TARGET)
    expected = LinearRegression().fit(X, TARGET).predict(X)
    np.testing.assert_allclose(model.predict(X), expected, atol=1e-3 * TARGET.std())


def test_the_regressor_explains_what_a_line_cannot():
    model = MLPRegressor(hidden_layer_sizes=(32, 32), epochs=60, dropout=0.0, learning_rate=1e-2, **ROWS).fit(X, TARGET)
    predicted = model.predict(HELD_OUT[0])
    truth = 100.0 + 20.0 * HELD_OUT[0][:, 0] - 5.0 * HELD_OUT[0][:, 1] ** 2
    assert predicted.shape == (200,)
    assert 1 - ((predicted - truth) ** 2).mean() / truth.var() > 0.99


def test_categories_and_missing_values_are_read():
    codes = RNG.integers(0, 3, size=400).astype(float)
    number = RNG.normal(size=400)
    number[RNG.random(400) < 0.3] = np.nan
    labels = ((codes == 1) ^ np.isnan(number)).astype(np.int64)  # neither order nor size says it
    schema = Schema(Table((Column("c", ("a", "b", "c")), Column("n"))), Classes(("no", "yes")))
    table = np.column_stack([codes, number])
    model = MLPClassifier(epochs=40, schema=schema, **ROWS).fit(table[:300], labels[:300])
    assert (model.predict(table[300:]) == labels[300:]).mean() > 0.97
    nothing = model.predict_proba(np.full((1, 2), np.nan))  # not even a category
    assert np.isfinite(nothing).all()


def test_images_are_flattened_and_a_class_without_members_keeps_its_column():
    images = RNG.integers(0, 17, size=(60, 4, 3), dtype=np.uint8)
    labels = np.where(images[:, 0, 0] > 8, 2, 0)
    schema = Schema(Image((4, 3), 17), Classes(("a", "b", "c")))
    model = MLPClassifier(epochs=60, schema=schema, **ROWS).fit(images, labels)
    probabilities = model.predict_proba(images)
    assert probabilities.shape == (60, 3)
    assert probabilities[:, 1].max() < 0.2
    assert (model.predict(images) == labels).mean() > 0.95


@pytest.mark.parametrize("model", [MLPClassifier, MLPRegressor])
def test_reruns_and_restored_models_predict_the_same_bits(model):
    y = Y if model is MLPClassifier else TARGET
    schema = Schema.of(X, y)
    first, again = model(**FEW, schema=schema).fit(X, y), model(**FEW, schema=schema).fit(X, y)
    other = model(**FEW | {"random_state": 1}, schema=schema).fit(X, y)
    restored = model(**FEW, schema=schema)
    restored.set_arrays(first.get_arrays())
    outputs = [m.predict_proba(X) if model is MLPClassifier else m.predict(X) for m in (first, again, restored, other)]
    assert np.array_equal(outputs[0], outputs[1])
    assert np.array_equal(outputs[0], outputs[2])
    assert not np.array_equal(outputs[0], outputs[3])
    assert (restored.device_, restored.precision_) == ("cpu", "32-true")


def test_every_parameter_gets_a_gradient_and_is_counted():
    model = MLPClassifier(**FEW | {"epochs": 1}).fit(X, Y)
    loss = model._losses(model.network_, (torch.from_numpy(model._encoded(X)), torch.from_numpy(Y)), None, 1.0)["loss"]
    model.network_.zero_grad()
    loss.backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.network_.parameters())
    assert model.count_parameters() == (2 * 16 + 16) + (16 * 2 + 2)


def test_constructor_keeps_arguments_as_given():
    hidden = [8]
    assert MLPClassifier(hidden_layer_sizes=hidden).hidden_layer_sizes is hidden


def test_what_does_not_fit_is_named():
    model = MLPClassifier(**FEW).fit(X, Y)
    with pytest.raises(ValueError, match="schema is None"):
        MLPClassifier(**FEW).set_arrays(model.get_arrays())
    with pytest.raises(ValueError, match=r"'2\.bias' have shape \(16,\), wanted \(17,\)"):
        MLPClassifier(**FEW | {"hidden_layer_sizes": (17,)}, schema=model.schema_).set_arrays(model.get_arrays())
    with pytest.raises(ValueError, match="needs y"):
        MLPClassifier(**FEW, schema=model.schema_).fit(X)
    with pytest.raises(ValueError, match="one number a row"):
        MLPRegressor(**FEW, schema=Schema.of(X, TARGET)).fit(X, TARGET[:-1])
