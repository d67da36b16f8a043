"""The control plane of a running server, asked over HTTP."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from deployments.errors import ServingError

if TYPE_CHECKING:  # commands that ask nobody do without
    import httpx

TIMEOUT_S = 30.0
POLL_S = 0.5
AWAY_S = 30.0
"""How long a control plane may be away while something is waited for: it is started anew when it ends."""


EXAMPLE_URL = "http://127.0.0.1:9001"

EXIT_REFUSED = 1
EXIT_WRONG = 2
EXIT_NOT_FOUND = 3
EXIT_NOT_ALLOWED = 4
EXIT_CONFLICT = 5
EXIT_NOT_READY = 6
EXIT_UNREACHABLE = 7
"""Exit statuses of commands; they stay what they are. 0 is success, 2 a command that makes no sense."""

_EXITS = {401: EXIT_NOT_ALLOWED, 403: EXIT_NOT_ALLOWED, 404: EXIT_NOT_FOUND, 409: EXIT_CONFLICT}


Endpoint = dict[str, Any]
"""What the control plane says of one."""


class ControlRefusedError(ServingError):
    """The control plane refuses, or does not answer.

    Attributes:
        status: exit status of the command.
    """

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.args = (message, status)
        self.status = status


def open_http(url: str, api_key: str | None) -> httpx.Client:
    """A client of the server at an address, which is sent the key with every request.

    In a header, not in the address: addresses are written into logs on the way.
    """
    import httpx

    headers = {} if api_key is None else {"Authorization": f"Bearer {api_key}"}
    return httpx.Client(base_url=url, headers=headers, timeout=TIMEOUT_S)


class ControlClient:
    """Calls of one server's control plane."""

    def __init__(self, url: str, api_key: str | None) -> None:
        """Nothing is asked yet.

        Args:
            url: of the server, without a subdomain.
            api_key: None where the server asks for none.

        Raises:
            ControlRefusedError: this is no address.
        """
        if not url.startswith(("http://", "https://")):
            raise ControlRefusedError(f"{url!r} is no address of a server; give one such as {EXAMPLE_URL}", EXIT_WRONG)
        self._url = url
        self._http = open_http(url, api_key)

    def ask(self, call: str, **query: Any) -> Any:
        """The answer to a question.

        Raises:
            ControlRefusedError: it is refused, or nobody answers.
        """
        return self._answer("GET", call, params={key: value for key, value in query.items() if value is not None})

    def tell(self, call: str, name: str, **fields: Any) -> Any:
        """The answer to a change of an endpoint.

        Raises:
            ControlRefusedError: it is refused, or nobody answers.
        """
        return self._answer("POST", call, json={"deployment_name": name, **fields})

    def _ask_patiently(self, call: str, **query: Any) -> Any:
        away_until_s = time.monotonic() + AWAY_S
        while True:
            try:
                return self.ask(call, **query)
            except ControlRefusedError as error:
                if error.status != EXIT_UNREACHABLE or time.monotonic() > away_until_s:
                    raise
            time.sleep(POLL_S)

    def _answer(self, method: str, call: str, **more: Any) -> Any:
        import httpx

        try:
            answer = self._http.request(method, f"/{call}", **more)
        except httpx.HTTPError as error:
            raise ControlRefusedError(
                f"no control plane answers at {self._url} ({error}); start one with `sightline serve`, or name it with "
                "--url",
                EXIT_UNREACHABLE,
            ) from error
        if answer.status_code != httpx.codes.OK:
            exit_status = (
                EXIT_UNREACHABLE if answer.status_code >= 500 else _EXITS.get(answer.status_code, EXIT_REFUSED)
            )
            raise ControlRefusedError(answer.text[:2000] or f"status {answer.status_code}", exit_status)
        try:
            return answer.json()
        except ValueError:
            raise ControlRefusedError(f"{self._url} answers, but is no control plane", EXIT_UNREACHABLE) from None

    def wait(self, name: str, holds: Callable[[Endpoint], bool], what: str, within_s: float) -> Endpoint:
        """The endpoint, once something holds of it.

        Args:
            name: of the endpoint.
            holds: what is waited for.
            what: the same in a word or two, for the error.
            within_s: how long.

        Raises:
            ControlRefusedError: it fails, or is not there in time.
        """
        deadline_s = time.monotonic() + within_s
        while True:
            endpoint: Endpoint = self._ask_patiently("get", deployment_name=name)
            if holds(endpoint):
                return endpoint
            why = f": {endpoint['status_reason']}" if endpoint["status_reason"] else ""
            if endpoint["status"] == "failed":
                raise ControlRefusedError(f"{name} failed{why}", EXIT_NOT_READY)
            if time.monotonic() > deadline_s:
                raise ControlRefusedError(
                    f"{name} is {endpoint['status']}, not {what}, after {within_s:g} s{why}", EXIT_NOT_READY
                )
            time.sleep(POLL_S)

    def wait_until_gone(self, name: str, within_s: float) -> None:
        """Return when nothing of an endpoint that was deleted takes resources any more.

        Raises:
            ControlRefusedError: it is not gone in time.
        """
        deadline_s = time.monotonic() + within_s
        while any(
            endpoint["deployment_name"] == name and endpoint["status"] == "deleting"
            for endpoint in self._ask_patiently("list", show_deleted="true")["deployments"]
        ):
            if time.monotonic() > deadline_s:
                raise ControlRefusedError(f"{name} is not gone after {within_s:g} s", EXIT_NOT_READY)
            time.sleep(POLL_S)
