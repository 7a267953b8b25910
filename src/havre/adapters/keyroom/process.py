"""Key rooms as child processes that live as long as one ceremony or one opening."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from havre.errors import HavreError, InvalidInput, NotGenuine, Refused, Unavailable
from havre.ports.custody import SealedShares
from havre.ports.keyroom import (
    Ceremony,
    GivenShare,
    PartitionToMake,
    PartitionToReshare,
    Recipient,
)

# Isolated (-I): no module comes from the directory in which somebody stands, from
# PYTHONPATH or from a user's own site. Any of them would run where seeds are whole.
_COMMAND = (sys.executable, "-I", "-m", "havre.adapters.keyroom.child")
_REFUSALS: dict[str, type[HavreError]] = {
    kind.__name__: kind for kind in (InvalidInput, NotGenuine, Refused)
}


class ProcessRoom:
    """One child process, spoken to line by line."""

    def __init__(self, child: subprocess.Popen[bytes]) -> None:
        self._child = child
        self.one_time_key = base64.b64decode(self._ask(act="one_time_key"))

    def make(self, **asked: Any) -> Any:
        """Hold a ceremony."""
        return self._ask(act="make", **asked)

    def check(self, shares: Sequence[GivenShare]) -> None:
        """Open shares in the room, and combine nothing."""
        self._ask(act="check", shares=_spelled(shares))

    def load(self, partition_id: str, *, public_sha256: str, shares: Sequence[GivenShare]) -> None:
        """Combine shares in the room."""
        self._ask(act="load", id=partition_id, public_sha256=public_sha256, shares=_spelled(shares))

    def reshare(
        self,
        partitions: Sequence[PartitionToReshare],
        *,
        recipients: Sequence[Recipient],
        threshold: int,
        origin: str,
        ceremony: str,
    ) -> Ceremony:
        """Give partitions new shares, in the room."""
        made = self._ask(
            act="reshare",
            partitions=[
                {
                    "id": each.partition_id,
                    "public_sha256": each.public_sha256,
                    "shares": _spelled(each.shares),
                }
                for each in partitions
            ],
            recipients=_recipients(recipients),
            threshold=threshold,
            origin=origin,
            ceremony=ceremony,
        )
        return _ceremony({}, made)

    def unwrap(self, partition_id: str, sealed: bytes, info: bytes) -> bytes:
        """Open one sealed key in the room."""
        reply = self._ask(
            act="unwrap",
            id=partition_id,
            sealed=base64.b64encode(sealed).decode(),
            info=base64.b64encode(info).decode(),
        )
        return base64.b64decode(reply)

    def secret(self, partition_id: str) -> bytes:
        """Give a secret partition's bytes."""
        return base64.b64decode(self._ask(act="secret", id=partition_id))

    def _ask(self, **line: Any) -> Any:
        if self._child.stdin is None or self._child.stdout is None:
            raise Unavailable("The key room has no pipes.")
        try:
            self._child.stdin.write(json.dumps(line).encode() + b"\n")
            self._child.stdin.flush()
            reply = json.loads(self._child.stdout.readline())
        except (OSError, ValueError):
            raise Unavailable("The key room died.", hint="Run the command again.") from None
        if "ok" in reply:
            return reply["ok"]
        raise _REFUSALS.get(reply["refused"], NotGenuine)(reply["message"])


def _spelled(shares: Sequence[GivenShare]) -> list[dict[str, str]]:
    return [
        {
            "custodian": share.custodian,
            "sealed": base64.b64encode(share.sealed).decode(),
            "commitment": share.commitment,
            "context": base64.b64encode(share.context).decode(),
            "text": share.text,
        }
        for share in shares
    ]


class ProcessKeyRoom:
    """Starts a child for each ceremony and each opening, and sees it end."""

    @contextmanager
    def open(self) -> Iterator[ProcessRoom]:
        """Start a room; the end of the context is the end of the process."""
        with subprocess.Popen(
            _COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # A trace may quote a line that the room was given.
            stderr=subprocess.DEVNULL,
            close_fds=True,
            cwd="/",
            # Nothing that a loader or a library would obey, such as LD_PRELOAD.
            env={},
        ) as child:
            try:
                yield ProcessRoom(child)
            finally:
                if child.stdin is not None:
                    child.stdin.close()
                child.wait(timeout=10)

    def make(
        self,
        partitions: Sequence[PartitionToMake],
        *,
        recipients: Sequence[Recipient],
        threshold: int,
        origin: str,
        ceremony: str,
    ) -> Ceremony:
        """Hold a ceremony in a room of its own."""
        with self.open() as room:
            made = room.make(
                partitions=[{"id": each.partition_id, "text": each.text} for each in partitions],
                recipients=_recipients(recipients),
                threshold=threshold,
                origin=origin,
                ceremony=ceremony,
            )
        public_keys = {key: base64.b64decode(each) for key, each in made["public_keys"].items()}
        return _ceremony(public_keys, made)


def _recipients(recipients: Sequence[Recipient]) -> list[dict[str, str]]:
    return [
        {
            "custodian": each.custodian,
            "one_time_key": base64.b64encode(each.one_time_key).decode(),
        }
        for each in recipients
    ]


def _ceremony(public_keys: dict[str, bytes], made: Any) -> Ceremony:
    sealed = [SealedShares(name, base64.b64decode(each)) for name, each in made["sealed"].items()]
    return Ceremony(public_keys, made["commitments"], sealed)
