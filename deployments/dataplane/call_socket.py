"""Calls between the processes of one machine: pickles over a Unix socket, any number under way on one connection.

A call over a Serve handle takes 2 to 3 ms by the clock, and about as much processor time, nearly all of it gRPC's and
the bookkeeping of Serve; over such a socket it takes 0.3. A replica listens at a path that its id tells, in a folder
that no other user may enter, for whoever can write there has code run: a pickle is a program.
"""

from __future__ import annotations

import asyncio
import itertools
import pickle
import socket
import struct
import traceback
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, cast

from deployments.errors import ServingError

LENGTH = struct.Struct("<Q")
"""Stands before each message: how many bytes it has."""

Method = Callable[[Any], Awaitable[Any]]


class ConnectionLostError(ConnectionError):
    """The process on the other side is gone, or about to go, and the call may not have been worked on."""


class MessageProtocol(asyncio.Protocol):
    """Cuts what arrives into messages."""

    transport: asyncio.Transport

    def __init__(self) -> None:
        self._arrived = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what messages are sent by."""
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is none by its class

    def data_received(self, data: bytes) -> None:
        """Take some bytes, of a part of a message or of several."""
        self._arrived += data
        while len(self._arrived) >= LENGTH.size:
            end = LENGTH.size + LENGTH.unpack_from(self._arrived)[0]
            if len(self._arrived) < end:
                return
            with memoryview(self._arrived) as arrived, arrived[LENGTH.size : end] as message:
                received = pickle.loads(message)  # noqa: S301  of this user's own processes alone
            del self._arrived[:end]
            self.message_received(received)

    def message_received(self, message: Any) -> None:
        """Take one message."""
        raise NotImplementedError

    def send(self, message: Any) -> None:
        """Send one message, whole; nothing of one that cannot be pickled."""
        pickled = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
        self.transport.writelines((LENGTH.pack(len(pickled)), pickled))


class CallConnection(MessageProtocol):
    """The side that calls."""

    def __init__(self) -> None:
        super().__init__()
        self._numbers = itertools.count()
        self._answers: dict[int, asyncio.Future[Any]] = {}

    @property
    def is_open(self) -> bool:
        """Whether calls can be sent."""
        return not self.transport.is_closing()

    async def call(self, method: str, argument: Any) -> Any:
        """What a method of the other side answers; cancelling gives the call up there too.

        Raises:
            ConnectionLostError: no answer will come.
            Exception: what the method raised.
        """
        if not self.is_open:
            raise ConnectionLostError("the replica has closed the connection")
        number = next(self._numbers)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        try:
            self.send((number, method, argument))
            return await answer
        except asyncio.CancelledError:
            if self.is_open:
                self.send((number, None, None))
            raise
        finally:
            del self._answers[number]

    def message_received(self, message: tuple[int, bool, Any]) -> None:
        """Hand an answer to the call that waits for it, unless that was given up."""
        number, is_value, value = message
        answer = self._answers.get(number)
        if answer is None or answer.done():
            return
        if is_value:
            answer.set_result(value)
        else:
            answer.set_exception(value)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell every call under way."""
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(ConnectionLostError("the replica went away before it answered"))


class CallServer:
    """The side that is called, in the running loop.

    Args:
        methods: what may be called, by name.
        path: of the socket, in a folder that no other user may enter.
    """

    def __init__(self, methods: Mapping[str, Method], path: Path) -> None:
        self.methods = methods
        self._path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.bind(str(path))
        self._socket.listen(socket.SOMAXCONN)  # from now on who connects is kept waiting, not refused
        self._connections: set[_Callee] = set()
        self._serving = asyncio.get_running_loop().create_task(self._serve())

    async def _serve(self) -> asyncio.Server:
        return await asyncio.get_running_loop().create_unix_server(
            lambda: _Callee(self.methods, self._connections), sock=self._socket
        )

    async def close(self) -> None:
        """Answer the calls that are here, take no more, and end."""
        self._path.unlink(missing_ok=True)
        (await self._serving).close()
        while under_way := [task for connection in self._connections for task in connection.tasks.values()]:
            await asyncio.wait(under_way)
        for connection in list(self._connections):
            connection.transport.close()


class _Callee(MessageProtocol):
    def __init__(self, methods: Mapping[str, Method], connections: set[_Callee]) -> None:
        super().__init__()
        self._methods = methods
        self._connections = connections
        self.tasks: dict[int, asyncio.Task[None]] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._connections.add(self)

    def message_received(self, message: tuple[int, str | None, Any]) -> None:
        number, method, argument = message
        if method is None:
            if number in self.tasks:
                self.tasks[number].cancel()
            return
        task = asyncio.get_running_loop().create_task(self._answer(number, method, argument))
        self.tasks[number] = task
        task.add_done_callback(lambda _: self.tasks.pop(number, None))

    async def _answer(self, number: int, method: str, argument: Any) -> None:
        try:
            answer = await self._methods[method](argument)
            if not self.transport.is_closing():
                self.send((number, True, answer))
        except Exception as error:  # noqa: BLE001  whatever it is, the caller is to have it
            if not self.transport.is_closing():
                self.send((number, False, _to_travel(error)))

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.discard(self)
        for task in self.tasks.values():
            task.cancel()


def _to_travel(error: Exception) -> Exception:
    """The error with where it came from; in words alone where it cannot be pickled."""
    if not isinstance(error, ServingError):
        error.add_note("".join(traceback.format_exception(error)).rstrip())
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301  our own
    except Exception:  # noqa: BLE001  anything may be in an error
        return RuntimeError(f"{type(error).__name__} in a replica")
    return error
