"""Being asked to stop by signals."""

from __future__ import annotations

import signal
import threading
from queue import SimpleQueue
from threading import Event


def stop_on_signals(stopping: Event, hurry: Event) -> None:
    """From now on have SIGINT, SIGTERM and SIGHUP set `stopping`, and when it is set already, `hurry`.

    A thread sets them. A handler runs wherever the main thread is, which may be within the lock of one of these events,
    and would wait there for itself; only `SimpleQueue.put` is sure never to wait.
    """
    received: SimpleQueue[int] = SimpleQueue()

    def listen() -> None:
        while True:
            received.get()
            if stopping.is_set():
                hurry.set()
            stopping.set()

    threading.Thread(target=listen, name="signals", daemon=True).start()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: received.put(number))
