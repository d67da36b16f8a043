"""A platform in memory: it records what it is told, and becomes what a test says."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from deployments.control.platform import EndpointSpec, Observation, Phase, RevisionState


@dataclass
class FakePlatform:
    """Every call takes effect at once; a revision starts until `progress` is called."""

    calls: list[tuple[str, str]] = field(default_factory=list)
    running: dict[str, dict[str, RevisionState]] = field(default_factory=dict)
    room: dict[str, float] | None = None
    refuses: dict[str, str] = field(default_factory=dict)  # text reader -> why it does not start
    never: str | None = None

    def create(self, spec: EndpointSpec) -> None:
        self.calls.append(("create", spec.name))
        revisions = self.running.setdefault(spec.name, {})
        told = revisions.get(spec.revision) or RevisionState(phase=Phase.STARTING, reason=self._refusal(spec))
        revisions[spec.revision] = replace(
            told,
            replicas=(spec.min_replicas, spec.max_replicas),
            num_replicas=spec.min_replicas if told.phase is Phase.READY else 0,
        )

    update = resume = create

    def _refusal(self, spec: EndpointSpec) -> str:
        return self.refuses.get(str(spec.args.get("text_reader_model")), "")

    def retire(self, name: str, revision: str) -> None:
        self.calls.append(("retire", name))
        self._stop(name, revision)

    def suspend(self, name: str) -> None:
        self.calls.append(("suspend", name))
        for revision in self.running.get(name, {}):
            self._stop(name, revision)

    def delete(self, name: str) -> None:
        self.calls.append(("delete", name))
        for revision in self.running.get(name, {}):
            self._stop(name, revision)

    def _stop(self, name: str, revision: str) -> None:
        if revision in self.running.get(name, {}):
            self.running[name][revision] = RevisionState(phase=Phase.STOPPING)

    def progress(self) -> None:
        """What starts is ready, or has failed; what stops is gone."""
        for name, revisions in list(self.running.items()):
            for revision, state in list(revisions.items()):
                if state.phase is Phase.STOPPING:
                    del revisions[revision]
                elif state.phase is Phase.STARTING:
                    phase = Phase.FAILED if state.reason else Phase.READY
                    revisions[revision] = replace(
                        state, phase=phase, num_replicas=state.replicas[0], route=f"/@{name}.r{revision}"
                    )
            if not revisions:
                del self.running[name]

    def observe(self) -> dict[str, Observation]:
        return {name: Observation(revisions=dict(revisions)) for name, revisions in self.running.items()}

    def impossible(self, spec: EndpointSpec) -> str | None:
        return self.never

    def capacity(self) -> dict[str, float] | None:
        return self.room


class FakeEdge:
    """Remembers where hosts lead."""

    def __init__(self) -> None:
        self.targets: dict[str, str] = {}

    def lead(self, targets: dict[str, str]) -> None:
        self.targets = dict(targets)
