"""Put the recorded jobs to any server and print how many of its answers agree, area by area.

    python -m tests.conformance.run --write FOLDER     the models and saved workflows that the recordings name
    make serve MODELS=FOLDER/models WORKFLOWS=FOLDER/workflows
    python -m tests.conformance.run http://127.0.0.1:9001

The same server answers the tests themselves when `SIGHTLINE_TEST_URL` names it.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from tests.conformance.recordings import RECORDINGS, Recording, found_differences, missing_blocks, read_recording
from tests.conformance.served import write_models, write_workflows

COLUMNS = ("agree", "differ", "on purpose", "reference at fault", "left out")


def verdict_of(recording: Recording, job: dict[str, Any], url: str) -> tuple[str, list[str]]:
    """The column a job counts in, and where its answer differs."""
    if missing_blocks(job):
        return "left out", []
    found = found_differences(recording.folder, job, url)
    if job.get("peer_bug"):
        return "reference at fault", []
    if not found:
        return "agree", []
    return ("on purpose", []) if job["id"] in recording.differences else ("differ", found)


def table_of(counts: dict[str, Counter[str]]) -> str:
    """One line an area, and one for all."""
    rows = [*counts.items(), ("ALL", sum(counts.values(), Counter()))]
    width = max(len(area) for area, _ in rows)
    lines = [f"{'area':{width}}  " + "  ".join(COLUMNS)]
    lines += [
        f"{area:{width}}  " + "  ".join(f"{of_area[column]:{len(column)}d}" for column in COLUMNS)
        for area, of_area in rows
    ]
    return "\n".join(lines)


def main() -> int:
    """Run; gives 1 when an answer differs that should not."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url", nargs="?", help="address of the server")
    parser.add_argument("--area", help="only this area")
    parser.add_argument("--write", type=Path, metavar="FOLDER", help="write models and workflows, and run nothing")
    arguments = parser.parse_args()
    if arguments.write is not None:
        write_models(arguments.write / "models")
        write_workflows(arguments.write / "workflows")
        return 0
    if arguments.url is None:
        parser.error("name the address of a server, such as http://127.0.0.1:9001")
    counts: dict[str, Counter[str]] = {}
    for recording in map(read_recording, RECORDINGS):
        for job in recording.jobs:
            if arguments.area not in (None, job["area"]):
                continue
            column, found = verdict_of(recording, job, arguments.url.rstrip("/"))
            counts.setdefault(job["area"], Counter())[column] += 1
            for line in found[:3]:
                print(f"{job['id']}: {line}")
    print(table_of(counts))
    return int(any(of_area["differ"] for of_area in counts.values()))


if __name__ == "__main__":
    sys.exit(main())
