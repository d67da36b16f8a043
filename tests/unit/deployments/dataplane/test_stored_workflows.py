"""Definitions of a database in the memory of a process."""

from __future__ import annotations

import asyncio
import json
import threading

import pytest

from deployments.dataplane.stored_workflows import FRESH_S, MOST_KEPT, StoredDefinitions
from deployments.errors import StateUnavailableError
from deployments.storage.errors import StorageUnavailableError
from workflows.errors import WorkflowDefinitionError

DOCUMENT = {"version": "1.0", "inputs": [], "steps": [], "outputs": []}


class Kept:
    """A `WorkflowSource` in memory that counts what it is asked."""

    def __init__(self, **documents):
        self.documents = documents
        self.asked = []
        self.away = False

    def find(self, workspace, workflow, version):
        self.asked.append((workspace, workflow, version))
        if self.away:
            raise StorageUnavailableError("the database sqlite:////secret/place.db is away")
        return self.documents.get(workflow)


class Clock:
    now_s = 100.0

    def __call__(self):
        return self.now_s


@pytest.fixture
def clock():
    return Clock()


def stored_over(kept, clock):
    return StoredDefinitions(lambda: kept, monotonic=clock)


async def test_what_is_not_there_is_none(clock):
    assert await stored_over(Kept(), clock).get("acme", "plates", None) is None


async def test_a_definition_is_read_once_in_a_while(clock):
    kept = Kept(plates=json.dumps(DOCUMENT))
    stored = stored_over(kept, clock)
    for _ in range(50):
        assert await stored.get("acme", "plates", None) == DOCUMENT
    assert len(kept.asked) == 1
    kept.documents["plates"] = json.dumps(DOCUMENT | {"version": "1.1"})
    clock.now_s += FRESH_S + 0.1
    assert (await stored.get("acme", "plates", None))["version"] == "1.1"


async def test_who_wants_no_cached_one_gets_the_newest(clock):
    kept = Kept(plates=json.dumps(DOCUMENT))
    stored = stored_over(kept, clock)
    await stored.get("acme", "plates", None)
    kept.documents["plates"] = json.dumps({"specification": DOCUMENT | {"version": "1.1"}})
    assert (await stored.get("acme", "plates", None, use_cache=False))["version"] == "1.1"
    assert (await stored.get("acme", "plates", None))["version"] == "1.1"


async def test_workspaces_and_versions_are_kept_apart(clock):
    kept = Kept(plates="{}")
    stored = stored_over(kept, clock)
    for name in (("acme", "plates", None), ("bolts", "plates", None), ("acme", "plates", "1")):
        await stored.get(*name)
    assert len(kept.asked) == 3


async def test_names_that_are_made_up_take_no_memory(clock):
    stored = stored_over(Kept(), clock)
    for number in range(MOST_KEPT + 10):
        await stored.get("acme", f"made-up-{number}", None)
    assert len(stored._kept) == MOST_KEPT


async def test_a_database_that_is_away_is_said_without_its_place(clock):
    kept = Kept(plates=json.dumps(DOCUMENT))
    kept.away = True
    with pytest.raises(StateUnavailableError) as caught:
        await stored_over(kept, clock).get("acme", "plates", None)
    assert "secret" not in caught.value.message


async def test_what_is_no_definition_is_said_to_be_none(clock):
    with pytest.raises(WorkflowDefinitionError, match="acme/plates must be a JSON object"):
        await stored_over(Kept(plates="[]"), clock).get("acme", "plates", None)


async def test_many_who_ask_at_once_ask_the_database_once(clock):
    class Slow(Kept):
        gate = threading.Event()

        def find(self, workspace, workflow, version):
            assert self.gate.wait(10)
            return super().find(workspace, workflow, version)

    kept = Slow(plates=json.dumps(DOCUMENT))
    stored = stored_over(kept, clock)
    asking = [asyncio.create_task(stored.get("acme", "plates", None)) for _ in range(50)]
    await asyncio.sleep(0)
    asking[0].cancel()  # who goes away takes nothing from the others
    await asyncio.sleep(0)
    kept.gate.set()
    assert await asyncio.gather(*asking[1:]) == [DOCUMENT] * 49
    assert len(kept.asked) == 1
