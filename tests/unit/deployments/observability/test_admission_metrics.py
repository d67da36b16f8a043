import pytest
from prometheus_client import CollectorRegistry, generate_latest

from deployments.dataplane.admission import Admission
from deployments.errors import OverloadedError
from deployments.observability.admission_metrics import AdmissionCollector
from deployments.settings import AdmissionLimits


def lines_of(admission):
    registry = CollectorRegistry()
    registry.register(AdmissionCollector(admission))
    return generate_latest(registry).decode().splitlines()


def test_every_series_is_there_before_anything_happened():
    lines = lines_of(Admission(AdmissionLimits(first_in_flight=3, max_in_flight_bytes=100)))
    for line in (
        "admission_admitted_total 0.0",
        'admission_refused_total{reason="bytes"} 0.0',
        "admission_in_flight 0.0",
        "admission_in_flight_limit 3.0",
        "admission_in_flight_limit_bytes 100.0",
        "admission_rate_per_s 0.0",
    ):
        assert line in lines


def test_what_is_in_and_what_was_refused_is_shown():
    admission = Admission(AdmissionLimits(max_in_flight_bytes=100))
    admission.enter(70)
    with pytest.raises(OverloadedError):
        admission.enter(31)
    lines = lines_of(admission)
    for line in (
        "admission_admitted_total 1.0",
        'admission_refused_total{reason="bytes"} 1.0',
        "admission_in_flight 1.0",
        "admission_in_flight_bytes 70.0",
    ):
        assert line in lines
