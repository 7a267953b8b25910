"""A custodian in a directory of its own, with the checks it would make on its own machine.

Its shares lie under an epoch key, which lies sealed to its token: destroying
the epoch key destroys every share under it. It follows the log itself and
keeps a copy; it stores an answer before it gives it; it counts its answers in
a chain that it publishes.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from havre.adapters.custody.files import append_durably, write_durably
from havre.crypto.random import random_bytes
from havre.crypto.sealing import FileKey, PartitionKey, open_stream, seal_key, seal_stream
from havre.domain.custody import CustodianView, ReleaseRefused, ShareRequest, check_release
from havre.domain.events import Event, KeysReleased
from havre.domain.following import Followed, follow_entries
from havre.domain.statements import Statement, envelope_digest, open_statement, sign_statement
from havre.domain.transparency import check_fresh, check_head
from havre.domain.trust import Role, TrustRoots
from havre.errors import InvalidInput, NotGenuine, Refused, Unavailable
from havre.formats.canonical import encode_canonical, parse_canonical
from havre.formats.notes import parse_checkpoint, parse_note
from havre.ports.clock import Clock
from havre.ports.custody import SealedShares, ShareAnswer, ceremony_context, share_context
from havre.ports.log import LogMirror, LogReader
from havre.ports.tokens import Token
from havre.values import parse_name, parse_object_id, parse_partition

PREDICATE_RECEIPT = "havre/v1/share-receipt"
PREDICATE_DECISION = "havre/v1/permit-decision"
_EPOCH_CONTEXT = b"havre/v1/custodian-epoch"


class LocalCustodian:
    """One custodian.

    log: where it fetches the log by itself.
    mirror, copy: its own copy of every entry, to extend and to read.
    """

    def __init__(
        self,
        folder: Path,
        *,
        token: Token,
        roots: TrustRoots,
        log: LogReader,
        mirror: LogMirror,
        copy: LogReader,
        clock: Clock,
    ) -> None:
        self._folder = folder
        self._token = token
        self._roots = roots
        self._log = log
        self._mirror = mirror
        self._copy = copy
        self._clock = clock
        self._followed = Followed()
        self._events: list[Event] = []

    @property
    def name(self) -> str:
        """Its short name, as in the trust roots."""
        return self._token.name

    def begin_ceremony(self, ceremony: str) -> bytes:
        """Make a one-time key pair for a ceremony; its private half is sealed to the token."""
        path = self._ceremony_path(ceremony)
        if path.exists():
            raise Refused(f"Custodian {self.name} has begun this ceremony already.")
        seed = random_bytes(32)
        write_durably(path, seal_key(seed, to=self._token.seal_public, info=ceremony.encode()))
        return PartitionKey.from_seed(seed).public

    def accept(self, ceremony: str, shares: SealedShares) -> Sequence[str]:
        """Store a ceremony's shares under the epoch key, and destroy the one-time key."""
        path = self._ceremony_path(ceremony)
        try:
            locked = path.read_bytes()
        except FileNotFoundError:
            raise Refused(f"Custodian {self.name} knows no such ceremony, or it is over.") from None
        key = PartitionKey.from_seed(self._token.open_key(locked, info=ceremony.encode()))
        context = ceremony_context(
            origin=self._roots.origin, ceremony=ceremony, custodian=self.name
        )
        bundle = parse_canonical(key.open_key(shares.sealed, info=context))
        if not isinstance(bundle, list):
            raise InvalidInput("A ceremony's shares are not a list.")
        kept = [self._keep(share) for share in bundle]
        path.unlink()
        return kept

    def release(self, request: ShareRequest) -> ShareAnswer:
        """Answer a logged request: the stored answer, or a new one after every check."""
        stored = self._folder / "answers" / f"{request.index}.json"
        self._catch_up()
        self._finish_counter()
        if stored.exists():
            return _read_answer(stored.read_bytes())
        entry = check_release(request, self._view())
        shares = {
            partition: seal_key(
                encode_canonical(self._share(partition)),
                to=request.one_time_key,
                info=share_context(
                    origin=self._roots.origin,
                    index=request.index,
                    partition=partition,
                    custodian=self.name,
                ),
            )
            for partition in entry.partitions
        }
        receipt = self._receipt(request.index, sorted(shares))
        answer = ShareAnswer(shares, receipt)
        append_durably(self._counter_path, f"{request.index} {envelope_digest(receipt)}\n".encode())
        write_durably(stored, _encode_answer(answer))
        return answer

    def revoke(self, envelope: bytes) -> str:
        """Obey an authority that withdraws a permit directly, whatever the log says.

        Returns the permit's name.

        Raises:
            Refused, NotGenuine: not signed by an authority of these roots.
        """
        opened = open_statement(
            envelope,
            roots=self._roots,
            predicate_type=PREDICATE_DECISION,
            origin=self._roots.origin,
            required={Role.AUTHORITY: 1},
        )
        if opened.statement.predicate.get("state") not in ("revoked", "suspended"):
            raise Refused("The decision withdraws nothing.")
        permit = parse_name(opened.statement.subject)
        write_durably(self._folder / "revoked" / f"{permit}.json", envelope)
        return permit

    def give_mandate(self, envelope: bytes) -> None:
        """Keep the controller's standing mandate for ingestion; checked at every use."""
        write_durably(self._folder / "mandate.json", envelope)

    def _catch_up(self) -> None:
        """Fetch the log by itself, and believe only a fresh head with a quorum behind it."""
        note = self._log.checkpoint()
        size = parse_checkpoint(parse_note(note).text).size
        held = self._mirror.held()
        entries = self._log.entries(held, size) if size > held else []
        self._mirror.extend(held, entries, note=note)
        known = self._copy.entries(self._followed.size, self._mirror.held())
        self._followed, events = follow_entries(self._followed, known)
        self._events += events
        _, behind = check_head(note, roots=self._roots, keys=self._followed.keys(self._roots))
        check_fresh(behind, roots=self._roots, now=self._clock.now())

    def _view(self) -> CustodianView:
        mandate = self._folder / "mandate.json"
        revoked = self._folder / "revoked"
        return CustodianView(
            roots=self._roots,
            events=self._events,
            partitions={
                path.name: parse_partition(str(self._share(path.name)["text"]))
                for path in self._shares_path.iterdir()
                if not path.name.startswith(".")
            },
            revoked=frozenset(path.stem for path in revoked.glob("*.json")),
            mandate=mandate.read_bytes() if mandate.exists() else None,
            now=self._clock.now(),
        )

    def _keep(self, share: Any) -> str:
        """Store one share under the epoch key, bound to its partition."""
        partition = parse_object_id(share["id"])
        parse_partition(share["text"])
        content = encode_canonical({name: share[name] for name in ("salt", "text", "words")})
        # A key of its own for each share, derived anew at each write, sits in front.
        key = FileKey.draw()
        locked = b"".join(seal_stream([content], key=key, object_id=partition))
        wrapped = seal_key(key.raw, to=self._epoch().public, info=partition.encode())
        write_durably(
            self._shares_path / partition, len(wrapped).to_bytes(2, "big") + wrapped + locked
        )
        return partition

    def _share(self, partition: str) -> dict[str, Any]:
        try:
            content = (self._shares_path / parse_object_id(partition)).read_bytes()
        except FileNotFoundError:
            raise ReleaseRefused(f"Custodian {self.name} has no share of a partition.") from None
        end = 2 + int.from_bytes(content[:2], "big")
        key = self._epoch().open_key(content[2:end], info=partition.encode())
        opened = b"".join(open_stream([content[end:]], key=key, object_id=partition))
        share = parse_canonical(opened)
        if not isinstance(share, dict):
            raise NotGenuine("A share of this custodian cannot be read.")
        return share

    def _epoch(self) -> PartitionKey:
        """The key under which every share lies; made once, sealed to the token."""
        path = self._folder / "epoch"
        if not path.exists():
            seed = random_bytes(32)
            write_durably(path, seal_key(seed, to=self._token.seal_public, info=_EPOCH_CONTEXT))
        if not hasattr(self, "_epoch_key"):
            seed = self._token.open_key(path.read_bytes(), info=_EPOCH_CONTEXT)
            self._epoch_key = PartitionKey.from_seed(seed)
        return self._epoch_key

    def _receipt(self, index: int, partitions: Sequence[str]) -> bytes:
        """Sign what is given, chained to every answer before it."""
        lines = self._counter_lines()
        statement = Statement(
            PREDICATE_RECEIPT,
            self._roots.origin,
            f"request-{index}",
            {
                "answers_before": len(lines),
                "custodian": self.name,
                "partitions": list(partitions),
                "previous": lines[-1].split()[1] if lines else "",
            },
        )
        return sign_statement(statement, [self._token])

    def _finish_counter(self) -> None:
        """Count the answer that a crash left uncounted, and notice a counter set back.

        Raises:
            NotGenuine: the log has a receipt of this custodian that its counter has not.
        """
        counted = {line.split()[0] for line in self._counter_lines()}
        answers = self._folder / "answers"
        for path in sorted(answers.glob("*.json")) if answers.exists() else ():
            if path.stem not in counted:
                digest = envelope_digest(_read_answer(path.read_bytes()).receipt)
                append_durably(self._counter_path, f"{path.stem} {digest}\n".encode())
        receipts = {line.split()[1] for line in self._counter_lines()}
        for event in self._events:
            if isinstance(event, KeysReleased) and event.receipts.get(self.name, "") not in (
                "",
                *receipts,
            ):
                raise NotGenuine(
                    f"The log has a receipt of custodian {self.name} that its counter has not:"
                    " it was set back."
                )

    @property
    def _counter_path(self) -> Path:
        return self._folder / "counter"

    def _counter_lines(self) -> list[str]:
        try:
            return self._counter_path.read_text(encoding="ascii").splitlines()
        except FileNotFoundError:
            return []

    @property
    def _shares_path(self) -> Path:
        path = self._folder / "shares"
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        return path

    def _ceremony_path(self, ceremony: str) -> Path:
        return self._folder / "ceremonies" / parse_name(ceremony)


class EscrowCustodian(LocalCustodian):
    """The sealed escrow: takes part in ceremonies, and answers no daily request."""

    def release(self, request: ShareRequest) -> ShareAnswer:
        """Refuse: only a signed ceremony opens an escrow, with its people present."""
        raise Unavailable(
            f"Custodian {self.name} is sealed and answers no daily request.",
            hint=f"Request {request.index} needs the daily custodians.",
        )


def _encode_answer(answer: ShareAnswer) -> bytes:
    return encode_canonical(
        {
            "receipt": base64.b64encode(answer.receipt).decode(),
            "shares": {
                partition: base64.b64encode(sealed).decode()
                for partition, sealed in answer.shares.items()
            },
        }
    )


def _read_answer(content: bytes) -> ShareAnswer:
    body = json.loads(content)
    return ShareAnswer(
        {name: base64.b64decode(sealed) for name, sealed in body["shares"].items()},
        base64.b64decode(body["receipt"]),
    )
