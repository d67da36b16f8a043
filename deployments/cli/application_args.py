"""What `sightline serve` says about the application, checked before anything is started."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer

from deployments.errors import ServingError
from deployments.settings import ClusterArgs, data_directory


def application_args(
    models: Sequence[str],
    workflows: Path | None,
    text_reader: str | None = None,
    *,
    emulated_accelerators: bool = False,
) -> dict[str, Any]:
    """Arguments of the application, to be laid over those of the configuration.

    Args:
        models: folders of model packages, and URLs of them.
        workflows: folder of saved workflows.
        text_reader: model that reads for blocks which name none; None for the one of the configuration.
        emulated_accelerators: whether models that only pretend to compute are served.

    Raises:
        ServingError: a folder is not there, or holds nothing that can be served, or what may not be served, or there is
            no such text reader.
    """
    added = data_directory() / "models"
    if added.is_dir():
        _warn_of_broken_added_models(added)
    args: dict[str, Any] = {"added_models_dir": str(added)}
    if emulated_accelerators:
        typer.echo(
            "EMULATED ACCELERATORS ARE ON: models that say so compute nothing, and their answers are made up", err=True
        )
        args["emulated_accelerators"] = True
    if models:
        args["models_dir"] = [
            entry if "://" in entry else _checked_folder(Path(entry), emulated_accelerators) for entry in models
        ]
    if workflows is not None:
        if not workflows.is_dir():
            raise ServingError(f"there is no directory {workflows}; name one that holds workflow definitions")
        args["ingress"] = {"workflows_dir": str(workflows.resolve())}
    if text_reader is not None:
        from deployments.dataplane.served_models import served_models

        args["text_reader_model"] = text_reader
        served_models(ClusterArgs.model_validate(args))  # says what is wrong with it before anything starts
    return args


def _checked_folder(models: Path, emulated_accelerators: bool) -> str:
    # numpy and more: only for those who need it
    from deployments.models.package_survey import SHIPPED_DIRECTORY, listed, survey_packages

    survey = survey_packages(models)
    if survey.problems:
        broken = f"{models} holds model packages that cannot be served; mend or remove:\n{listed(survey.problems)}"
        replaces_shipped = survey.refused.keys() & survey_packages(SHIPPED_DIRECTORY).packages.keys()
        if not survey.packages or replaces_shipped:
            raise ServingError(broken)
        typer.echo(f"{broken}\nThe others are served; who asks for these is told why not.", err=True)
    emulated = [model_id for model_id, package in survey.packages.items() if package.emulated is not None]
    if emulated and not emulated_accelerators:
        raise ServingError(
            f"{models} holds emulated accelerators, which compute nothing and make their answers up: "
            f"{', '.join(sorted(emulated))}; for measurements start the server with --emulated-accelerators"
        )
    if survey.left_out:
        typer.echo(f"served without these, which are for other runtimes:\n{listed(survey.left_out)}", err=True)
    return str(models.resolve())


def _warn_of_broken_added_models(added: Path) -> None:
    from deployments.models.package_survey import listed, survey_packages

    problems = survey_packages(added).problems
    if problems:
        typer.echo(f"these added models are broken; add them again, or remove them:\n{listed(problems)}", err=True)
