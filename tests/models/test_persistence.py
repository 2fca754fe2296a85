import inspect
import io
import json
import os
import pickle
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file
from sklearn.tree import DecisionTreeClassifier

from versus.data.schema import Schema
from versus.data.spaces import Column, Image, Table
from versus.data.targets import Classes, Number, Tags
from versus.models import find, model_files, persistence
from versus.models.estimator import EstimatorClassifier
from versus.models.persistence import PersistenceError

MODELS = [
    ("discriminative", "baseline", "PriorBaseline", {}),
    ("discriminative", "linear", "LogisticRegression", {"C": 0.5}),
    ("discriminative", "linear", "LinearSVM", {}),
    ("discriminative", "kernel", "RBFSVM", {}),
    ("discriminative", "neighbours", "KNearestNeighbours", {"n_neighbors": 3}),
    ("discriminative", "trees", "DecisionTree", {"max_depth": 4}),
    ("discriminative", "trees", "RandomForest", {"n_estimators": 5}),
    ("discriminative", "boosting", "HistGradientBoosting", {"max_iter": 4}),
    ("classical_generative", "baseline", "Marginals", {}),
]
KEPT_BY_SKOPS = ["RBFSVM", "DecisionTree", "RandomForest", "HistGradientBoosting"]


def table():
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.normal(size=(150, 2)), rng.integers(0, 3, 150)])
    y = (X[:, 0] > 0).astype(np.int64) + (X[:, 2] == 1)
    X[rng.random(X.shape) < 0.05] = np.nan
    columns = (Column("a"), Column("b"), Column("c", ("p", "q", "r")))
    return X, y, Schema(Table(columns), Classes(("u", "v", "w")))


def fitted(family, module, name, args):
    X, y, schema = table()
    model_class = find(family, module, name)
    seed = {"random_state": 1} if "random_state" in inspect.signature(model_class).parameters else {}
    return model_class(**args, **seed, schema=schema).fit(X, y)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A saved model of each kind, by class name; not to be written to."""
    folders = {}
    for family, module, name, args in MODELS:
        folders[name] = tmp_path_factory.mktemp(name)
        persistence.save(fitted(family, module, name, args), folders[name] / "model", family, module)
    return folders


@pytest.fixture
def copy(saved, tmp_path):
    def of(name):
        return Path(shutil.copytree(saved[name], tmp_path / name))

    return of


def reseal(folder, name):
    """What somebody who tampers would also do: state the new size and hash."""
    edit(folder, lambda about: about["files"].update({Path(name).suffix: persistence._seal(folder / name)}))


def edit(folder, change):
    about = json.loads((folder / "model.json").read_text())
    change(about)
    (folder / "model.json").write_text(json.dumps(about | {"seal": persistence._seal_of(about)}))


def load_or_complaint(folder):
    try:
        return persistence.load(folder / "model"), ""
    except PersistenceError as error:
        return None, str(error)


def probabilities_or_complaint(model, X):
    try:
        with np.errstate(all="ignore"):
            return model.predict_proba(X), ""
    except ValueError as error:
        return None, str(error)


@pytest.mark.parametrize(("family", "module", "name", "args"), MODELS)
def test_a_loaded_model_answers_bit_for_bit_and_keeps_its_arguments(family, module, name, args, saved):
    X, _, schema = table()
    model, loaded = fitted(family, module, name, args), persistence.load(saved[name] / "model")
    np.testing.assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))
    assert type(loaded) is type(model)
    assert loaded.schema == schema
    assert {key: getattr(loaded, key) for key in args} == args


@pytest.mark.parametrize(("family", "module", "name", "args"), MODELS)
def test_saving_what_was_loaded_makes_the_same_bytes(family, module, name, args, saved, tmp_path):
    persistence.save(persistence.load(saved[name] / "model"), tmp_path / "model", family, module)
    for path in saved[name].iterdir():
        assert (tmp_path / path.name).read_bytes() == path.read_bytes(), path.name


def test_another_process_makes_the_same_bytes(saved, tmp_path):
    script = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from test_persistence import KEPT_BY_SKOPS, MODELS, Path, fitted, persistence
for family, module, name, args in MODELS:
    if name in KEPT_BY_SKOPS:
        persistence.save(fitted(family, module, name, args), Path({str(tmp_path)!r}) / name / "model", family, module)
"""
    environment = os.environ | {"PYTHONPATH": ":".join(sys.path), "PYTHONHASHSEED": "7"}
    subprocess.run([sys.executable, "-c", script], check=True, env=environment)
    for name in KEPT_BY_SKOPS:
        for path in saved[name].iterdir():
            assert (tmp_path / name / path.name).read_bytes() == path.read_bytes(), f"{name}/{path.name}"


