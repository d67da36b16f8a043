"""`sightline workflows`: saved workflows and their versions, in the database of the server of this machine."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deployments.cli.keys import AsJson, Port, clear_errors, opened
from deployments.dataplane.saved_workflows import LOCAL_WORKSPACE, parse_definition
from deployments.errors import InvalidRequestError
from workflows.errors import WorkflowError

if TYPE_CHECKING:
    from deployments.storage.workflows import WorkflowVersion

app = typer.Typer(
    no_args_is_help=True,
    help="Save, list, show and delete workflows: POST /<workspace>/workflows/<name> runs them. Exit status: 0 done, "
    "1 refused, 2 wrong command, 3 no such workflow, 7 no database.",
)

Name = Annotated[str, typer.Argument(help="Name of the workflow.")]
Workspace = Annotated[str, typer.Option(help="Whose it is; `local` is for the keys of all workspaces.")]
Url = Annotated[
    str | None,
    typer.Option("--database", help="Where workflows are kept; as given to `sightline serve --database`."),
]


@app.command()
def save(
    files: Annotated[list[Path], typer.Argument(help="JSON of a definition; the file's name is the workflow's.")],
    workspace: Workspace = LOCAL_WORKSPACE,
    name: Annotated[str | None, typer.Option(help="Another name, for one file.")] = None,
    port: Port = 9001,
    database: Url = None,
    as_json: AsJson = False,
) -> None:
    """Save files as the newest versions of workflows: all of them or, when one is wrong, none."""
    with clear_errors():
        if name is not None and len(files) != 1:
            raise InvalidRequestError("--name is for one file")
        documents = {name or path.stem: _checked(path) for path in files}
        if len(documents) != len(files):
            raise InvalidRequestError("two files have the same name; a workflow is called after its file")
        with opened(database, port) as kept, kept.writing() as session:
            from deployments.storage.workflows import save_workflow

            now_unix_s = time.time()
            saved = [
                save_workflow(session, workspace, workflow, document, now_unix_s=now_unix_s)
                for workflow, document in documents.items()
            ]
    _show_rows(saved, as_json)


@app.command(name="list")
def list_all(
    workspace: Annotated[str | None, typer.Option(help="Whose; everybody's when not given.")] = None,
    name: Annotated[str | None, typer.Option(help="Versions of one workflow.")] = None,
    port: Port = 9001,
    database: Url = None,
    as_json: AsJson = False,
) -> None:
    """List all versions of saved workflows."""
    with clear_errors(), opened(database, port) as kept, kept.reading() as session:
        from deployments.storage.workflows import list_workflows

        found = list_workflows(session, workspace, name)
    _show_rows(found, as_json)


@app.command()
def show(
    name: Name,
    workspace: Workspace = LOCAL_WORKSPACE,
    version: Annotated[str | None, typer.Option(help="Its number or id; the newest one when not given.")] = None,
    port: Port = 9001,
    database: Url = None,
) -> None:
    """Print the JSON of a saved workflow."""
    with clear_errors(), opened(database, port) as kept, kept.reading() as session:
        from deployments.storage.errors import NotStoredError
        from deployments.storage.workflows import find_workflow

        found = find_workflow(session, workspace, name, version)
        if found is None:
            raise NotStoredError(f"there is no workflow {f'{workspace}/{name}'[:200]!r}, or no such version of it")
    typer.echo(found.document)


@app.command()
def delete(
    name: Name,
    workspace: Workspace = LOCAL_WORKSPACE,
    port: Port = 9001,
    database: Url = None,
) -> None:
    """Delete a saved workflow with all of its versions."""
    with clear_errors(), opened(database, port) as kept, kept.writing() as session:
        from deployments.storage.workflows import delete_workflow

        count = delete_workflow(session, workspace, name, now_unix_s=time.time())
    typer.echo(f"deleted {workspace}/{name}, {count} version{'s' if count > 1 else ''}", err=True)


def _checked(path: Path) -> str:
    """JSON of the definition in a file.

    Raises:
        InvalidRequestError: there is no such file, or what is in it could never run.
    """
    from workflows.compiler.compile import compile_definition  # every block: only for those who save

    try:
        document = parse_definition(path.read_bytes(), path.stem)
        compile_definition(document)
    except OSError as error:
        raise InvalidRequestError(f"cannot read {path}: {error.strerror}") from error
    except WorkflowError as error:
        raise InvalidRequestError(f"{path}: {error.message}") from error
    return json.dumps(document)


def _show_rows(found: list[WorkflowVersion], as_json: bool) -> None:
    rows = [_row(each) for each in found]
    if as_json:
        typer.echo(json.dumps({"workflows": rows}))
        return
    for row in rows:
        typer.echo("  ".join(str(row[name]) for name in ("workflow", "version", "created", "version_id")))


def _row(saved: WorkflowVersion) -> dict[str, Any]:
    return {
        "workflow": f"{saved.workspace}/{saved.workflow}",
        "version": saved.version,
        "version_id": saved.version_id,
        "created": datetime.fromtimestamp(saved.created_unix_s, UTC).isoformat(timespec="seconds"),
    }
