"""What a custodian has given: an answer is stored, then counted, then given.

The counter is a file of lines, an answer's request and its receipt's SHA-256;
each receipt names the one before. A process that dies in between leaves at most
one answer that is stored and not counted: the next one counts it first, so no
answer stands beside the chain and none is given twice in two ways.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path

from havre.adapters.custody.files import append_durably, read_whole_lines, write_durably
from havre.adapters.custody.wire import encode_answer, parse_answer
from havre.domain.receipt import Receipt, open_receipt, sign_receipt
from havre.domain.statements import envelope_digest
from havre.domain.trust import TrustRoots
from havre.errors import InvalidInput, NotGenuine
from havre.ports.custody import ShareAnswer
from havre.ports.tokens import Token
from havre.values import parse_digest


class AnswerBook:
    """One custodian's answers, in a folder. Its caller keeps other processes out."""

    def __init__(self, folder: Path, *, token: Token, roots: TrustRoots) -> None:
        self._answers = folder / "answers"
        self._counter = folder / "counter"
        self._token = token
        self._roots = roots

    def finish(self) -> frozenset[str]:
        """Cut off a torn line, and count the answer that a crash left uncounted.

        Returns the SHA-256 of every receipt that is counted.

        Raises:
            NotGenuine: the counter cannot be read, or was set back: answers are
                stored that do not follow on it.
        """
        counted = self._counted()
        paths = self._answers.glob("*.json") if self._answers.exists() else ()
        left = [path for path in paths if int(path.stem) not in counted]
        opened = [(self._receipt(path), path) for path in left]
        for receipt, path in sorted(opened, key=lambda pair: pair[0].answers_before):
            last = list(counted.values())[-1] if counted else ""
            if (receipt.answers_before, receipt.previous) != (len(counted), last):
                raise self._set_back("answers are stored that do not follow on it")
            counted[receipt.request] = self._count(receipt.request, self._read(path).receipt)
        return frozenset(counted.values())

    def find(self, index: int) -> ShareAnswer | None:
        """Find the answer to a request, or null when none was given; `finish` comes first.

        Raises:
            NotGenuine: it was counted, and is not here any more.
        """
        path = self._answers / f"{index}.json"
        if path.exists():
            return self._read(path)
        if index in self._counted():
            raise self._set_back("an answer that it counts is not here")
        return None

    def add(self, index: int, shares: Mapping[str, bytes]) -> ShareAnswer:
        """Sign, store and count an answer; only then may it be given."""
        counted = self._counted()
        receipt = Receipt(
            self._token.name,
            index,
            tuple(sorted(shares)),
            len(counted),
            list(counted.values())[-1] if counted else "",
        )
        envelope = sign_receipt(receipt, origin=self._roots.origin, signer=self._token)
        answer = ShareAnswer(shares, envelope)
        write_durably(self._answers / f"{index}.json", encode_answer(answer))
        self._count(index, envelope)
        return answer

    def forget(self, partitions: AbstractSet[str]) -> None:
        """Remove the shares of erased partitions from every answer; receipts stay as they are.

        They lie there sealed to keys that ended with their key rooms. A certificate says
        that no copy is left, so none is.
        """
        for path in sorted(self._answers.glob("*.json")):
            answer = self._read(path)
            shares = {name: each for name, each in answer.shares.items() if name not in partitions}
            if shares != answer.shares:
                write_durably(path, encode_answer(ShareAnswer(shares, answer.receipt)))

    def receipts(self, first: int, most: int) -> list[bytes]:
        """List signed receipts in the order of the answers; `finish` comes first.

        first: number of the first one, from 0. most: how many at most.

        Raises:
            NotGenuine: an answer that is counted is not here any more, or is altered.
        """
        counted = list(self._counted().items())[first : first + most]
        found = []
        for index, digest in counted:
            receipt = self._read(self._answers / f"{index}.json").receipt
            if envelope_digest(receipt) != digest:
                raise self._set_back("an answer is another one than it counted")
            found.append(receipt)
        return found

    def receipt_of(self, request: int) -> str:
        """Give the SHA-256 of the receipt for a request, or nothing when none was answered."""
        return self._counted().get(request, "")

    def last(self) -> tuple[int, str]:
        """Tell how many answers are counted, and the SHA-256 of the last receipt, or nothing."""
        counted = self._counted()
        return len(counted), list(counted.values())[-1] if counted else ""

    def _count(self, index: int, receipt: bytes) -> str:
        digest = envelope_digest(receipt)
        append_durably(self._counter, f"{index} {digest}\n".encode())
        return digest

    def _counted(self) -> dict[int, str]:
        """Read the counter: request to receipt's SHA-256, in the order of the answers."""
        lines = read_whole_lines(self._counter)
        try:
            pairs = [line.split(" ") for line in lines]
            counted = {int(index): str(parse_digest(digest)) for index, digest in pairs}
        except (ValueError, InvalidInput):
            raise self._set_back("it cannot be read") from None
        if len(counted) != len(lines):
            raise self._set_back("it counts one request twice")
        return counted

    def _receipt(self, path: Path) -> Receipt:
        receipt = open_receipt(
            self._read(path).receipt, roots=self._roots, custodian=self._token.name
        )
        if path.name != f"{receipt.request}.json":
            raise self._set_back("an answer stands under another request's name")
        return receipt

    def _read(self, path: Path) -> ShareAnswer:
        try:
            return parse_answer(path.read_bytes())
        except (InvalidInput, OSError):
            raise self._set_back("an answer that it counts cannot be read") from None

    def _set_back(self, what: str) -> NotGenuine:
        return NotGenuine(
            f"The counter of custodian {self._token.name} was set back or altered: {what}.",
            hint="Keep its directory as it is, and tell the auditor.",
        )
