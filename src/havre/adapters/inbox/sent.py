"""A holder's memory of what it has sent, one file a delivery: `ports.inbox.SentDeliveries`."""

from __future__ import annotations

import base64
import json
from pathlib import Path

from havre.adapters.inbox.whole import failures_named, write_whole
from havre.errors import InvalidInput
from havre.ports.inbox import SentDelivery
from havre.values import parse_digest, parse_name


class SentFolder:
    """Remembers in a directory of the holder's own."""

    def __init__(self, folder: Path) -> None:
        """Use `folder`, which is made when it is not there."""
        self._folder = folder

    def keep(self, delivery: str, sent: SentDelivery) -> None:
        """Write beside, flushed, then give it its name."""
        body = {"content": sent.content, "envelope": base64.b64encode(sent.envelope).decode()}
        with failures_named():
            write_whole(self._path(delivery), [json.dumps(body).encode("ascii")])

    def names(self) -> list[str]:
        """List the files."""
        return sorted(path.stem for path in self._folder.glob("*.json"))

    def find(self, delivery: str) -> SentDelivery | None:
        """Read what was kept."""
        try:
            body = json.loads(self._path(delivery).read_bytes())
            return SentDelivery(
                parse_digest(body["content"]), base64.b64decode(body["envelope"], validate=True)
            )
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError):
            raise InvalidInput(
                f"What was kept of delivery {delivery} cannot be read.",
                hint="Give the delivery another name, or restore the holder's directory.",
            ) from None

    def _path(self, delivery: str) -> Path:
        return self._folder / f"{parse_name(delivery)}.json"
