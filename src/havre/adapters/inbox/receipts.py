"""Receipts in a directory, one file a delivery: `ports.inbox.Receipts`."""

from __future__ import annotations

from pathlib import Path

from havre.adapters.inbox.whole import failures_named, write_whole
from havre.errors import NotFound
from havre.values import parse_name

_MAX_RECEIPT_BYTES = 16 * 1024 * 1024


class ReceiptFolder:
    """The hub's, for holders to fetch; or what a holder has fetched."""

    def __init__(self, folder: Path, *, mode: int = 0o600) -> None:
        """Use `folder`, which is made when it is not there.

        mode: of the files, which have exact counts.
        """
        self._folder = folder
        self._mode = mode

    def put(self, delivery: str, receipt: bytes) -> None:
        """Write beside, flushed, then give it its name."""
        with failures_named("The directory for receipts"):
            write_whole(self._path(delivery), [receipt], mode=self._mode)

    def list_deliveries(self) -> list[str]:
        """List what has its name."""
        return sorted(path.stem for path in self._folder.glob("*.json"))

    def receipt(self, delivery: str) -> bytes:
        """Read a receipt."""
        try:
            with self._path(delivery).open("rb") as file:
                return file.read(_MAX_RECEIPT_BYTES)
        except FileNotFoundError:
            raise NotFound(
                f"There is no receipt for delivery {delivery} yet.",
                hint="The hub leaves it when it has taken the delivery in.",
            ) from None

    def _path(self, delivery: str) -> Path:
        return self._folder / f"{parse_name(delivery)}.json"
