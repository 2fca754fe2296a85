import time

import numpy as np
import pytest

from versus.metrics.cost import call_seconds, prediction_speed, samples_per_second


def test_slow_calls_take_long_and_fast_ones_do_not():
    def slow(batch):
        time.sleep(0.001 * len(batch) ** 0.5)

    X = np.zeros((40, 3))
    measured = prediction_speed(slow, X)
    one, many = measured["latency_ms"]["1"], measured["latency_ms"]["256"]
    assert 1.0 <= one["p50"] <= one["p95"]
    assert 16.0 <= many["p50"] <= many["p95"]
    assert measured["throughput_per_s"] == pytest.approx(256e3 / many["p50"])
    assert prediction_speed(lambda batch: batch, X)["latency_ms"]["256"]["p50"] < 0.5


def test_batches_have_the_sizes_that_are_stated():
    sizes = set()
    prediction_speed(lambda batch: sizes.add(batch.shape), np.zeros((10, 2, 2)), budget=0.01)
    assert sizes == {(1, 2, 2), (256, 2, 2)}


def test_a_call_beyond_the_budget_is_made_once():
    calls = []

    def call():
        calls.append(1)
        time.sleep(0.05)

    assert len(call_seconds(call, budget=0.01)) == len(calls) == 1


def test_fast_calls_are_limited_in_number_and_middling_ones_in_time():
    assert len(call_seconds(lambda: None, budget=10.0)) == 300
    started = time.perf_counter()
    assert 3 <= len(call_seconds(lambda: time.sleep(0.01), budget=0.1)) <= 10
    assert time.perf_counter() - started < 1.0


def test_samples_per_second():
    assert samples_per_second(lambda n: time.sleep(0.0256), budget=0.05) == pytest.approx(10_000, rel=0.3)
