"""The files that make an HAProxy our edge: which Host name leads to which application."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template

TEMPLATE = Path(__file__).with_name("edge.cfg")


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeConfig:
    """What the edge of one machine must know.

    Attributes:
        port: where clients come in, on loopback.
        serve_port: Ray Serve's HTTP port on loopback.
        applications: name of an application -> its path in Serve, `/` or `/name`; the first is the default one.
        domain: every application answers at `<name>.<domain>`, the default one also at the domain itself.
        ipv6: whether to listen on `::1` too.
        idle_timeout_s: silence after which a connection is given up; longer than any request.
    """

    port: int
    serve_port: int
    applications: Mapping[str, str]
    domain: str = "localhost"
    ipv6: bool = False
    idle_timeout_s: int = 660

    def host_map(self) -> str:
        """Lines of `<host> <path in Serve>`."""
        if not self.applications:
            raise ValueError("an edge needs at least one application to lead to")
        default = next(iter(self.applications.values()))
        hosts = dict.fromkeys((self.domain, "127.0.0.1", "::1", "[::1]"), default)
        hosts |= {f"{name.lower()}.{self.domain}": path for name, path in self.applications.items()}
        return "".join(f"{host} {path}\n" for host, path in hosts.items())

    def text(self, directory: Path) -> str:
        """HAProxy's configuration, with its files in `directory`."""
        binds = [f"bind 127.0.0.1:{self.port}"]
        if self.ipv6:
            binds.append(f"bind [::1]:{self.port}")
        return Template(TEMPLATE.read_text()).substitute(
            binds="\n    ".join(binds),
            socket_path=directory / "e.sock",
            map_path=directory / "hosts.map",
            domain=self.domain,
            idle_timeout_s=self.idle_timeout_s,
            serve_host="127.0.0.1",
            serve_port=self.serve_port,
        )

    def write(self, directory: Path) -> Path:
        """Write the files into `directory`; gives the path of the configuration."""
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "hosts.map").write_text(self.host_map())
        path = directory / "edge.cfg"
        path.write_text(self.text(directory))
        return path
