"""`sightline capacity`: how many replicas of what a workflow takes for a rate of requests."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deployments.cli.tables import table_lines
from deployments.errors import InvalidRequestError, ServingError
from deployments.settings import DEFAULT_TEXT_READER, ClusterArgs, RouterTuning, data_directory

if TYPE_CHECKING:  # numpy, pydantic models of every block: only when there is something to work out
    from deployments.capacity.figures import Figures
    from deployments.capacity.plan import Answer
    from deployments.dataplane.served_models import ServedModels
    from workflows.compiler.plan import Plan

ROUTER_CPU_MS = 3.5
"""Of a WorkflowRouter under load for a request with one photograph in it, as in docs/performance.md."""
TRANSFORM_MS = 4.5
"""Of a TransformWorker for one stage of one photograph, cropping included; the same."""
MOST = 1e9
"""Of any number that is given; infinitely many of anything are no plan."""

Several = list[str] | None


def capacity(
    workflow: Annotated[str, typer.Argument(help="A JSON file with a definition, or WORKSPACE/ID with --workflows.")],
    rate: Annotated[float, typer.Option("--rate", "-r", min=0.001, max=MOST, help="Requests a second to carry.")],
    workflows: Annotated[Path | None, typer.Option(help="Folder of saved definitions, as `serve` takes it.")] = None,
    models: Annotated[Several, typer.Option(help="Folder or URL of model packages; several times too.")] = None,
    figures: Annotated[
        list[Path] | None,
        typer.Option(help="File of service times: of `models check --json`, or one's own; several times too."),
    ] = None,
    measure: Annotated[bool, typer.Option("--measure", help="Measure here what no file has the times of.")] = False,
    crops: Annotated[
        Several, typer.Option(help="Mean crops that a step makes of one image, `step=2.5`; or `2.5` for all steps.")
    ] = None,
    images: Annotated[float, typer.Option(min=0.001, max=MOST, help="Mean images in a request.")] = 1.0,
    parameter: Annotated[Several, typer.Option(help="Value of a parameter that names a model: `name=id`.")] = None,
    utilisation: Annotated[float, typer.Option(min=0.05, max=1.0, help="Part of the replicas' capacity to use.")] = 0.7,
    router_ms: Annotated[
        float, typer.Option(min=0, max=MOST, help="CPU ms of a WorkflowRouter for a request with one image.")
    ] = ROUTER_CPU_MS,
    transform_ms: Annotated[
        float, typer.Option(min=0.001, max=MOST, help="CPU ms of a TransformWorker for a stage of one image.")
    ] = TRANSFORM_MS,
    text_reader: Annotated[str, typer.Option(help="Model of the steps that read and name none.")] = DEFAULT_TEXT_READER,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Say how many replicas of what a rate of requests of a workflow takes, and the settings that give them."""
    from workflows.errors import WorkflowError

    try:
        given = _Given(crops or (), parameter or (), images)
        from deployments.capacity.formula import router_cpu_ms
        from deployments.capacity.model_steps import model_steps, transform_items
        from deployments.capacity.plan import answer
        from deployments.dataplane.served_models import served_models

        served = served_models(_args(models or [], text_reader))
        plan = _plan(workflow, workflows)
        steps = model_steps(plan, given.multiplicity(), text_reader_id=text_reader, parameters=given.parameters)
        steps = tuple(_canonical(step, served) for step in steps)
        ids = tuple(dict.fromkeys(step.model_id for step in steps))
        batch_items = {model_id: _most_items(served, model_id) for model_id in ids}
        found = _figures(ids, figures or [], served, batch_items if measure else None)
        result = answer(
            steps,
            found,
            {model_id: _deployment(served, model_id) for model_id in ids},
            batch_items=batch_items,
            transforms=(transform_items(plan, given.multiplicity()), transform_ms),
            requests_s=rate,
            utilisation=utilisation,
            router_cpu_ms=router_cpu_ms(router_ms, images),
        )
    except (ServingError, WorkflowError) as error:
        message = getattr(error, "message", str(error))
        if as_json:
            typer.echo(json.dumps({"ok": False, "error": {"type": type(error).__name__, "message": message}}))
        else:
            typer.echo(f"sightline: {message}", err=True)
        raise typer.Exit(1) from error
    typer.echo(json.dumps(_as_row(result, found)) if as_json else "\n".join(_as_lines(result, found)))


class _Given:
    """What the options say, checked."""

    def __init__(self, crops: Iterable[str], parameters: Iterable[str], images: float) -> None:
        self.crops = 1.0
        self.crops_by_step: dict[str, float] = {}
        self.images = images
        self.parameters: dict[str, str] = {}
        for text in crops:
            name, _, number = text.rpartition("=")
            try:
                count = float(number)
            except ValueError:
                count = -1.0
            if not 0 <= count < 1e6:
                raise InvalidRequestError(f"--crops {text}: write `step=2.5`, or `2.5` for all steps")
            if name:
                self.crops_by_step[name] = count
            else:
                self.crops = count
        for text in parameters:
            name, equals, value = text.partition("=")
            if not (name and equals and value):
                raise InvalidRequestError(f"--parameter {text}: write `name=project/version`")
            self.parameters[name] = value

    def multiplicity(self) -> Any:
        """The same, for a plan."""
        from deployments.capacity.model_steps import Multiplicity

        return Multiplicity(images=self.images, crops=self.crops, crops_by_step=self.crops_by_step)


def _args(models: list[str], text_reader: str) -> ClusterArgs:
    """What would be served; what only pretends to compute may be counted with."""
    return ClusterArgs(
        models_dir=tuple(models),
        added_models_dir=data_directory() / "models",
        text_reader_model=text_reader,
        emulated_accelerators=True,
    )


