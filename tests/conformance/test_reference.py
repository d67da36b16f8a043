"""Puts recorded definitions to a server of our own and compares its answers with the reference's.

Jobs that use a block we do not have are left out, each by name. `pytest tests/conformance -rs` lists them.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conformance.comparison import differences, outcome_of
from workflows.registry import blocks_by_identifier

HERE = Path(__file__).parent / "reference-1.8.3"
JOBS = [json.loads(line) for line in (HERE / "jobs.jsonl").read_text().splitlines()]
DIFFERENCES: dict[str, str] = json.loads((HERE / "differences.json").read_text())
REFERENCE_TYPES = frozenset((HERE / "block_types.txt").read_text().split())


def missing_blocks(job: dict[str, Any]) -> list[str]:
    """Block types that the reference has and we do not; a type that nobody has belongs to the question."""
    types = {step.get("type") for step in job["spec"].get("steps", []) if isinstance(step, dict)}
    return sorted(types & REFERENCE_TYPES - set(blocks_by_identifier()))


def as_case(job: dict[str, Any]) -> Any:
    """The job as a test, marked with why it cannot run or must differ."""
    marks = []
    if missing := missing_blocks(job):
        marks.append(pytest.mark.skip(reason=f"needs {', '.join(missing)}"))
    elif job["id"] in DIFFERENCES:
        marks.append(pytest.mark.xfail(reason=DIFFERENCES[job["id"]], strict=True))
    elif job.get("peer_bug"):
        marks.append(pytest.mark.xfail(reason=f"the reference fails here: {job['peer_bug']}", strict=False))
    return pytest.param(job, id=job["id"], marks=marks)


def image_value(entry: Any) -> Any:
    """What the request says for an image of a job."""
    if entry is None:
        return None
    if isinstance(entry, list):
        return [image_value(part) for part in entry]
    entry = {"file": entry} if isinstance(entry, str) else entry
    extra = {key: value for key, value in entry.items() if key not in ("file", "wrap")}
    text = base64.b64encode((HERE / "images" / entry["file"]).read_bytes()).decode()
    wrap = entry.get("wrap", "dict")
    if wrap == "string":
        return text
    if wrap == "data_uri":
        text = f"data:image/{'jpeg' if entry['file'].endswith('.jpg') else 'png'};base64,{text}"
    return {**({} if wrap == "untyped" else {"type": "base64"}), "value": text, **extra}


def body_of(job: dict[str, Any]) -> dict[str, Any]:
    """The request body of a job."""
    inputs = {name: image_value(entry) for name, entry in job.get("images", {}).items()} | job.get("params", {})
    body = {"api_key": "local-key", "specification": job["spec"], "inputs": inputs}
    if "excluded_fields" in job:
        body["excluded_fields"] = job["excluded_fields"]
    return body | job.get("body", {})


@pytest.mark.parametrize("job", [as_case(job) for job in JOBS])
def test_the_answer_is_the_one_of_the_reference(job, served_url):
    answer = httpx.post(f"{served_url}/workflows/run", json=body_of(job), timeout=120)
    expected = json.loads((HERE / "expected" / f"{job['id']}.json").read_text())
    found = differences(job, expected, outcome_of(answer.status_code, answer.json()), HERE / "expected" / "img")
    assert found == []


def test_every_difference_on_purpose_names_a_job_that_runs():
    runnable = {job["id"] for job in JOBS if not missing_blocks(job)}
    assert set(DIFFERENCES) <= runnable
