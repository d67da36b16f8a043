"""How much one answer may still hold."""

from __future__ import annotations

from workflows.errors import RuntimeLimitsCausedStepExecutionError


class Room:
    """Counts characters of an answer while it is written, so that a small request cannot ask for a huge answer.

    Args:
        characters: of the whole answer; about so many bytes of memory are taken twice.
    """

    def __init__(self, characters: int) -> None:
        self._characters = characters
        self.left = characters

    def take(self, characters: int) -> None:
        """Use some of it.

        Raises:
            RuntimeLimitsCausedStepExecutionError: there is not that much left.
        """
        self.left -= characters
        if self.left < 0:
            raise RuntimeLimitsCausedStepExecutionError(
                f"the answer would have more than the {self._characters} characters allowed; send fewer images at "
                "once, or leave outputs out with excluded_fields"
            )