def test_an_estimator_that_could_not_be_read_back_is_refused_when_it_is_saved(tmp_path):
    X, y, schema = table()

    class Stump(EstimatorClassifier):
        def new_estimator(self):
            return DecisionTreeClassifier(max_depth=1)

    class Trusted(Stump):
        trusted_types = ("sklearn.tree._classes.DecisionTreeClassifier",)

    class Whole(Stump):
        trusted_types = find("discriminative", "trees", "DecisionTree").trusted_types

    complaints = {
        Stump: r"Stump cannot be saved.*types = \('sklearn.tree._classes.DecisionTreeClassifier', 'sk.*_tree.Tree'",
        Trusted: r"Trusted cannot be saved.*types = \('sklearn.tree._classes.DecisionTreeClassifier', 'sk.*_tree.Tree'",
        Whole: r"does not define check_estimator\(estimator\)",
    }
    for model, complaint in complaints.items():
        with pytest.raises(PersistenceError, match=complaint):
            persistence.save(
                model(schema=schema).fit(np.nan_to_num(X), y), tmp_path / "model", "discriminative", "trees"
            )
        assert not (tmp_path / "model.json").exists()


def test_images_and_their_schema_come_back(tmp_path):
    rng = np.random.default_rng(0)
    X, y = rng.integers(0, 256, (40, 3, 3), dtype=np.uint8), np.arange(40) % 2
    schema = Schema(Image((3, 3), 256), Classes(("é", "<b>")))
    model = find("discriminative", "neighbours", "KNearestNeighbours")(schema=schema).fit(X, y)
    persistence.save(model, tmp_path / "model", "discriminative", "neighbours")
    loaded = persistence.load(tmp_path / "model")
    assert loaded.schema == schema
    assert (tmp_path / "model.safetensors").stat().st_size < 2000  # pixels as bytes, not as floats
    np.testing.assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))


@pytest.mark.parametrize("name", ["LogisticRegression", "RandomForest"])
@pytest.mark.parametrize("file", ["model.json", "model.safetensors", "model.skops"])
def test_a_missing_file_is_named(name, file, copy):
    folder = copy(name)
    if not (folder / file).is_file():
        pytest.skip("this model has no such file")
    (folder / file).unlink()
    with pytest.raises(PersistenceError, match=rf"{name}/{file} is missing"):
        persistence.load(folder / "model")


