"""Whether one more request may come in: by what is in flight, how fast it leaves, and how much memory it takes.

A server that takes everything answers everything too late. Here a request is let in while it can be answered in a small
multiple of the time that a request takes on its own; the others are told at once when to come again. The bound follows
from measured speed:

    most in flight = requests answered a second while busy * max(time of a request alone * max_slowdown, prompt_s)

which is Little's law, L = W * rate, with the longest time W that is still a good answer. A burst may be half as large
again: only where it does not end, and requests had to be refused, does the bound hold as it stands, until none has been
refused for a while. Nothing here waits, and no timer runs: numbers change when requests come and go.

Source of the law: J. D. C. Little, A proof for the queuing formula L = lambda W, Operations Research 9 (3), 1961.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from deployments.errors import ClientOverLimitError, OverloadedError
from deployments.settings import AdmissionLimits

RATE_MEMORY_S = 5.0
"""Crowded time over which the rate of answers is measured."""

RATE_KNOWN_S = 1.0
"""Crowded time after which it is believed."""

BURST_FACTOR = 1.5
"""How many times the bound a burst may be."""

STALL_ANSWERS = 10.0
"""Time of so many answers without one is a stall and says nothing of speed: a replica died, a model loads."""

OVERLOAD_MEMORY_S = 5.0
"""Time without a refusal after which a burst may come again."""

REFUSED_MEMORY_S = 1.0
"""Time for which a refused request keeps others waiting behind it: many of those that are told a time never come."""

ALONE_SHARE = 0.1
"""How much of the newest measurement goes into the time that a request takes alone."""


@dataclass(slots=True, kw_only=True)
class AdmissionCounters:
    """What was refused so far, and what is in now; the last two go back to zero.

    Attributes:
        admitted: requests let in.
        refused: reason -> requests turned away: `time` (too many in flight for their speed), `count` (the fixed bound),
            `bytes` (the byte budget), `client` (one client's share), `deadline` (it would come too late).
        in_flight: requests in.
        in_flight_bytes: the memory that these are counted for.
    """

    admitted: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    in_flight: int = 0
    in_flight_bytes: int = 0


@dataclass(slots=True, kw_only=True, eq=False)
class Ticket:
    """One request that is in; `Admission.leave` gives its place back.

    Attributes:
        size_bytes: the memory it is counted for.
        client: who sent it, as far as that is known before the body; None counts for nobody.
        entered_s: when it came in.
        found_in_flight: requests that were in before it.
        has_left: whether its place was given back.
    """

    size_bytes: int
    client: str | None
    entered_s: float
    found_in_flight: int
    has_left: bool = False


class Admission:
    """The door of one process; all calls from one thread.

    Args:
        limits: what may be in.
        clock_s: monotonic, seconds.
    """

    def __init__(self, limits: AdmissionLimits, clock_s: Callable[[], float] = time.perf_counter) -> None:
        self.limits = limits
        self.counters = AdmissionCounters()
        self._clock_s = clock_s
        self._by_client: Counter[str] = Counter()
        self._answered = 0.0  # in the remembered crowded time
        self._crowded_s = 0.0
        self._alone_s: float | None = None
        self._shortest_s: float | None = None
        self._looked_s = clock_s()
        self._stalls_s = self._looked_s
        self._overloaded_s = -math.inf
        self._next_vacancy_s = 0.0
        self._refused_s = -math.inf
        self._lately_refused = 0.0  # those of the last moments, each of which fades in REFUSED_MEMORY_S

    @property
    def rate_s(self) -> float:
        """Requests answered a second while as many are in as always may be; 0 as long as that is not known."""
        return self._answered / self._crowded_s if self._crowded_s >= RATE_KNOWN_S else 0.0

    @property
    def alone_s(self) -> float:
        """Time of a request that meets no other; that of the quickest while none was alone, 0 before the first."""
        return self._alone_s or self._shortest_s or 0.0

    @property
    def most_in_flight(self) -> int:
        """Requests that may be in now."""
        limits, rate_s = self.limits, self.rate_s
        if not rate_s:
            return min(limits.max_in_flight, limits.first_in_flight)
        at_speed = rate_s * max(self.alone_s * limits.max_slowdown, limits.prompt_s)
        if self._clock_s() - self._overloaded_s > OVERLOAD_MEMORY_S:
            return min(limits.max_in_flight, max(limits.free_in_flight, int(BURST_FACTOR * at_speed)))
        return min(limits.max_in_flight, max(limits.min_in_flight, int(at_speed)))

    @property
    def refuses(self) -> bool:
        """Whether requests were turned away within the last second because too many were in."""
        return self._clock_s() - self._overloaded_s < 1.0

    @property
    def most_bytes(self) -> int:
        """Memory that requests may take."""
        return self.limits.max_in_flight_bytes

    def enter(self, size_bytes: int = 0, *, client: str | None = None, timeout_s: float = math.inf) -> Ticket:
        """Let a request in.

        Args:
            size_bytes: memory it will take, as far as that is announced.
            client: who sent it; None when nobody knows.
            timeout_s: after which nobody waits for its answer.

        Raises:
            OverloadedError: there is no room, or its answer would come too late.
            ClientOverLimitError: this client has as much in as it may have.
        """
        now_s = self._pass_time()
        counters, limits = self.counters, self.limits
        of_client = 0 if client is None else self._by_client[client]
        if limits.max_in_flight_per_client is not None and of_client >= limits.max_in_flight_per_client:
            message = f"this key has {of_client} requests under way, as many as a key may have here"
            raise self._refusal("client", self._own_turn_s(of_client), message)
        if counters.in_flight >= self.most_in_flight:
            self._overloaded_s = now_s
            fixed = counters.in_flight >= limits.max_in_flight
            message = f"{counters.in_flight} requests are under way; try again later"
            raise self._refusal("count" if fixed else "time", self._turn_s(now_s), message)
        if counters.in_flight >= limits.min_in_flight and self._expected_s() > timeout_s:
            raise self._refusal(
                "deadline",
                self._expected_s() - timeout_s,
                f"an answer would take about {self._expected_s():.1f} s now, longer than the {timeout_s:g} s allowed",
            )
        self._check_bytes(size_bytes, now_s)
        ticket = Ticket(size_bytes=size_bytes, client=client, entered_s=now_s, found_in_flight=counters.in_flight)
        counters.admitted += 1
        counters.in_flight += 1
        counters.in_flight_bytes += size_bytes
        if client is not None:
            self._by_client[client] += 1
        return ticket

    def grow(self, ticket: Ticket, size_bytes: int) -> None:
        """Count a request for at least so much memory: it takes more than was announced. One that has left takes none.

        Raises:
            OverloadedError: the byte budget has no room for it.
        """
        more_bytes = size_bytes - ticket.size_bytes
        if more_bytes <= 0 or ticket.has_left:
            return
        self._check_bytes(more_bytes, self._clock_s())
        ticket.size_bytes += more_bytes
        self.counters.in_flight_bytes += more_bytes

    def leave(self, ticket: Ticket, *, answered: bool = True) -> None:
        """Give a place back; a second time does nothing.

        Args:
            ticket: whose.
            answered: whether it took its usual way; one that was given up, or waited for a load, says nothing of speed.
        """
        if ticket.has_left:
            return
        now_s = self._pass_time()
        ticket.has_left = True
        counters = self.counters
        counters.in_flight -= 1
        counters.in_flight_bytes -= ticket.size_bytes
        if ticket.client is not None:
            self._by_client[ticket.client] -= 1
            if not self._by_client[ticket.client]:
                del self._by_client[ticket.client]
        if answered:
            self._stalls_s = now_s + self._patience_s()
            # The one that ends a crowd had begun before it: on average half of its work fell into the time counted.
            self._answered += min(1.0, max(0.0, counters.in_flight + 1.5 - self.limits.min_in_flight))
            self._measure_alone(now_s - ticket.entered_s, others=max(ticket.found_in_flight, counters.in_flight))

    def _measure_alone(self, elapsed_s: float, others: int) -> None:
        """Learn from requests that were alone: those say what the work takes, not what the queue adds."""
        self._shortest_s = elapsed_s if self._shortest_s is None else min(self._shortest_s, elapsed_s)
        if not others:
            known_s = elapsed_s if self._alone_s is None else self._alone_s
            self._alone_s = known_s + ALONE_SHARE * (elapsed_s - known_s)

    def _pass_time(self) -> float:
        now_s = self._clock_s()
        if self.counters.in_flight >= self.limits.min_in_flight:
            passed_s = max(0.0, min(now_s, self._stalls_s) - self._looked_s)
            kept = math.exp(-passed_s / RATE_MEMORY_S)
            self._crowded_s = self._crowded_s * kept + passed_s
            self._answered *= kept
        else:
            self._stalls_s = now_s + self._patience_s()
        self._looked_s = now_s
        return now_s

    def _patience_s(self) -> float:
        """Time without an answer after which it is a stall."""
        return max(RATE_KNOWN_S, STALL_ANSWERS / self.rate_s) if self.rate_s else math.inf

    def _expected_s(self) -> float:
        """Time after which a request that comes now would be answered."""
        return (self.counters.in_flight + 1) / self.rate_s if self.rate_s else 0.0

    def _check_bytes(self, size_bytes: int, now_s: float) -> None:
        held = self.counters.in_flight_bytes
        if held + size_bytes > self.limits.max_in_flight_bytes:
            message = f"requests under way take {held} bytes of memory, no more fit in now; try again later"
            raise self._refusal("bytes", self._turn_s(now_s), message)

    def _turn_s(self, now_s: float) -> float:
        """Seconds after which somebody for whom there is no room may come again: a time of his own.

        It lies behind the requests that are in, and behind those who were told before, at the speed at which requests
        leave. Told the same time, all would come at once. The line is no longer than those lately refused explain: who
        was turned away long ago has come again, or never will.
        """
        limits = self.limits
        fades = math.exp(-(now_s - self._refused_s) / REFUSED_MEMORY_S)
        ahead, self._refused_s = self._lately_refused * fades, now_s
        self._lately_refused = ahead + 1
        seconds_each = 1 / self.rate_s if self.rate_s else limits.min_retry_after_s
        earliest_s = now_s + limits.min_retry_after_s
        latest_s = min(now_s + limits.max_retry_after_s, earliest_s + ahead * seconds_each)
        self._next_vacancy_s = min(latest_s, max(earliest_s, self._next_vacancy_s + seconds_each))
        return self._next_vacancy_s - now_s

    def _own_turn_s(self, of_client: int) -> float:
        """Seconds after which one of a client's own requests has left; that of others does not help it."""
        return self.counters.in_flight / of_client / self.rate_s if self.rate_s else self.alone_s

    def _refusal(self, reason: str, retry_after_s: float, message: str) -> OverloadedError:
        """The error for a client that is turned away, with the time at which it may come again."""
        self.counters.refused[reason] += 1
        limits = self.limits
        kind = ClientOverLimitError if reason == "client" else OverloadedError
        return kind(message, min(limits.max_retry_after_s, max(limits.min_retry_after_s, retry_after_s)))
