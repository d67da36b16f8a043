"""`sightline models`: packages that are added to this machine, looked at, and removed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deployments.cli.known_models import known_package, opened_packages, package_store, shipped_packages, whole_packages
from deployments.cli.model_errors import clear_errors, error_row, exit_status, say
from deployments.errors import ServingError

if TYPE_CHECKING:  # numpy, ONNX Runtime and fsspec: only for those commands that need them
    from deployments.models.errors import ModelPackageError
    from deployments.models.inspection import Inspection
    from deployments.models.package import ModelPackage

app = typer.Typer(
    no_args_is_help=True,
    help="Add models to this machine, look at them, remove them. `sightline serve` serves what was added.",
)

Source = Annotated[
    str, typer.Argument(help="A folder, a weights.onnx or a zip; a path or a URL: file, https, s3, gs, az, hf.")
]
Id = Annotated[str | None, typer.Option("--id", help="What requests call it: project/version or one name.")]
Task = Annotated[str | None, typer.Option(help="What bare weights are for, such as object-detection.")]
Architecture = Annotated[str | None, typer.Option(help="What bare weights are, such as yolov8; else guessed.")]
Classes = Annotated[Path | None, typer.Option(help="A file that names the classes, one a line.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@app.command()
def add(
    source: Source,
    model_id: Id = None,
    task: Task = None,
    architecture: Architecture = None,
    classes: Classes = None,
    alias: Annotated[list[str] | None, typer.Option(help="A further name; may be given several times.")] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Take the place of one from elsewhere.")] = False,
    as_json: AsJson = False,
) -> None:
    """Fetch a model, check that it can be served, and keep it."""
    with clear_errors(as_json=as_json):
        from deployments.models.inspection import inspect_package
        from deployments.models.store.given_facts import GivenFacts
        from deployments.models.store.sources import Source as PackageSource

        given = GivenFacts(
            model_id=model_id, aliases=tuple(alias or ()), task=task, architecture=architecture, class_names=classes
        )
        notes: dict[str, list[str]] = {}

        def inspect(package: ModelPackage) -> None:
            notes[package.model_id] = list(inspect_package(package, whole_packages(), timed=False).notes)

        added = package_store().add(PackageSource(source), given, inspect, take_place=replace)
        if as_json:
            rows = [
                {
                    "model_id": each.package.model_id,
                    "is_new": each.is_new,
                    "notes": notes.get(each.package.model_id, []),
                }
                for each in added
            ]
            typer.echo(json.dumps({"ok": True, "added": rows}))
            return
        for each in added:
            typer.echo(f"{'added' if each.is_new else 'there already:'} {each.package.model_id}")
            for note in notes.get(each.package.model_id, []):
                typer.echo(f"  note: {note}")


@app.command(name="list")
def list_models(as_json: AsJson = False) -> None:
    """List the models that were added, and the shipped ones."""
    with clear_errors(as_json=as_json):
        rows = [_row(model_id, *found) for model_id, found in package_store().packages().items()]
        if as_json:
            typer.echo(json.dumps({"ok": True, "models": rows, "shipped": sorted(shipped_packages())}))
            return
        for row in rows:
            if "problem" in row:
                typer.echo(f"{row['model_id']}  BROKEN: {row['problem']}")
            else:
                typer.echo(f"{row['model_id']}  {row['task']}  {_megabytes(row['size_bytes'])}  from {row['source']}")
        for model_id, package in sorted(shipped_packages().items()):
            typer.echo(f"{model_id}  {package.task_type}  shipped")


@app.command()
def show(model_id: Annotated[str, typer.Argument(help="An id as `list` prints it.")], as_json: AsJson = False) -> None:
    """Show what is known of a model without loading it."""
    with clear_errors(as_json=as_json):
        row = _details(model_id)
        if as_json:
            typer.echo(json.dumps({"ok": True, **row}))
            return
        width = max(len(key) for key in row)
        for key, value in row.items():
            shown = ", ".join(map(str, value)) if isinstance(value, list | tuple) else value
            typer.echo(f"{key.replace('_', ' '):{width}}  {shown if shown not in (None, '') else '-'}")


@app.command()
def remove(
    model: Annotated[str, typer.Argument(help="An id as `list` prints it, or an alias.")], as_json: AsJson = False
) -> None:
    """Remove a model that was added, and the files that no other one has."""
    with clear_errors(as_json=as_json):
        removed = package_store().remove(model)
        if as_json:
            typer.echo(json.dumps({"ok": True, "model_id": removed.model_id, "freed_bytes": removed.freed_bytes}))
            return
        typer.echo(f"removed {removed.model_id}; {_megabytes(removed.freed_bytes)} freed")


@app.command()
def prune(
    days: Annotated[float, typer.Option(min=0, help="For how many days nobody has used a source.")] = 30,
    as_json: AsJson = False,
) -> None:
    """Throw away what servers fetched from URLs that nobody has used for a while; models that were added stay.

    A source is used whenever something is added from it, and whenever a server that serves it starts: that fetches it
    again where it was pruned.
    """
    with clear_errors(as_json=as_json):
        pruned = package_store().prune(days * 24 * 3600)
        if as_json:
            typer.echo(json.dumps({"ok": True, "sources": pruned.sources, "freed_bytes": pruned.freed_bytes}))
            return
        typer.echo(f"{_megabytes(pruned.freed_bytes)} freed; {pruned.sources} sources forgotten")


@app.command()
def check(
    model: Annotated[str, typer.Argument(help="A folder, a file or a URL as for `add`, or the id of a model.")],
    model_id: Id = None,
    task: Task = None,
    architecture: Architecture = None,
    classes: Classes = None,
    as_json: AsJson = False,
) -> None:
    """Open a model, or each of a folder, run it once, and say what it is, how fast it is, and what is wrong with it."""
    with clear_errors(as_json=as_json):
        from deployments.cli.model_report import as_lines, as_row
        from deployments.models.package import ModelPackage
        from deployments.models.store.given_facts import GivenFacts

        given = GivenFacts(model_id=model_id, task=task, architecture=architecture, class_names=classes)
        with opened_packages(model, given) as packages:
            whole = {package.model_id: package for package in packages if isinstance(package, ModelPackage)}
            others = whole_packages() | whole
            results = [_inspected(package, others) for package in packages]
        errors = [result for result in results if isinstance(result, ServingError)]
        if as_json:
            said = {"models": [as_row(result) for result in results if not isinstance(result, ServingError)]}
            wrong = {"error": error_row(errors[0]), "errors": [error_row(error) for error in errors]} if errors else {}
            typer.echo(json.dumps({"ok": not errors, **wrong, **said}))
        else:
            for result in results:
                if isinstance(result, ServingError):
                    say(result)
                else:
                    typer.echo("\n".join(as_lines(result)))
        if errors:
            raise typer.Exit(exit_status(errors[0]))


def _inspected(
    package: ModelPackage | ModelPackageError, others: Mapping[str, ModelPackage]
) -> Inspection | ServingError:
    """What a package turned out to be, or what is wrong with it."""
    from deployments.models.errors import ModelPackageError
    from deployments.models.inspection import inspect_package

    if isinstance(package, ModelPackageError):
        return package
    try:
        return inspect_package(package, others)
    except ServingError as error:
        return error


def _row(model_id: str, package: Any, manifest: Any) -> dict[str, Any]:
    from deployments.models.errors import ModelPackageError

    row: dict[str, Any] = {"model_id": model_id, "source": None if manifest is None else manifest.source}
    if isinstance(package, ModelPackageError):
        return row | {"problem": package.message}
    return row | {
        "aliases": list(package.aliases),
        "task": str(package.task_type),
        "architecture": package.architecture,
        "size_bytes": 0 if manifest is None else manifest.size_bytes,
    }


def _details(model_id: str) -> dict[str, Any]:
    package = known_package(model_id)
    manifest = package_store().packages().get(package.model_id, (None, None))[1]
    recommended = package.recommended
    return _row(package.model_id, package, manifest) | {
        "directory": str(package.directory),
        "weights": package.weights_path.name,
        "sha256": package.sha256,
        "classes": list(package.class_names),
        "input_hw": package.preprocessing.input_hw,
        "default_confidence": package.default_confidence,
        "best_confidence": recommended.confidence,
        "best_confidence_by_class": dict(recommended.per_class_confidence) or None,
    }


def _megabytes(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:.1f} MB"
