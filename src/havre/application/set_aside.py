"""Rows that broke a rule, on their way into objects of bounded size: as they were delivered."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence

from havre.application.vault.inventory import Written
from havre.application.vault.sealing import VaultWriter, WritePlace
from havre.formats.canonical import Json, encode_canonical
from havre.formats.manifest import ObjectKind
from havre.ports.sources import SetAsideRow

# Rows set aside are sealed in objects of about this size, so that they need not be held.
ASIDE_OBJECT_BYTES = 32 * 1024 * 1024


class AsideWriter:
    """Seals rows that broke a rule to a partition of their own.

    In one object, or in several when there are many: they are not held.
    """

    def __init__(self, vault: VaultWriter, *, place: WritePlace) -> None:
        self._vault = vault
        self._place = place
        self._lines: list[bytes] = []
        self._size_bytes = 0
        self.sealed: list[tuple[Written, int]] = []

    def add(self, rows: Sequence[SetAsideRow]) -> None:
        """Take rows; seal what waits when it is much."""
        for row in rows:
            line = aside_line(row)
            self._lines.append(line)
            self._size_bytes += len(line)
        if self._size_bytes > ASIDE_OBJECT_BYTES:
            self.close()

    def close(self) -> None:
        """Seal what waits."""
        if self._lines:
            lines, self._lines, self._size_bytes = self._lines, [], 0
            stored = self._vault.seal_bytes(lines, kind=ObjectKind.QUARANTINE, place=self._place)
            self.sealed.append((stored, len(lines)))

    def described(self) -> Iterator[Json]:
        """Say where they are, for the check report."""
        for stored, rows in self.sealed:
            yield {
                "object_id": str(stored.object_id),
                "partition": self._place.partition_id,
                "rows": rows,
                "sha256": str(stored.sha256),
            }


def aside_line(row: SetAsideRow) -> bytes:
    """Spell a row that was set aside as it is sealed: one line of JSON, as it came in base64."""
    line = encode_canonical(
        {
            "content": base64.b64encode(row.content).decode(),
            "delivery": row.delivery,
            "line": row.line,
            "path": row.path,
            "reason": row.reason,
        }
    )
    return line + b"\n"
