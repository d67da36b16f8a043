"""Plans that were compiled before."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import orjson

from workflows.block import Block
from workflows.compiler.compile import (
    DEFAULT_LIMITS,
    CompileLimits,
    canonical_json,
    compile_definition,
    fingerprint_of,
)
from workflows.compiler.plan import Plan


class PlanCache:
    """The plans used last, by the content of their definition. Safe for threads; errors are not kept.

    Args:
        capacity: plans kept.
        capacity_bytes: of their definitions together; the plans take some times as much.
        limits: how large a definition may be.
        blocks: every identifier and alias -> its block; all that are installed when None.
    """

    def __init__(
        self,
        capacity: int = 256,
        limits: CompileLimits = DEFAULT_LIMITS,
        *,
        blocks: Mapping[str, Block] | None = None,
        capacity_bytes: int = 64 * 1024 * 1024,
    ) -> None:
        self._capacity = capacity
        self._capacity_bytes = capacity_bytes
        self._bytes = 0
        self._limits = limits
        self._blocks = blocks
        self._plans: OrderedDict[str, Plan] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, document: Mapping[str, Any]) -> Plan:
        """The plan of a document.

        Raises:
            DefinitionError: it cannot run.
        """
        fingerprint = fingerprint_of(canonical_json(document))
        return self._kept(fingerprint) or self._keep(document)

    def get_by_json(self, fingerprint: str, definition_json: bytes) -> Plan:
        """The plan of a document that another process compiled: `Plan.fingerprint` and `Plan.definition_json`.

        Raises:
            DefinitionError: it cannot run here.
        """
        return self._kept(fingerprint) or self._keep(orjson.loads(definition_json))

    def __len__(self) -> int:
        return len(self._plans)

    def _kept(self, fingerprint: str) -> Plan | None:
        with self._lock:
            plan = self._plans.get(fingerprint)
            if plan is not None:
                self._plans.move_to_end(fingerprint)
            return plan

    def _keep(self, document: Mapping[str, Any]) -> Plan:
        plan = compile_definition(document, self._limits, blocks=self._blocks)
        with self._lock:
            if plan.fingerprint not in self._plans:
                self._bytes += len(plan.definition_json)
            self._plans[plan.fingerprint] = plan
            self._plans.move_to_end(plan.fingerprint)
            while len(self._plans) > self._capacity or self._bytes > self._capacity_bytes:
                _, forgotten = self._plans.popitem(last=False)
                self._bytes -= len(forgotten.definition_json)
        return plan
