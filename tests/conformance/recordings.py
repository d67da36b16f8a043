"""The recorded jobs of the reference server, and what a server of ours makes of each."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

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


def found_differences(folder: Path, job: dict[str, Any], url: str, timeout_s: float = 120) -> list[str]:
    """Where the answer of the server at `url` is not the recorded one; empty when they agree."""
    answer = httpx.post(f"{url}/workflows/run", json=body_of(job, folder / "images"), timeout=timeout_s)
    expected = json.loads((folder / "expected" / f"{job['id']}.json").read_text())
    return differences(job, expected, outcome_of(answer.status_code, answer.json()), folder / "expected" / "img")