@pytest.mark.parametrize(("family", "module", "name", "args"), MODELS)
def test_a_truncated_or_changed_file_is_named(family, module, name, args, copy):
    folder = copy(name)
    for path in sorted(folder.iterdir()):
        whole = path.read_bytes()
        for damaged in (whole[: len(whole) // 2], b"", whole[:-3] + bytes(255 - b for b in whole[-3:])):
            path.write_bytes(damaged)
            with pytest.raises(PersistenceError, match=path.name):
                persistence.load(folder / "model")
        path.write_bytes(whole)
    persistence.load(folder / "model")


@pytest.mark.parametrize("name", ["LogisticRegression", "KNearestNeighbours", *KEPT_BY_SKOPS])
def test_flipped_bytes_behind_a_true_seal_never_crash(name, copy):
    """Either the damage is named, or (a flipped bit of a weight) the model still answers with probabilities."""
    folder = copy(name)
    X, _, _ = table()
    rng = np.random.default_rng(0)
    for file in sorted(path.name for path in folder.iterdir() if path.name != "model.json"):
        whole = (folder / file).read_bytes()
        for _ in range(60):
            damaged = bytearray(whole)
            damaged[rng.integers(len(whole))] ^= 1 << rng.integers(8)
            (folder / file).write_bytes(damaged)
            reseal(folder, file)
            model, complaint = load_or_complaint(folder)
            if model is None:
                assert file in complaint
                continue
            answer, complaint = probabilities_or_complaint(model, X)
            # a scale that became tiny makes columns infinite, which scikit-learn names
            assert "infinity" in complaint if answer is None else answer.shape == (150, 3)
        (folder / file).write_bytes(whole)
        reseal(folder, file)


def test_flipped_bytes_of_the_description_never_crash(copy):
    folder = copy("LogisticRegression")
    path, rng = folder / "model.json", np.random.default_rng(0)
    whole = path.read_bytes()
    for _ in range(300):
        damaged = bytearray(whole)
        damaged[rng.integers(len(whole))] = rng.integers(32, 127)
        path.write_bytes(damaged)
        model, complaint = load_or_complaint(folder)
        assert model is not None or "LogisticRegression" in complaint


@pytest.mark.parametrize(
    ("key", "value", "complaint"),
    [
        ("class", "Popen", "unknown class 'Popen'"),
        ("class", "np", "unknown class 'np'"),
        ("class", "LinearSVM", "arguments"),
        ("module", "os.path", "package 'os' is not in use"),
        ("module", "../../secrets", "not a name"),
        ("family", "subprocess", "unknown family"),
        ("format", 99, "format 99"),
        ("arguments", {"C": 1.0, "command": "rm"}, "arguments"),
        ("arguments", None, "damaged"),
        ("schema", {"x": {"form": "table"}}, "damaged"),
        ("schema", None, "does not fit"),
        ("files", {"../../x": {}}, "files must be"),
        ("files", {".safetensors": None}, "damaged"),
        ("files", {".safetensors": {"bytes": "many"}}, "damaged"),
        ("arrays", {}, "array"),
        ("arrays", None, "damaged"),
    ],
)
def test_a_tampered_description_is_refused(key, value, complaint, copy):
    folder = copy("LogisticRegression")
    edit(folder, lambda about: about.update({key: value}))
    with pytest.raises(PersistenceError, match=complaint):
        persistence.load(folder / "model")


OTHER = Schema(Image((1, 3), 256), Classes(("u", "v", "w")))


@pytest.mark.parametrize("name", [model[2] for model in MODELS])
def test_a_schema_of_another_kind_or_task_is_refused(name, copy):
    folder = copy(name)
    whole, schema = (folder / "model.json").read_text(), persistence.load(folder / "model").schema
    for other in (Schema(schema.x, Number("t")), Schema(schema.x, Tags(schema.classes)), OTHER):
        about = json.loads(whole) | {"schema": other.to_json()}
        (folder / "model.json").write_text(json.dumps(about))
        with pytest.raises(PersistenceError, match=r"model\.(json|safetensors|skops)"):
            persistence.load(folder / "model")
    if hasattr(find(*next(m[:3] for m in MODELS if m[2] == name)), "predict_proba"):
        edit(folder, lambda about: about.update(schema=Schema(schema.x, Number("t")).to_json()))
        with pytest.raises(PersistenceError, match=f"{name} is for classification, and its schema for regression"):
            persistence.load(folder / "model")


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("coefficients", np.zeros((2, 2))),
        ("coefficients", np.full((6, 3), np.nan)),
        ("intercept", np.full(3, np.inf)),
        ("present", np.array([0, 1, 9])),
        ("temperature", np.array(0.0)),
        ("preprocessing.centre", np.zeros(7)),
    ],
)
def test_arrays_that_do_not_fit_the_model_are_refused(name, array, copy):
    folder = copy("LogisticRegression")
    arrays = {**persistence.load(folder / "model").get_arrays(), name: array}
    save_file(arrays, folder / "model.safetensors")
    edit(folder, lambda about: about["arrays"].update({name: {"shape": list(array.shape), "dtype": str(array.dtype)}}))
    reseal(folder, "model.safetensors")
    with pytest.raises(PersistenceError, match=r"model\.safetensors"):
        persistence.load(folder / "model")


def test_a_model_that_diverged_is_not_saved(tmp_path):
    model = fitted("discriminative", "linear", "LogisticRegression", {})
    model.coefficients_[0, 0] = np.nan
    with pytest.raises(PersistenceError, match="'coefficients' has 1 values that are not finite"):
        persistence.save(model, tmp_path / "model", "discriminative", "linear")
    assert not (tmp_path / "model.json").exists()


class Bomb:
    def __reduce__(self):
        return Path.touch, (Path("boom"),)


