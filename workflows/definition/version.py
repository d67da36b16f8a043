"""Which execution engine a document asks for, and whether it is this one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from packaging.version import Version

from workflows.errors import NotSupportedExecutionEngineError, WorkflowDefinitionError, WorkflowSyntaxError
from workflows.values.wording import shown

ENGINE_VERSION = "1.17.0"
"""The engine version that this server advertises."""

_SERVED_MAJOR = Version(ENGINE_VERSION).major


def check_version(document: Mapping[str, Any]) -> Version:
    """The version a document requests; every release of the served major version is accepted.

    Raises:
        WorkflowSyntaxError: the document names no version.
        WorkflowDefinitionError: the version is no version.
        NotSupportedExecutionEngineError: the version is of another major release.
    """
    if document.get("version") is None:
        raise WorkflowSyntaxError('the definition has no "version"; add "version": "1.0"', [])
    requested = document["version"]
    if not isinstance(requested, str):
        raise WorkflowDefinitionError(f'"version" must be a text such as "1.0", got {shown(requested)}')
    try:
        version = Version(requested or ENGINE_VERSION)  # clients leave it empty who do not mind
    except ValueError:  # no version, or one with thousands of digits
        raise WorkflowDefinitionError(f'"version" is {shown(requested)}, which is no version; write "1.0"') from None
    if version.major != _SERVED_MAJOR:
        raise NotSupportedExecutionEngineError(
            f"the definition requests execution engine {shown(requested)}; served here is {ENGINE_VERSION}, "
            f'which accepts every {_SERVED_MAJOR}.x; write "1.0"'
        )
    return version
