"""What a load test asks, how often, and what must come of it: the model of a scenario's YAML file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from load_tests.arrivals import Arrivals, ArrivalsError, Duration, Trace, check_arrivals
from load_tests.results import Metric, Side
from load_tests.scenario_files import ScenarioFileError, read_definition, read_yaml
from load_tests.statistics import LATENESS_P99_MS

SCENARIO_DIRECTORY = Path(__file__).parent / "scenarios"
OURS = "sightline"
TUTORIAL = "tutorial"
MAX_PLATES = 20

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class ScenarioError(ValueError):
    """A scenario cannot be read; the message names the file, the place in it, and what would be right."""


class Part(BaseModel):
    """A piece of a scenario."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Pictures(Part):
    """Photographs by how many plates are on them.

    Attributes:
        plates: number of plates -> its share, of any sum.
    """

    plates: dict[Annotated[int, Field(ge=0, le=MAX_PLATES)], Positive] = Field(default={1: 1.0}, min_length=1)


class Question(Part):
    """What is sent: one of `get`, `workflow` and `models`.

    Attributes:
        get: a path that is fetched.
        workflow: `tutorial`, or a JSON file with a definition whose image input is named `image`.
        models: ids of object detectors, asked in turn at `/infer/object_detection`.
        pictures: what they are shown.
        cut_outs: of a workflow: its image is a batch of so many cut-out plates instead.
    """

    get: Annotated[str, Field(pattern="^/[!-~]*$")] | None = None
    workflow: str | None = None
    models: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    pictures: Pictures = Pictures()
    cut_outs: Annotated[int, Field(gt=0, le=100)] | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if self.cut_outs is not None and self.workflow is None:
            raise ValueError("cut_outs goes with workflow")
        if sum(kind is not None for kind in (self.get, self.workflow, self.models)) != 1:
            raise ValueError("a question has one of get, workflow and models")
        return self


class Load(Part):
    """How a question is asked: on a schedule (`arrivals`), or by `clients` for `duration_s`.

    Attributes:
        ask: name of the question.
        rates_of: name of a load before this one: rates are then multiples of its throughput, of the same server in
            the same round, not requests a second.
        slo_ms: answers later than this are no goodput.
        warm_s: how long the question is asked before, by as many clients, or four, and not counted.
        beside: names of loads that run meanwhile.
        background: it runs only beside others; of it is reported how many requests were good, and what errors came.
    """

    ask: str
    arrivals: Arrivals | None = None
    clients: Annotated[int, Field(gt=0, le=1000)] | None = None
    duration_s: Duration | None = None
    rates_of: str | None = None
    slo_ms: Positive | None = None
    warm_s: Annotated[float, Field(ge=0, le=3600)] = 3.0
    beside: tuple[str, ...] = ()
    background: bool = False

    @model_validator(mode="after")
    def _open_or_closed(self) -> Self:
        if (self.arrivals is None) == (self.clients is None):
            raise ValueError("a load has either arrivals or clients")
        if (self.clients is None) != (self.duration_s is None):
            raise ValueError("duration_s goes with clients; arrivals say their own")
        if self.clients is not None and self.rates_of is not None:
            raise ValueError("rates_of goes with arrivals; clients have no rate")
        return self


class Threshold(Part):
    """A metric of one side must be at least, or at most, so many times that of another, or so much.

    Attributes:
        of: load, of our server.
        to: the baseline: a load of ours, or of another server; without it the limit is in the metric's own unit.
    """

    metric: Metric
    of: str
    to: Side | None = None
    at_least: Positive | None = None
    at_most: Positive | None = None

    @model_validator(mode="after")
    def _one_limit(self) -> Self:
        if (self.at_least is None) == (self.at_most is None):
            raise ValueError("a threshold has either at_least or at_most")
        return self

    def says(self) -> str:
        """The threshold in words."""
        limit = f">= {self.at_least:g}" if self.at_least is not None else f"<= {self.at_most:g}"
        told = f"{self.metric} of {self.of} {limit}"
        return told if self.to is None else f"{told} x {self.to.target}'s of {self.to.load}"

    def holds(self, ratio: float) -> bool:
        """Whether a measured ratio is within the limit."""
        return ratio >= self.at_least if self.at_least is not None else ratio <= (self.at_most or 0)


class ServerOptions(Part):
    """How our server is started for the scenario.

    Attributes:
        model_copies: so many copies of the shipped plate detector are served beside it, `copy-1/1` and on.
        max_loaded_models: slots of one detector replica; the configuration's when None.
    """

    model_copies: Annotated[int, Field(ge=0, le=100)] = 0
    max_loaded_models: Annotated[int, Field(gt=0)] | None = None


