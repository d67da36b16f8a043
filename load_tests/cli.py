"""The command `python -m load_tests`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from load_tests.aims.aim import AIMS, measured
from load_tests.aims.rounds import GROUPS, PEER_GROUPS, all_rounds, measure_rounds, read_rounds
from load_tests.aims.table import conditions, console_table, markdown
from load_tests.arrivals import Poisson
from load_tests.baselines.peer import Peer
from load_tests.baselines.targets import OneProcess, StockServe
from load_tests.capacity.command import capacity
from load_tests.exit_statuses import BROKEN, LATE, UNUSABLE
from load_tests.generator import Progress
from load_tests.options import checked_headers, checked_out, checked_pid, checked_url
from load_tests.partial import RunKeeper, partial_path
from load_tests.progress import ConsoleListener, no_answer_line, outcome_lines, target_table
from load_tests.report.comparison import comparison_page, comparison_table, sides_of_both, warnings_of
from load_tests.report.page import result_page
from load_tests.results import Result, Run, read_result, write_result
from load_tests.runner import FAILURES, Asked, nothing_measured, run_scenario
from load_tests.scenario import OURS, Load, Scenario, ScenarioError, find_scenario, read_scenario
from load_tests.sightline_target import COPIED_MODEL, RunningServerTarget, SightlineTarget
from load_tests.slo_search import highest_rate
from load_tests.statistics import ScheduleMissedError
from load_tests.target import RunningTarget, Target

RESULTS = Path(__file__).parent / "results" / "local"
PROBE_REQUESTS = 1000
PROBE_S = (10.0, 120.0)
GOOD_SHARE = 0.99

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Measure the server under load.")
app.command()(capacity)
console = Console()

Url = Annotated[str | None, typer.Option(help="Ask this server; one is started when not given.")]
Pid = Annotated[int | None, typer.Option(help="With --url: process whose tree's CPU is counted.")]
Header = Annotated[list[str] | None, typer.Option(help="With --url: `Name: value` for every request; several times.")]
ServeOption = Annotated[
    list[str] | None, typer.Option(help="Argument of `sightline serve`, such as `--proxy=python`; several times.")
]
PeerFolder = Annotated[
    Path | None, typer.Option(help="Folder with start_peer.sh and stop_peer.sh of a reference server.")
]
PeerArguments = Annotated[list[str] | None, typer.Option(help="For start_peer.sh, behind the port; several times.")]
PeerPhotograph = Annotated[
    Path | None,
    typer.Option(exists=True, dir_okay=False, help="JPEG on which the peer's own models find one plate; ours else."),
]


@app.command()
def run(
    scenario: Annotated[str, typer.Argument(help="A shipped scenario's name, or a YAML file.")],
    out: Annotated[Path | None, typer.Option(help="File for the result; below load_tests/results/local else.")] = None,
    rounds: Annotated[int | None, typer.Option(min=1, help="How often each target has its turn.")] = None,
    targets: Annotated[list[str] | None, typer.Option("--target", help="Only these targets; several times.")] = None,
    side_by_side: Annotated[bool, typer.Option(help="Start all targets once; quicker, and less exact.")] = False,
    url: Url = None,
    pid: Pid = None,
    header: Header = None,
    serve: ServeOption = None,
    peer: PeerFolder = None,
    peer_argument: PeerArguments = None,
    peer_photograph: PeerPhotograph = None,
) -> None:
    """Measure a scenario.

    Exits with 1 when a threshold does not hold, or nobody knows whether it does although its targets were run; with 2
    when a load had no good answer; with 3 when the generator was late.
    """
    wanted = _scenario(scenario)
    changes = {"rounds": rounds, "targets": tuple(dict.fromkeys(targets)) if targets else None}
    wanted = wanted.model_copy(update={name: value for name, value in changes.items() if value is not None})
    known = {**_targets(wanted, url, pid, header, serve), **_baselines(peer, peer_argument, peer_photograph)}
    if unknown := [name for name in wanted.targets if name not in known]:
        raise typer.BadParameter(f"no target {unknown[0]!r}; there are {', '.join(known)}", param_hint="--target")
    name = Path(scenario).stem
    path = checked_out(out or RESULTS / f"{datetime.now(UTC):%Y-%m-%d-%H%M%S}-{name}.json")
    with ConsoleListener(console) as listener:
        keeper = RunKeeper(listener, nothing_measured(name, wanted, known))
        try:
            result = run_scenario(name, wanted, known, keeper, side_by_side_servers=side_by_side)
        except (*FAILURES, KeyboardInterrupt) as error:
            late = isinstance(error, ScheduleMissedError)
            why = str(error) or "it was interrupted"
            if keeper.runs:
                _write(keeper.result(why), partial_path(path))
            raise _failed(LATE if late else UNUSABLE, f"no report: {why}" if late else why) from error
    _write(result, path)
    for target in dict.fromkeys(each.target for each in result.runs):
        console.print(target_table(result, target))
    for line in outcome_lines(result):
        console.print(line, highlight=False)
    if not result.runs:
        raise _failed(UNUSABLE, "nothing was measured: every target was left out")
    if silent := result.silent:
        raise _failed(UNUSABLE, "; ".join(map(no_answer_line, silent)))
    if any(outcome.failed for outcome in result.outcomes):
        raise typer.Exit(BROKEN)


@app.command()
def page(result: Annotated[Path, typer.Argument(help="A JSON file that `run` has written.")]) -> None:
    """Draw the page of a result anew, beside it."""
    _write_page(result_page(_result(result)), result.with_suffix(".html"))


@app.command()
def compare(
    first: Annotated[Path, typer.Argument(help="A JSON file that `run` has written: A.")],
    second: Annotated[Path, typer.Argument(help="Another one: B.")],
    out: Annotated[Path | None, typer.Option(help="File for the page; beside B else.")] = None,
) -> None:
    """Show two results side by side, with ratios: a table here, and a page with the charts of both."""
    a, b = _result(first), _result(second)
    if not sides_of_both(a, b):
        raise _failed(UNUSABLE, f"{first.name} and {second.name} have no load of the same target and name in common")
    path = checked_out(out or second.with_name(f"{second.stem}-against-{first.stem}.html"), page_beside=False)
    console.print(comparison_table(a, b))
    for warning in warnings_of(a, b):
        console.print(f"note: {warning}", highlight=False)
    _write_page(comparison_page(a, b), path)


@app.command()
def aims(
    out: Annotated[
        Path, typer.Option(file_okay=False, help="Folder with a file for each round; those are not measured again.")
    ] = (RESULTS / "aims"),
    rounds: Annotated[int, typer.Option(min=1, max=100, help="How often each is measured.")] = 5,
    only: Annotated[list[str] | None, typer.Option(help=f"One of {', '.join(GROUPS)}; several times.")] = None,
    peer: PeerFolder = None,
    peer_argument: PeerArguments = None,
    peer_photograph: PeerPhotograph = None,
    light_model: Annotated[
        str | None, typer.Option(help="The peer's light detector, such as plates-lite/1; compared with where given.")
    ] = None,
    serve: ServeOption = None,
) -> None:
    """Measure what the project promises of its speed, in one table; exits with 1 where an aim is missed.

    Takes eight minutes a round, and two more with a peer. Stop it whenever you like: the same command goes on.
    """
    if unknown := [name for name in only or () if name not in GROUPS]:
        raise typer.BadParameter(f"no group {unknown[0]!r}; there are {', '.join(GROUPS)}", param_hint="--only")
    missing = [name for name in PEER_GROUPS if peer is None or (name == "light_peer" and light_model is None)]
    groups = [name for name in only or GROUPS if name not in missing]

    def targets(scenario: Scenario, models: Mapping[str, str]) -> Mapping[str, Target]:
        return {
            **_targets(scenario, None, None, None, serve),
            **_baselines(peer, peer_argument, peer_photograph, models),
        }

    def not_measured(why: str) -> None:
        console.print(f"not measured: {why}", style="red", highlight=False)

    of_group = {name: partial(targets, models={}) for name in GROUPS}
    of_group["light_peer"] = partial(targets, models={COPIED_MODEL: light_model or ""})
    with ConsoleListener(console) as listener:
        measure_rounds(out, groups, rounds, of_group, listener, not_measured)
    try:
        found = {name: read_rounds(out, name, rounds) for name in GROUPS}
    except ValueError as error:
        raise _failed(UNUSABLE, f"{out} holds a file that is no round: {str(error).splitlines()[0]}") from error
    figures = [measured(aim, found[aim.group]) for aim in AIMS]
    for name, of_name in found.items():
        if (result := all_rounds(of_name)) is not None:
            (out / f"{name}.html").write_text(result_page(result), encoding="utf-8")
    results = [each.result for of_name in found.values() for each in of_name]
    (out / "aims.md").write_text(markdown(figures, results), encoding="utf-8")
    for line in conditions(results):
        console.print(line, highlight=False)
    console.print(console_table(figures))
    console.print(f"written to {out}: aims.md, and a page for each group", highlight=False, soft_wrap=True)
    if any(figure.held is False or (figure.held is None and figure.aim.group in groups) for figure in figures):
        raise typer.Exit(BROKEN)


@app.command()
def search(
    scenario: Annotated[str, typer.Argument(help="A shipped scenario's name, or a YAML file.")],
    p99_ms: Annotated[float, typer.Option(min=0.1, help="The objective: 99 of 100 requests are answered within it.")],
    question: Annotated[str | None, typer.Option(help="Which question to ask; the scenario's first else.")] = None,
    first_rps: Annotated[float, typer.Option(min=0.1, help="Rate to begin with.")] = 4.0,
    precision: Annotated[float, typer.Option(min=0.005, max=1, help="How exact, as a share of the rate.")] = 0.05,
    url: Url = None,
    pid: Pid = None,
    header: Header = None,
    serve: ServeOption = None,
) -> None:
    """Search for the highest arrival rate at which p99 stays under an objective.

    Exits with 1 when it holds at no rate; with 2 when the server has no good answer; with 3 where the generator was
    late before the objective broke.
    """
    wanted = _scenario(scenario)
    asked = question or next(iter(wanted.questions))
    if asked not in wanted.questions:
        raise typer.BadParameter(f"no question {asked!r}; there are {', '.join(wanted.questions)}")
    wanted = wanted.model_copy(update={"timeout_s": min(wanted.timeout_s, max(5.0, p99_ms / 100))})
    target = _targets(wanted, url, pid, header, serve)[OURS]
    try:
        with ConsoleListener(console) as listener, target.running() as server:

            def holds(rate_rps: float) -> bool | None:
                try:
                    share, line = _probe(wanted, asked, server, rate_rps, p99_ms, listener)
                except ScheduleMissedError as error:
                    console.print(f"{rate_rps:.2f}/s: not known: {error}", highlight=False)
                    return None
                console.print(f"{rate_rps:.2f}/s: {line}", highlight=False)
                return share >= GOOD_SHARE

            found = highest_rate(holds, first_rps, precision=precision)
    except FAILURES as error:
        raise _failed(UNUSABLE, str(error)) from error
    objective = f"p99 <= {p99_ms:g} ms"
    if found.unknown_rps and not found.rate_rps:
        late = sum(probe.held is None for probe in found.probes)
        raise _failed(LATE, f"no report: the generator was late in {late} of {len(found.probes)} probes")
    if found.unknown_rps:
        said = f"{objective} held up to {found.rate_rps:.2f} requests/s; beyond it the generator could not keep its "
        raise _failed(LATE, f"{said}schedule (tried {found.unknown_rps:.2f}/s), so the server may carry more")
    broke = f"; it broke at {found.broke_rps:.2f}/s" if found.broke_rps else ""
    console.print(f"{objective} held up to {found.rate_rps:.2f} requests/s{broke}", highlight=False)
    if not found.rate_rps:
        raise typer.Exit(BROKEN)


def _write(result: Result, path: Path) -> None:
    """Write a result and its page."""
    write_result(result, path)
    path.with_suffix(".html").write_text(result_page(result), encoding="utf-8")
    console.print(f"written to {path}, and {path.with_suffix('.html').name} beside it", highlight=False, soft_wrap=True)


def _write_page(html: str, path: Path) -> None:
    path.write_text(html, encoding="utf-8")
    console.print(f"written to {path}", highlight=False, soft_wrap=True)


def _probe(
    scenario: Scenario, question: str, server: RunningTarget, rate_rps: float, p99_ms: float, listener: ConsoleListener
) -> tuple[float, str]:
    """Share of the requests at a rate that were answered in time, and a line about it.

    Raises:
        ScheduleMissedError: the generator was late.
        RuntimeError: no request had a good answer.
    """
    duration_s = min(max(PROBE_REQUESTS / rate_rps, PROBE_S[0]), PROBE_S[1])
    load = Load(ask=question, arrivals=Poisson(kind="poisson", rate=rate_rps, duration_s=duration_s), slo_ms=p99_ms)
    progress = Progress()
    listener.starts(f"{rate_rps:.2f} requests/s", duration_s + load.warm_s, progress)
    asked = Asked(scenario=scenario, target=server, seed=scenario.seed)
    made = Run(target=OURS, load=question, round=0, **asked.measured(load, progress))
    if not made.good:  # where a rate is merely too high, the first ones still had
        raise RuntimeError(no_answer_line(made))
    share = (made.in_time or 0) / made.sent
    return share, f"{share:.2%} within {p99_ms:g} ms, p99 {made.latency.p99_ms:.1f} ms"


def _result(path: Path) -> Result:
    try:
        return read_result(path)
    except OSError as error:
        raise _failed(UNUSABLE, f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise _failed(UNUSABLE, f"{path} is no result of a load test: {str(error).splitlines()[0]}") from error


def _scenario(name: str) -> Scenario:
    try:
        return read_scenario(find_scenario(name))
    except ScenarioError as error:
        raise _failed(UNUSABLE, str(error)) from error


def _targets(
    scenario: Scenario, url: str | None, pid: int | None, header: list[str] | None, serve: list[str] | None
) -> Mapping[str, Target]:
    """Every target there is, ours as the options say."""
    ours: Target
    if url is not None:
        url = checked_url(url)
        root_pid = None if pid is None else checked_pid(pid)
        ours = RunningServerTarget(url=url, root_pid=root_pid, headers=checked_headers(header or (), url))
    else:
        ours = SightlineTarget(options=scenario.server, arguments=tuple(serve or ()))
    return {OURS: ours}


def _baselines(
    peer: Path | None,
    peer_arguments: list[str] | None,
    peer_photograph: Path | None,
    peer_models: Mapping[str, str] | None = None,
) -> Mapping[str, Target]:
    """The servers to compare with; the peer where a folder of it is given."""
    targets: list[Target] = [OneProcess(), StockServe()]
    if peer is not None:
        photograph = peer_photograph.read_bytes() if peer_photograph else None
        targets.append(Peer(peer, tuple(peer_arguments or ()), peer_models or {}, photograph))
    return {target.name: target for target in targets}


def _failed(status: int, message: str) -> typer.Exit:
    console.print(f"load_tests: {message}", style="red", highlight=False)
    return typer.Exit(status)