def _plan(workflow: str, folder: Path | None) -> Plan:
    from deployments.dataplane.saved_workflows import SavedWorkflows
    from workflows.compiler.compile import compile_definition

    path = Path(workflow)
    if folder is not None and not path.is_file():
        workspace, _, name = workflow.rpartition("/")
        return compile_definition(SavedWorkflows(folder).get(workspace or "local", name))
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidRequestError(
            f"cannot read {workflow}: {error.strerror}; name a JSON file, or a saved workflow with --workflows FOLDER"
        ) from error
    except ValueError as error:
        raise InvalidRequestError(f"{workflow} is no JSON: {error}") from error
    if isinstance(document, dict) and isinstance(document.get("specification"), dict):
        document = document["specification"]
    if not isinstance(document, dict):
        raise InvalidRequestError(f"{workflow} must be a JSON object, a workflow's definition")
    return compile_definition(document)


def _canonical(step: Any, served: ServedModels) -> Any:
    """The step with the id that its model has here.

    Raises:
        ServingError: there is no such model, or it cannot be served.
    """
    from dataclasses import replace

    from deployments.models.errors import UnknownModelError
    from workflows.definition.nearest import suggest

    model_id = served.known.canonical(step.model_id)
    if model_id in served.refused:
        raise served.refused[model_id]
    if model_id not in served.packages:
        raise UnknownModelError(
            f"step {step.step!r} asks {step.model_id!r}, which is no model here; "
            f"{suggest(model_id, sorted(served.packages), what='models')}; --models FOLDER adds others",
            model_id,
        )
    return replace(step, model_id=model_id)


def _most_items(served: ServedModels, model_id: str) -> int:
    from deployments.models.tasks import READING

    tuning = RouterTuning()
    reads = served.packages[model_id].task_type in READING
    limit = (tuning.text_reader if reads else tuning.object_detector).max_batch_items
    return min(limit, served.packages[model_id].max_batch_size or limit)


def _deployment(served: ServedModels, model_id: str) -> str:
    from dataclasses import replace

    from deployments.dataplane.own_deployments import deployment_names
    from deployments.settings import ModelSettings

    alone = replace(served, settings={model_id: ModelSettings(replicas=1)})
    return deployment_names(alone)[model_id]


def _figures(
    ids: Iterable[str], paths: Iterable[Path], served: ServedModels, measured_up_to: Mapping[str, int] | None
) -> dict[str, Figures]:
    """Figures of every model; the last file that has them counts."""
    from deployments.capacity.figures import read_figures

    known: dict[str, Figures] = {}
    for path in paths:
        known |= read_figures(path)
    aliases = served.known.aliases
    known = {aliases.get(model_id, model_id): each for model_id, each in known.items()}
    missing = [model_id for model_id in ids if model_id not in known]
    if missing and measured_up_to is None:
        raise InvalidRequestError(
            f"nobody knows how long {', '.join(missing)} takes; give --measure to find out here, or --figures FILE "
            "(what `sightline models check MODEL --json` prints on the machine that will serve it, or one's own)"
        )
    if missing and measured_up_to is not None:
        from deployments.capacity.measured import measured

        for model_id in missing:
            typer.echo(f"measuring {model_id} ...", err=True)
            known[model_id] = measured(served.packages[model_id], served.packages, measured_up_to[model_id])
    return {model_id: known[model_id] for model_id in ids}


def _as_row(result: Answer, figures: Mapping[str, Figures]) -> dict[str, Any]:
    from deployments.capacity.snippet import settings_of

    return {
        "ok": True,
        "requests_s": result.requests_s,
        "utilisation": result.utilisation,
        "deployments": [asdict(row) for row in result.rows],
        "routers": {"replicas": result.routers, "cpu_ms_a_request": result.router_cpu_ms},
        "num_cpus": result.num_cpus,
        "num_gpus": result.num_gpus,
        "figures": {
            model_id: {"ms_by_batch": dict(each.times.ms_by_batch), "device": each.device, "of": each.measured}
            for model_id, each in figures.items()
        },
        "settings": settings_of(result),
    }


def _as_lines(result: Answer, figures: Mapping[str, Figures]) -> list[str]:
    from deployments.capacity.snippet import as_yaml

    head = (
        "deployment",
        "items/request",
        "batch up to",
        "ms a batch",
        "then",
        "used",
        "replicas",
        "CPUs",
        "GPUs",
    )
    table = []
    for row in result.rows:
        table.append(
            (
                row.deployment,
                f"{row.items:g}",
                f"{row.max_batch_items}",
                f"{row.service_ms:.1f}",
                f"{row.batch:.1f}",
                f"{result.requests_s / row.carries_rps:.0%}",
                f"{row.replicas}",
                f"{row.replicas * row.num_cpus:g}",
                f"{row.replicas * row.num_gpus:g}",
            )
        )
    busy = result.requests_s * result.router_cpu_ms / 1000 / result.routers
    router = ("WorkflowRouter", "1", "-", f"{result.router_cpu_ms:.1f}", "-", f"{busy:.0%}", f"{result.routers}")
    table.append((*router, f"{result.routers}", "0"))
    lines = [f"{result.requests_s:g} requests/s at {result.utilisation:.0%} of what the replicas carry:", ""]
    lines += table_lines(head, table, numbers=True)
    lines += ["", f"in all {result.num_cpus:g} CPUs and {result.num_gpus:g} GPUs"]
    for model_id, each in figures.items():
        points = ", ".join(f"{size}: {ms:.1f}" for size, ms in each.times.ms_by_batch.items())
        lines.append(f"{model_id}: ms by batch {{{points}}} on {each.device}, {each.measured}")
    return [*lines, "", "below the application in serve_config.yaml:", "", as_yaml(result).rstrip()]
