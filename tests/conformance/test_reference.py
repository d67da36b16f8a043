"""Puts recorded definitions to a server of our own and compares its answers with the reference's.

Jobs that use a block we do not have are left out, each by name. `pytest tests/conformance -rs` lists them.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.conformance.recordings import RECORDINGS, Recording, found_differences, missing_blocks, read_recording


def as_case(recording: Recording, job: dict[str, Any]) -> Any:
    """The job as a test, marked with why it cannot run or must differ."""
    marks = []
    if missing := missing_blocks(job):
        marks.append(pytest.mark.skip(reason=f"needs {', '.join(missing)}"))
    elif job["id"] in recording.differences:
        marks.append(pytest.mark.xfail(reason=recording.differences[job["id"]], strict=True))
    elif job.get("peer_bug"):
        marks.append(
            pytest.mark.xfail(reason=f"the reference is at fault: {job.get('note', 'see README')}", strict=False)
        )
    return pytest.param(recording.folder, job, id=job["id"], marks=marks)


CASES = [as_case(recording, job) for recording in map(read_recording, RECORDINGS) for job in recording.jobs]


@pytest.mark.parametrize(("folder", "job"), CASES)
def test_the_answer_is_the_one_of_the_reference(folder, job, served_url):
    assert found_differences(folder, job, served_url) == []


@pytest.mark.parametrize("folder", RECORDINGS, ids=lambda folder: folder.name)
def test_every_difference_on_purpose_names_a_job_that_runs(folder):
    recording = read_recording(folder)
    assert set(recording.differences) <= {job["id"] for job in recording.jobs if not missing_blocks(job)}
