"""What this installation calls itself."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version


def server_version() -> str:
    """Version of the installed distribution; `0` for a checkout that is not installed."""
    try:
        return version("sightline")
    except PackageNotFoundError:
        return "0"