@pytest.mark.parametrize("name", ["RandomForest", "HistGradientBoosting"])
def test_a_pickle_is_not_read(name, copy, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    folder = copy(name)
    for file in ("model.safetensors", "model.skops"):
        whole = (folder / file).read_bytes()
        (folder / file).write_bytes(pickle.dumps(Bomb()))
        reseal(folder, file)
        with pytest.raises(PersistenceError, match=file):
            persistence.load(folder / "model")
        (folder / file).write_bytes(whole)
        reseal(folder, file)
    assert not Path("boom").exists()


def rewrite(path, change):
    """Change the tree of a skops file."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    tree = json.loads(members["schema.json"])
    change(tree, members)
    members["schema.json"] = json.dumps(tree).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)


def swap_class(tree, _):
    tree["__module__"], tree["__class__"] = "subprocess", "Popen"


def swap_estimator(tree, _):
    tree["__module__"], tree["__class__"] = "sklearn.tree._classes", "DecisionTreeClassifier"


def pickle_inside(_, members):
    name = next(n for n in members if n.endswith(".npy"))
    members[name] = pickle.dumps(Bomb())


def object_array_inside(_, members):
    import io

    buffer = io.BytesIO()
    np.save(buffer, np.array([Bomb()], dtype=object), allow_pickle=True)
    members[next(n for n in members if n.endswith(".npy"))] = buffer.getvalue()


@pytest.mark.parametrize("change", [swap_class, swap_estimator, pickle_inside, object_array_inside])
def test_what_does_not_belong_in_an_estimator_is_refused(change, copy, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    folder = copy("RandomForest")
    rewrite(folder / "model.skops", change)
    reseal(folder, "model.skops")
    with pytest.raises(PersistenceError, match=r"model\.skops is damaged"):
        persistence.load(folder / "model")
    assert not Path("boom").exists()


def test_a_compressed_member_is_refused(copy):
    folder = copy("DecisionTree")
    path = folder / "model.skops"
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    reseal(folder, "model.skops")
    with pytest.raises(PersistenceError, match="compressed"):
        persistence.load(folder / "model")


def test_an_estimator_of_another_scikit_learn_asks_for_training(copy):
    folder = copy("RandomForest")
    edit(folder, lambda about: about.update(scikit_learn="0.17.1"))
    with pytest.raises(PersistenceError, match=r"scikit-learn 0\.17\.1.*train it again"):
        persistence.load(folder / "model")


def test_numbers_are_counted(saved, tmp_path):
    X, y, _ = table()
    model = find("discriminative", "linear", "LogisticRegression")().fit(np.nan_to_num(X), y)
    persistence.save(model, tmp_path / "model", "discriminative", "linear")
    # 3 columns and an intercept for 3 classes; the classes, a temperature; centre, scale and median of 3 columns
    assert persistence.count_numbers(tmp_path / "model") == 4 * 3 + 3 + 1 + 3 * 3
    assert persistence.count_numbers(saved["PriorBaseline"] / "model") == 3
    few, many = saved["DecisionTree"] / "model", saved["RandomForest"] / "model"
    assert 0 < persistence.count_numbers(few) < persistence.count_numbers(many)


def test_what_memory_held_between_the_fields_of_a_record_is_not_kept():
    padded = np.dtype({"names": ["a", "b"], "formats": ["<i8", "u1"], "offsets": [0, 8], "itemsize": 16})
    found = set()
    for garbage in (0xAB, 0xCD, 0xFF):
        memory = np.full(400 * 16, garbage, dtype=np.uint8)
        records = memory.view(padded)
        records["a"], records["b"] = 1, 2
        written = io.BytesIO()
        np.save(written, records)
        del records, memory  # to be handed out again, with what it holds
        clean = model_files._without_padding(written.getvalue(), "nodes.npy")
        assert not np.frombuffer(clean[-400 * 16 :], np.uint8).reshape(400, 16)[:, 9:].any()
        found.add(clean)
    assert len(found) == 1


def test_linear_models_are_loaded_without_scikit_learn(saved):
    script = (
        "import sys\nfrom pathlib import Path\nfrom versus.models import persistence\n"
        f"persistence.load(Path({str(saved['LogisticRegression'] / 'model')!r}))\n"
        "assert not {'sklearn', 'skops', 'torch', 'pandas'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", script], check=True, env=os.environ | {"PYTHONPATH": ":".join(sys.path)})


def test_skops_trusts_nothing_by_itself_and_does_not_walk_scikit_learn(tmp_path):
    from sklearn.dummy import DummyClassifier

    estimator = DummyClassifier().fit([[0]], [0])
    model_files.write_estimator(estimator, tmp_path / "x.skops")
    with pytest.raises(TypeError, match="DummyClassifier"):
        model_files.read_estimator(tmp_path / "x.skops", [])
    assert isinstance(
        model_files.read_estimator(tmp_path / "x.skops", ["sklearn.dummy.DummyClassifier"]), DummyClassifier
    )
    script = (
        "import sys, versus.models.model_files as s\ns.skops_io()\n"
        "assert 'sklearn.gaussian_process' not in sys.modules"  # all_estimators imports every part
    )
    subprocess.run([sys.executable, "-c", script], check=True, env=os.environ | {"PYTHONPATH": ":".join(sys.path)})
