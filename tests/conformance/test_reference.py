"""Puts recorded definitions to a server of our own and compares its answers with the reference's.

Jobs that use a block we do not have are left out, each by name. `pytest tests/conformance -rs` lists them.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conformance.comparison import differences, outcome_of
from workflows.registry import blocks_by_identifier

HERE = Path(__file__).parent
RECORDINGS = (HERE / "reference-1.8.3", HERE / "reference-1.8.3-corners")
REFERENCE_TYPES = frozenset((HERE / "reference-1.8.3" / "block_types.txt").read_text().split())


@dataclass(frozen=True)
class Recording:
    """Jobs of one folder, and the jobs of it where we differ on purpose, with the reason."""

    folder: Path
    jobs: list[dict[str, Any]]
    differences: dict[str, str]


def read_recording(folder: Path) -> Recording:
    """What a folder holds."""
    jobs = [json.loads(line) for line in (folder / "jobs.jsonl").read_text().splitlines()]
    return Recording(folder, jobs, json.loads((folder / "differences.json").read_text()))


def missing_blocks(job: dict[str, Any]) -> list[str]:
    """Block types that the reference has and we do not; a type that nobody has belongs to the question."""
    steps = job["spec"].get("steps") if isinstance(job["spec"], dict) else None
    types = {step.get("type") for step in steps or [] if isinstance(step, dict)}
    return sorted(types & REFERENCE_TYPES - set(blocks_by_identifier()))


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


def image_value(entry: Any, images: Path) -> Any:
    """What the request says for an image of a job."""
    if entry is None:
        return None
    if isinstance(entry, list):
        return [image_value(part, images) for part in entry]
    entry = {"file": entry} if isinstance(entry, str) else entry
    extra = {key: value for key, value in entry.items() if key not in ("file", "wrap")}
    text = base64.b64encode((images / entry["file"]).read_bytes()).decode()
    wrap = entry.get("wrap", "dict")
    if wrap == "string":
        return text
    if wrap == "data_uri":
        text = f"data:image/{'jpeg' if entry['file'].endswith('.jpg') else 'png'};base64,{text}"
    return {**({} if wrap == "untyped" else {"type": "base64"}), "value": text, **extra}


def body_of(job: dict[str, Any], images: Path) -> dict[str, Any]:
    """The request body of a job."""
    inputs = {name: image_value(entry, images) for name, entry in job.get("images", {}).items()} | job.get("params", {})
    body = {"api_key": "local-key", "specification": job["spec"], "inputs": inputs}
    if "excluded_fields" in job:
        body["excluded_fields"] = job["excluded_fields"]
    return body | job.get("body", {})


CASES = [as_case(recording, job) for recording in map(read_recording, RECORDINGS) for job in recording.jobs]


@pytest.mark.parametrize(("folder", "job"), CASES)
def test_the_answer_is_the_one_of_the_reference(folder, job, served_url):
    answer = httpx.post(f"{served_url}/workflows/run", json=body_of(job, folder / "images"), timeout=120)
    expected = json.loads((folder / "expected" / f"{job['id']}.json").read_text())
    found = differences(job, expected, outcome_of(answer.status_code, answer.json()), folder / "expected" / "img")
    assert found == []


@pytest.mark.parametrize("folder", RECORDINGS, ids=lambda folder: folder.name)
def test_every_difference_on_purpose_names_a_job_that_runs(folder):
    recording = read_recording(folder)
    assert set(recording.differences) <= {job["id"] for job in recording.jobs if not missing_blocks(job)}
