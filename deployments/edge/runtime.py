"""Changing where the edge leads while it runs: entries of its map, by its socket; no connection notices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from deployments.edge.admin_socket import ask_edge
from deployments.edge.config import EdgeConfig
from deployments.edge.errors import EdgeUnavailableError

COMMANDS_AT_ONCE = 50


class RunningEdge:
    """The edge whose files are in a directory."""

    def __init__(self, config: EdgeConfig, directory: Path) -> None:
        """Nothing is asked yet.

        Args:
            config: with which it was started: its hosts always stay.
            directory: of its files.
        """
        self._config = config
        self._directory = directory
        self._map_path = directory / "hosts.map"

    def lead(self, targets: Mapping[str, str]) -> None:
        """Have exactly these endpoints beside the applications that the edge was started with.

        Args:
            targets: name of an endpoint, or a whole host -> path in Serve, or `=` and the state that it is in.

        Raises:
            EdgeUnavailableError: it does not answer.
        """
        fixed = self._config.hosts()
        wanted = {self._config.host_of(name): target for name, target in targets.items()} | fixed
        there = dict(self._entries())
        commands = [f"del map {self._map_path} {host}" for host in there.keys() - wanted.keys()]
        for host, target in wanted.items():
            if there.get(host) != target:
                verb = "set" if host in there else "add"
                commands.append(f"{verb} map {self._map_path} {host} {target}")
        for first in range(0, len(commands), COMMANDS_AT_ONCE):
            said = ask_edge(self._directory, ";".join(commands[first : first + COMMANDS_AT_ONCE])).strip()
            if said:
                raise EdgeUnavailableError(f"the edge refuses other hosts: {said}")
        if commands:
            temporary = self._map_path.with_suffix(".new")  # for an edge that starts anew
            temporary.write_text("".join(f"{host} {target}\n" for host, target in wanted.items()))
            temporary.replace(self._map_path)

    def _entries(self) -> Iterator[tuple[str, str]]:
        for line in ask_edge(self._directory, f"show map {self._map_path}").splitlines():
            parts = line.split()  # reference, host, target
            if len(parts) == 3:
                yield parts[1], parts[2]
