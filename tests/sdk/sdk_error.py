"""What the vendor's client raised, as seen from outside its process."""

from __future__ import annotations

from typing import Any


class SdkError(Exception):
    """An error of the vendor's client.

    Attributes:
        type: its class.
        status: HTTP status; None when the client failed before it had an answer.
        api_message: what the client tells its user the server said.
    """

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(error["text"])
        self.type, self.status, self.api_message = error["type"], error["status"], error["api_message"]
