"""Measurements of capacity beside what the formula says, as tables of Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from load_tests.capacity.measuring import CLIENT, ROUTER, Point
from load_tests.capacity.series import Series, limits_of, predicted_batch

DETECTOR = "ObjectDetector"


def as_markdown(series: Series) -> str:
    """All tables, what they were measured on before them."""
    machine = series.machine
    cores = machine.cpus
    parts = [
        f"{series.made_at:%Y-%m-%d}, commit {series.commit[:7]}, {cores} cores ({machine.cpu}), "
        f"{machine.memory_gib:g} GiB, load average {machine.load_1m:.1f} when it began; "
        + ", ".join(f"{name} {version}" for name, version in series.versions.items() if name in ("python", "ray")),
    ]
    if series.scaling:
        parts.append(_scaling(series.scaling, cores))
    if series.partial:
        parts.append(_partial(series.partial))
    if series.routers:
        parts.append(_routers(series.routers, cores))
    return "\n\n".join(parts)


def _scaling(points: Sequence[Point], cores: int) -> str:
    busiest = max(points, key=lambda point: point.requests_s)
    rows = []
    for point in points:
        limits = limits_of(point, busiest, cores)
        names = ("accelerators", "router", "machine")
        least = min(limits)
        rows.append(
            (
                f"{point.accelerators}",
                f"{point.replicas}",
                f"{point.requests_s:.1f}",
                f"{least:.1f}",
                names[limits.index(least)],
                f"{point.requests_s / least - 1:+.0%}",
                f"{point.batch:.2f}" if point.batch else "-",
                f"{predicted_batch(point):.2f}" if limits.index(least) == 0 else "-",
                f"{point.p50_ms:.0f}",
                f"{point.router_cpu_ms:.1f}",
                f"{point.cores_busy:.2f}",
                f"{point.rss_mib:.0f} / {point.pss_mib:.0f}",
                f"{point.start_s:.0f}",
            )
        )
    head = (
        "accelerators", "processes", "requests/s", "formula", "bound by", "error", "batch", "formula", "p50 ms",
        "router CPU ms", "cores busy", "RSS / PSS MiB a process", "start s",
    )  # fmt: skip
    return _table(head, rows)


def _partial(points: Sequence[Point]) -> str:
    rows = [
        (
            f"{point.accelerators}",
            f"{point.offered_rps:.1f}",
            f"{point.requests_s:.1f}",
            f"{point.batch:.2f}" if point.batch else "-",
            f"{predicted_batch(point):.2f}",
            f"{(point.batch or 0) / predicted_batch(point) - 1:+.0%}",
            f"{point.p50_ms:.0f}",
            f"{point.p99_ms:.0f}",
            "-" if point.late_p99_ms is None else f"{point.late_p99_ms:.1f}" + (" LATE" * bool(point.schedule_missed)),
        )
        for point in points
    ]
    head = (
        "accelerators", "offered/s", "answered/s", "batch", "formula", "error", "p50 ms", "p99 ms", "generator late ms",
    )  # fmt: skip
    return _table(head, rows)


def _routers(points: Sequence[Point], cores: int) -> str:
    rows = []
    for point in points:
        _, of_routers, of_machine = limits_of(point, point, cores)
        rows.append(
            (
                f"{point.routers}",
                f"{point.requests_s:.0f}",
                f"{point.router_cpu_ms:.2f}",
                f"{point.requests_s * point.router_cpu_ms / 1000:.2f}",
                f"{point.cpu_ms.get(DETECTOR, 0.0):.2f}",
                f"{point.cpu_ms.get(CLIENT, 0.0):.2f}",
                f"{point.all_cpu_ms - sum(point.cpu_ms.get(kind, 0.0) for kind in (ROUTER, DETECTOR, CLIENT)):.2f}",
                f"{point.cores_busy:.2f}",
                f"{of_routers:.0f}",
                f"{of_machine:.0f}",
                f"{point.requests_s / min(of_routers, of_machine) - 1:+.0%}",
            )
        )
    head = (
        "routers", "requests/s", "CPU ms: router", "cores of routers", "detector", "client", "rest", "cores busy",
        "routers alone would carry", "the machine would carry", "error",
    )  # fmt: skip
    return _table(head, rows)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---:"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
