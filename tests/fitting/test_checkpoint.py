import warnings

import numpy as np
import pytest

from versus.fitting.checkpoint import Checkpoint, read, write

STATE = {
    "epoch": np.asarray(np.int64(3)),
    "weights": np.arange(6, dtype=np.float32).reshape(2, 3).T,  # not in C order
    "none": np.zeros((0, 4)),
    "marked": np.array([True, False]),
}
CHECKPOINT = Checkpoint(STATE, '[[1, "train_loss", 0.25]]', "a model")


def test_what_is_written_is_read(tmp_path):
    path = tmp_path / "deep" / "fit.safetensors"
    write(path, CHECKPOINT)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = read(path, "a model")
    assert found is not None
    assert found.history == CHECKPOINT.history
    assert found.state.keys() == STATE.keys()
    for name, array in STATE.items():
        assert found.state[name].dtype == array.dtype
        np.testing.assert_array_equal(found.state[name], array)
    assert [p.name for p in path.parent.iterdir()] == [path.name]  # nothing is left beside it


def test_a_file_that_is_not_there_is_no_warning(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read(tmp_path / "none", "a model") is None


def damage_cut(path):
    path.write_bytes(path.read_bytes()[:-7])


def damage_bit(path):
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def damage_empty(path):
    path.write_bytes(b"")


def damage_other_kind(path):
    path.write_bytes(b"PK\x03\x04 this is a zip file")


@pytest.mark.parametrize("damage", [damage_cut, damage_bit, damage_empty, damage_other_kind])
def test_a_damaged_file_is_named_and_left_out(tmp_path, damage):
    path = tmp_path / "fit.safetensors"
    write(path, CHECKPOINT)
    damage(path)
    with pytest.warns(UserWarning, match=r"fit\.safetensors is damaged; training starts from the first epoch"):
        assert read(path, "a model") is None


def test_another_models_file_is_left_out(tmp_path):
    path = tmp_path / "fit.safetensors"
    write(path, CHECKPOINT)
    with pytest.warns(UserWarning, match="is of a model, not of another model"):
        assert read(path, "another model") is None


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "fit.safetensors"
    write(path, CHECKPOINT)
    with pytest.raises(Exception):  # noqa: B017, PT011 - whatever safetensors says of a type it cannot hold
        write(path, Checkpoint({"names": np.array(["a"], dtype=object)}, "", "a model"))
    assert read(path, "a model") is not None
