import pytest
from prometheus_client import Counter, Gauge, Histogram

from deployments.observability import metrics

METRICS = [value for value in vars(metrics).values() if isinstance(value, (Counter, Gauge, Histogram))]


@pytest.mark.parametrize("metric", [m for m in METRICS if isinstance(m, Histogram)], ids=lambda m: m._name)
def test_names_of_times_end_with_their_unit(metric):
    assert metric._name.endswith(("_ms", "_s"))


def test_requests_and_steps_are_counted():
    metrics.record_request("GET", "/a/{b}", 200, 12.5)
    metrics.record_step(queue_ms=1, transfer_ms=2, compute_ms=3)
    text = metrics.exposition().decode()
    assert 'http_requests_total{method="GET",route="/a/{b}",status="200"} 1.0' in text
    assert 'http_request_latency_ms_sum{route="/a/{b}"} 12.5' in text
    assert 'workflow_step_latency_ms_count{part="queue"}' in text


def test_a_step_that_had_no_way_to_go_does_not_count_as_a_short_one():
    def counts():
        parts = ("queue", "transfer", "compute")
        return [metrics.REGISTRY.get_sample_value("workflow_step_latency_ms_count", {"part": part}) for part in parts]

    metrics.record_step(queue_ms=0.0, transfer_ms=2.0, compute_ms=3.0)
    before = counts()
    metrics.record_step(queue_ms=0.0, transfer_ms=0.0, compute_ms=3.0)
    assert counts() == [before[0], before[1], before[2] + 1]
