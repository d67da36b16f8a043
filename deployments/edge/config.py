"""The files that make an HAProxy our edge: which Host name leads to which application."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from string import Template

TEMPLATE = Path(__file__).with_name("edge.cfg")
GRPC_TEMPLATE = Path(__file__).with_name("edge_grpc.cfg")
CONTROL_TEMPLATE = Path(__file__).with_name("edge_control.cfg")

CONTROL_PATHS = (
    "/machine_types",
    "/add",
    "/get",
    "/list",
    "/pause",
    "/resume",
    "/resize",
    "/update",
    "/delete",
    "/usage_workspace",
    "/usage_deployment",
    "/get_log",
)
"""What the control plane answers on the address without a subdomain."""

UNKNOWN_HOST_PATH = "/-/unknown-host"
"""What the control plane is asked when a request with a key names an endpoint that there is not."""


CERTIFICATE_FILE = "tls.pem"
"""In the directory of an edge that speaks TLS: its certificate, those that signed it, and the key."""

SOCKET_NAME = "e.sock"  # short: its whole path may not exceed 107 bytes

LOOPBACK = "127.0.0.1"
NOBODY = ("0.0.0.0/32",)  # no client has this address


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFiles:
    """Where certificate and key are, in PEM.

    Attributes:
        certificate: of the server first, then those that signed it.
        key: without a password.
    """

    certificate: Path
    key: Path

    def stamp(self) -> tuple[tuple[int, int, int], ...]:
        """Another value whenever one of the files is another one; empty when one is not there."""
        try:
            found = [os.stat(path) for path in (self.certificate, self.key)]
        except OSError:
            return ()
        return tuple((stat.st_ino, stat.st_mtime_ns, stat.st_size) for stat in found)


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeConfig:
    """What the edge of one machine must know.

    Attributes:
        port: where clients come in.
        address: where it listens; on `port` on loopback alone where `tls_port` is set.
        serve_port: Ray Serve's HTTP port on loopback.
        applications: name of an application -> its path in Serve, `/` or `/name`; the first is the default one.
        domain: every application answers at `<name>.<domain>`, the default one also at the domain itself.
        ipv6: whether to listen on `::1` too, when the address is `127.0.0.1`.
        grpc_port: where gRPC clients come in, on loopback; None to let none in.
        tls_port: where clients come in over TLS and are shown `CERTIFICATE_FILE`; then `grpc_port` speaks TLS as well.
            None to speak none.
        serve_grpc_port: Ray Serve's gRPC port on loopback; of no meaning without `grpc_port`.
        control_port: port of the control plane on loopback; None without one.
        trusted_proxies: addresses and networks whose `X-Forwarded-*` headers are believed.
        idle_timeout_s: silence after which a connection is given up; longer than any request.
    """

    port: int
    serve_port: int
    applications: Mapping[str, str]
    address: str = LOOPBACK
    domain: str = "localhost"
    ipv6: bool = False
    grpc_port: int | None = None
    tls_port: int | None = None
    serve_grpc_port: int = 9000
    control_port: int | None = None
    trusted_proxies: tuple[str, ...] = ()
    idle_timeout_s: int = 660

    def host_map(self) -> str:
        """Lines of `<host> <path in Serve>`."""
        return "".join(f"{host} {path}\n" for host, path in self.hosts().items())

    def hosts(self) -> dict[str, str]:
        """Host -> path in Serve, of all applications."""
        if not self.applications:
            raise ValueError("an edge needs at least one application to lead to")
        default = next(iter(self.applications.values()))
        hosts = dict.fromkeys(self._apex_hosts(), default)
        return hosts | {self.host_of(name): path for name, path in self.applications.items()}

    def host_of(self, name: str) -> str:
        """The host of a name; one with a dot is a host already."""
        return name.lower() if "." in name else f"{name.lower()}.{self.domain}"

    def application_map(self) -> str:
        """Lines of `<path in Serve> <application>`: gRPC knows applications by their names."""
        return "".join(f"{path} {name}\n" for name, path in self.applications.items())

    def text(self, directory: Path) -> str:
        """HAProxy's configuration, with its files in `directory`."""
        text = Template(TEMPLATE.read_text()).substitute(
            # Where others come in with TLS, only this machine does without: keys and pictures are nobody else's.
            binds=self._binds(self.port, address=self.address if self.tls_port is None else LOOPBACK)
            + self._tls_binds(directory),
            socket_path=directory / SOCKET_NAME,
            map_path=directory / "hosts.map",
            addresses=self._addresses(),
            domain=self.domain,
            apex_hosts=" ".join(self._apex_hosts()),
            trusted_proxies=" ".join(self.trusted_proxies or NOBODY),
            idle_timeout_s=self.idle_timeout_s,
            serve_host="127.0.0.1",
            serve_port=self.serve_port,
            **self._control_rules(),
        )
        if self.grpc_port is None:
            return text
        return text + Template(GRPC_TEMPLATE.read_text()).substitute(
            binds=self._binds(self.grpc_port, " proto h2" if self.tls_port is None else self._tls(directory, "h2")),
            map_path=directory / "hosts.map",
            addresses=self._addresses(),
            application_map_path=directory / "applications.map",
            domain=self.domain,
            serve_host="127.0.0.1",
            serve_grpc_port=self.serve_grpc_port,
        )

    def _addresses(self) -> str:
        """Where others come in by whatever address leads here: any address means the domain itself."""
        if ip_address(self.address).is_loopback:
            return ""
        return (
            f"    http-request set-var(txn.host) str({self.domain}) "
            "if { var(txn.host) -m reg '^([0-9.]+|\\[[0-9a-f:.]+\\])$' }\n"
        )

    def _apex_hosts(self) -> tuple[str, ...]:
        own = (self.address,) if ip_address(self.address).is_loopback else ()
        return tuple(dict.fromkeys((self.domain, "127.0.0.1", "::1", "[::1]", *own)))

    def _control_rules(self) -> dict[str, str]:
        if self.control_port is None:
            return {"unknown_hosts": "", "control_routes": "", "control_backend": ""}
        return {
            # Who shows a key is told what there is; the control plane knows keys, the edge does not.
            "unknown_hosts": "    http-request set-var(txn.unknown) bool(true) if !known below_domain has_key"
            " { nbsrv(control) gt 0 }\n"
            "    http-request set-method GET if { var(txn.unknown) -m bool }\n"
            f"    http-request set-path {UNKNOWN_HOST_PATH} if {{ var(txn.unknown) -m bool }}\n"
            "    http-request set-header x-sightline-host %[var(txn.host)] if { var(txn.unknown) -m bool }\n",
            "control_routes": "    use_backend control if asks\n"
            f"    use_backend control if apex {{ path {' '.join(CONTROL_PATHS)} }}",
            "control_backend": Template(CONTROL_TEMPLATE.read_text()).substitute(control_port=self.control_port),
        }

    def _binds(self, port: int, options: str = "", *, address: str | None = None) -> str:
        address = self.address if address is None else address
        addresses = [f"[{address}]" if ":" in address else address]
        if self.ipv6 and address == LOOPBACK:
            addresses.append("[::1]")
        return "\n    ".join(f"bind {address}:{port}{options}" for address in addresses)

    def _tls_binds(self, directory: Path) -> str:
        if self.tls_port is None:
            return ""
        return "\n    " + self._binds(self.tls_port, self._tls(directory, "h2,http/1.1"))

    @staticmethod
    def _tls(directory: Path, protocols: str) -> str:
        return f" ssl crt {directory / CERTIFICATE_FILE} alpn {protocols}"

    def write(self, directory: Path) -> Path:
        """Write the files into `directory`; gives the path of the configuration."""
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "hosts.map").write_text(self.host_map())
        (directory / "applications.map").write_text(self.application_map())
        path = directory / "edge.cfg"
        path.write_text(self.text(directory))
        return path
