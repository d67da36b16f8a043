"""An order in which the steps can run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from workflows.errors import ExecutionGraphStructureError


def order_steps(names: Sequence[str], dependencies: Mapping[str, set[str]]) -> tuple[str, ...]:
    """Names so that each stands behind all it depends on; otherwise in the document's order.

    Raises:
        ExecutionGraphStructureError: some steps wait for one another.
    """
    ordered: list[str] = []
    done: set[str] = set()
    waiting = list(names)
    while waiting:
        ready = next((name for name in waiting if dependencies[name] <= done), None)
        if ready is None:
            raise ExecutionGraphStructureError(
                f"the steps form a cycle: {' -> '.join(_cycle(waiting, dependencies))}; "
                "a step can read only what runs before it"
            )
        waiting.remove(ready)
        ordered.append(ready)
        done.add(ready)
    return tuple(ordered)


def _cycle(waiting: Sequence[str], dependencies: Mapping[str, set[str]]) -> list[str]:
    """Names along one cycle, in the order of the data, the first repeated at the end."""
    blocked = set(waiting)
    trail = [waiting[0]]
    while True:
        before = min(dependencies[trail[-1]] & blocked)  # a blocked step waits for a blocked step
        if before in trail:
            return [before, *reversed(trail[trail.index(before) :])]
        trail.append(before)