class Scenario(Part):
    """A load test.

    Attributes:
        targets: servers, in the order of their turns; ours first.
        rounds: how often each has its turn.
        timeout_s: for each answer.
        lateness_p99_ms: how late the generator may be at the 99th percentile.
    """

    about: str
    server: ServerOptions = ServerOptions()
    targets: Annotated[tuple[str, ...], Field(min_length=1)] = (OURS,)
    rounds: Annotated[int, Field(gt=0, le=100)] = 1
    seed: int = 0
    timeout_s: Positive = 30.0
    lateness_p99_ms: Positive = LATENESS_P99_MS
    questions: Annotated[dict[str, Question], Field(min_length=1)]
    loads: Annotated[dict[str, Load], Field(min_length=1)]
    thresholds: tuple[Threshold, ...] = ()

    @model_validator(mode="after")
    def _names_are_known(self) -> Self:
        before: set[str] = set()
        reported = {name for name, load in self.loads.items() if not load.background}
        for name, load in self.loads.items():
            _known("ask", load.ask, self.questions)
            for other in load.beside:
                _known("beside", other, set(self.loads) - reported)
            if load.rates_of is not None:
                _known("rates_of", load.rates_of, before)
            if not load.background:
                before.add(name)
        for threshold in self.thresholds:
            _known("of", threshold.of, reported)
            if threshold.to is not None:
                _known("to.load", threshold.to.load, reported)
                _known("to.target", threshold.to.target, self.targets)
        return self


def _known(key: str, name: str, names: object) -> None:
    known = list(names)  # type: ignore[call-overload]
    if name not in known:
        raise ValueError(f"{key}: {name!r} is not among {', '.join(sorted(known)) or 'any before it'}")


def find_scenario(name: str) -> Path:
    """The file of a scenario, by its path or by the name of a shipped one.

    Raises:
        ScenarioError: there is none.
    """
    for path in (Path(name), SCENARIO_DIRECTORY / f"{name}.yaml"):
        if path.is_file():
            return path
    shipped = ", ".join(sorted(path.stem for path in SCENARIO_DIRECTORY.glob("*.yaml")))
    raise ScenarioError(f"no scenario {name!r}: give the path of a YAML file, or one of {shipped}")


def read_scenario(path: Path) -> Scenario:
    """A scenario, with files that it names found from its own folder, and seen to be what they should be.

    Raises:
        ScenarioError: it is no scenario, or names a file that is no workflow or no trace.
    """
    try:
        scenario = Scenario.model_validate(read_yaml(path))
    except ScenarioFileError as error:
        raise ScenarioError(str(error)) from error
    except ValidationError as error:
        # A misspelt key first: what else is wrong, such as that the right one is missing, follows from it.
        first = min(error.errors(include_url=False), key=lambda each: each["type"] != "extra_forbidden")
        place = ".".join(str(part) for part in first["loc"]) or "the scenario"
        raise ScenarioError(f"{path.name}: {place}: {first['msg']}") from error
    found = scenario.model_copy(
        update={
            "questions": {name: _with_workflow(asked, path.parent) for name, asked in scenario.questions.items()},
            "loads": {name: _with_trace(load, path.parent) for name, load in scenario.loads.items()},
        }
    )
    _check_files(found, path.name)
    return found


def _check_files(scenario: Scenario, name: str) -> None:
    """See beforehand to what would otherwise be found when the loads before it are measured."""
    place = ""
    try:
        for question_name, question in scenario.questions.items():
            place = f"questions.{question_name}"
            if question.workflow not in (None, TUTORIAL):
                read_definition(Path(question.workflow or ""))
        for load_name, load in scenario.loads.items():
            place = f"loads.{load_name}.arrivals"
            if load.arrivals is not None:
                check_arrivals(load.arrivals)
    except (ScenarioFileError, ArrivalsError) as error:
        raise ScenarioError(f"{name}: {place}: {error}") from error


def _with_workflow(question: Question, folder: Path) -> Question:
    if question.workflow is None or question.workflow == TUTORIAL:
        return question
    return question.model_copy(update={"workflow": str(folder / question.workflow)})


def _with_trace(load: Load, folder: Path) -> Load:
    if not isinstance(load.arrivals, Trace):
        return load
    return load.model_copy(update={"arrivals": load.arrivals.model_copy(update={"path": folder / load.arrivals.path})})
