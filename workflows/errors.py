"""What can go wrong with a workflow, from its text to its last step.

WorkflowError
├── ImageDecodeError                       bytes that are no readable picture
├── DefinitionError                        the document cannot become a plan
│   ├── WorkflowDefinitionError            a part of the document makes no sense (version text, interface)
│   ├── NotSupportedExecutionEngineError   the requested engine version is not served
│   ├── WorkflowSyntaxError                the document does not match the manifests
│   ├── DuplicatedNameError                two inputs, steps or outputs share a name
│   ├── WorkflowEnvironmentConfigurationError   a feature that this server does not run
│   └── GraphError                         the steps cannot be connected the way the document says
│       ├── InvalidReferenceTargetError    a selector points to nothing
│       ├── ReferenceTypeError             a selector points to a value of the wrong kind
│       ├── ExecutionGraphStructureError   a cycle, or a step property that does not exist
│       ├── StepInputDimensionalityError   values of different depth meet in one step
│       ├── StepInputLineageError          values of equal depth but different origin meet in one step
│       ├── StepOutputLineageError         a step would lower the depth below the request's batch
│       ├── ControlFlowDefinitionError     branches that cannot be joined
│       └── AssumptionError                an output selects a whole step
├── RuntimeInputError                      the values sent with the request do not fit the document
├── QueryError                             the query language could not be evaluated
│   ├── InvalidInputTypeError              an operation got a value of the wrong type
│   ├── UndeclaredSymbolError              an operand name that nobody declared
│   ├── OperationError                     an operation failed on a value of the right type
│   └── EvaluationEngineError              a chain or condition that cannot be built or compared
└── StepError                              a step failed while it ran
    ├── StepExecutionError                 the block raised
    ├── ClientCausedStepExecutionError     a model call failed for a reason the client can mend
    ├── RuntimeLimitsCausedStepExecutionError   a step would exceed a limit of the server
    └── DeadlineExceededError              the request ran out of time

The class name is the `error_type` of the HTTP answer. Statuses live in `deployments/ingress/errors.py`.
Arguments are positional and travel in `args`: an exception is rebuilt from them in another process.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockProblem:
    """One place of the document that is wrong.

    Attributes:
        step: name of the step, or `$outputs` for an output of the workflow; None when no step is to blame.
        block_type: the `type` that the document gave the step.
        property_name: the field, under the name the document used; for outputs the output's name.
        details: what is wrong there and what would be right.
        traceback: where the block's code failed, for failures while running.
    """

    step: str | None
    block_type: str | None = None
    property_name: str | None = None
    details: str | None = None
    traceback: str | None = None


class WorkflowError(Exception):
    """Base of everything raised by `workflows`.

    Attributes:
        message: what is wrong, where, and what would be right; safe to show to the client.
        context: the phase, such as `workflow_compilation | workflow_definition_parsing`.
        problems: the places that are wrong; None where the kind of error names none.
        inner_type: class name of the cause, when another error lies beneath.
        inner_message: text of the cause.
    """

    context = "workflow_execution"

    def __init__(
        self,
        message: str,
        problems: Sequence[BlockProblem] | None = None,
        inner_type: str | None = None,
        inner_message: str | None = None,
    ) -> None:
        super().__init__(message, problems, inner_type, inner_message)
        self.message = message
        self.problems = None if problems is None else tuple(problems)
        self.inner_type = inner_type
        self.inner_message = inner_message

    def __str__(self) -> str:
        return self.message


class ImageDecodeError(WorkflowError):
    """The bytes are not a picture we can read, or the picture is larger than allowed."""


class DefinitionError(WorkflowError):
    """The document cannot become a plan."""

    context = "workflow_compilation | workflow_definition_parsing"


class WorkflowDefinitionError(DefinitionError):
    """A part of the document makes no sense, such as a version that is no version."""

    context = "workflow_compilation | engine_initialisation"


class NotSupportedExecutionEngineError(DefinitionError):
    """The requested execution engine version is not served."""

    context = "workflow_compilation | engine_initialisation"


class WorkflowSyntaxError(DefinitionError):
    """The document, or a step in it, does not match its schema."""


class DuplicatedNameError(DefinitionError):
    """Two inputs, two steps or two outputs share one name."""

    context = "workflow_compilation | specification_validation"


class GraphError(DefinitionError):
    """The steps cannot be connected the way the document says."""

    context = "workflow_compilation | execution_graph_construction"


class InvalidReferenceTargetError(GraphError):
    """A selector points to an input, step or output property that does not exist."""


class ReferenceTypeError(GraphError):
    """A selector points to a value whose kinds the property does not take."""


class ExecutionGraphStructureError(GraphError):
    """The steps form a cycle, or a step selects a property that another step does not have."""


class StepInputDimensionalityError(GraphError):
    """Values of different depth meet in one step."""


class StepInputLineageError(GraphError):
    """Values of equal depth that come from different batches meet in one step."""


class StepOutputLineageError(GraphError):
    """A step would remove the dimension of the request's own batch."""


class ControlFlowDefinitionError(GraphError):
    """Flow control that no run could follow."""


class AssumptionError(GraphError):
    """An output selects a whole step instead of one of its properties."""


class WorkflowEnvironmentConfigurationError(DefinitionError):
    """The document uses a feature that this server does not run."""


class RuntimeInputError(WorkflowError):
    """The values sent with the request do not fit the inputs that the document declares."""

    context = "workflow_execution | runtime_input_validation"


class QueryError(WorkflowError):
    """A chain of operations or a condition could not be evaluated."""

    context = "step_execution | roboflow_query_language_evaluation"


class InvalidInputTypeError(QueryError):
    """An operation got a value of a type it does not work on."""


class UndeclaredSymbolError(QueryError):
    """A condition names an operand that nobody declared."""


class OperationError(QueryError):
    """An operation failed on a value of the right type."""


class EvaluationEngineError(QueryError):
    """A condition could not be evaluated on the values it was given."""


class StepError(WorkflowError):
    """A step failed while it ran."""

    context = "workflow_execution | step_execution"


class StepExecutionError(StepError):
    """The block raised."""


class ClientCausedStepExecutionError(StepError):
    """A model call failed for a reason that the client can mend: unknown model, bad key.

    Attributes:
        status: the HTTP status of the cause.
    """

    def __init__(
        self,
        message: str,
        problems: Sequence[BlockProblem] | None = None,
        inner_type: str | None = None,
        inner_message: str | None = None,
        status: int = 400,
    ) -> None:
        super().__init__(message, problems, inner_type, inner_message)
        self.args = (message, problems, inner_type, inner_message, status)
        self.status = status


class RuntimeLimitsCausedStepExecutionError(StepError):
    """A step would exceed a limit of the server, such as the number of crops."""


class DeadlineExceededError(StepError):
    """The request's time was over before its work was done."""

    @classmethod
    def since(cls, deadline_unix_s: float) -> DeadlineExceededError:
        """The error of a request whose time has been over since then."""
        late_s = time.time() - deadline_unix_s
        return cls(
            f"the request's time was over {max(late_s, 0.0):.1f} s ago, before its work was done; send less at once or "
            "allow more time"
        )
