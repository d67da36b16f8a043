from deployments.dataplane.backend import Timing
from deployments.dataplane.messages import StageDone


def timing(step, queue_ms, transfer_ms, compute_ms):
    return Timing(step=step, queue_ms=queue_ms, transfer_ms=transfer_ms, compute_ms=compute_ms)


def test_the_first_step_of_a_stage_bears_the_wait_and_the_way():
    done = StageDone(columns={}, step_ms={"offset": 1.0, "crop": 4.0})
    assert done.timings(queue_ms=2.0, away_ms=8.0) == [timing("offset", 2.0, 3.0, 1.0), timing("crop", 0.0, 0.0, 4.0)]


def test_a_way_is_never_shorter_than_nothing():
    assert StageDone(columns={}, step_ms={"crop": 4.0}).timings(0.0, 3.9) == [timing("crop", 0.0, 0.0, 4.0)]


def test_no_steps_leave_no_times():
    assert StageDone(columns={}, step_ms={}).timings(1.0, 1.0) == []
