import numpy as np
import pytest
import torch

from versus.training.batches import DeviceRows, generator_for, seed_for
from versus.training.devices import cpu_threads, resolve_device, resolve_precision, threads_for

CPU = torch.device("cpu")


def test_shuffled_batches_hold_every_row_once_and_keep_rows_together(tmp_path):
    np.save(tmp_path / "x.npy", np.arange(50, dtype=np.uint8).reshape(25, 2))
    rows = DeviceRows((np.load(tmp_path / "x.npy", mmap_mode="r"), np.arange(25)), CPU)
    batches = list(rows.shuffled(8, generator_for(0, "shuffle")))
    assert [len(b[0]) for b in batches] == [8, 8, 8, 1]
    x, y = (torch.cat(parts) for parts in zip(*batches, strict=True))
    assert x.dtype == torch.uint8
    assert torch.equal(x[:, 0].long(), 2 * y)
    assert sorted(y.tolist()) == list(range(25)) != y.tolist()


def test_order_depends_on_the_epoch_and_on_nothing_else():
    rows = DeviceRows((np.arange(30),), CPU)
    first, again, later = (next(rows.shuffled(30, generator_for(7, "shuffle", e)))[0] for e in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, later)
    assert seed_for(7, "shuffle", 1) != seed_for(7, "noise", 1)


def test_unequal_lengths_are_refused():
    with pytest.raises(ValueError, match="3, 4"):
        DeviceRows((np.zeros(3), np.zeros(4)), CPU)


def test_threads_are_set_for_the_block_and_given_back():
    before = torch.get_num_threads()
    with cpu_threads(before + 1):
        assert torch.get_num_threads() == before + 1
    assert torch.get_num_threads() == before
    assert (threads_for(None, 64), threads_for(None, 784), threads_for(5, 64)) == (1, 2, 5)
    with pytest.raises(ValueError, match="threads=0"):
        threads_for(0, 64)


def test_auto_is_cuda_where_there_is_one_and_single_precision_on_a_cpu():
    assert resolve_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")
    assert resolve_precision("auto", CPU) == "32-true"
    missing = f"cuda:{torch.cuda.device_count()}"
    with pytest.raises(OSError, match=f"device='{missing}', but this machine offers"):
        resolve_device(missing)


@pytest.mark.cuda
@pytest.mark.parametrize("moved", [True, False])
def test_batches_arrive_on_cuda_moved_at_once_or_gathered(moved, device):
    there = resolve_device(device)
    rows = DeviceRows((np.arange(40).reshape(20, 2),), there)
    assert (rows.resident is not None) == (there.type == "cuda")
    if not moved:
        rows.resident = None
    (batch,) = next(rows.shuffled(20, generator_for(0, "shuffle")))
    (expected,) = next(DeviceRows(rows.arrays, CPU).shuffled(20, generator_for(0, "shuffle")))
    assert batch.device == there
    assert torch.equal(batch.cpu(), expected)
