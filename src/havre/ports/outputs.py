"""Where released files go: a folder for each release, whole or not there.

Promised: a release appears with all its files or not at all.
What may be repeated: everything; the same files written again change nothing.
What may block: as long as the disk takes.
Final errors: `Unavailable`, `Refused`.
Who may call it: `application.release`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class ReleaseShelf(Protocol):
    """The public place of released files."""

    def put(self, request: str, files: Mapping[str, bytes]) -> str:
        """Publish a release's files; returns where they are.

        Raises:
            Refused: other files stand under this name.
        """
