"""A custodian destroys shares: noted first, then destroyed, then attested, each on disk before the next.

What is noted of an erased partition is what it was and the commitment of the
share, so that the custodian can refuse by name for ever, and attest again under
another order. A process that dies in between is gone on with by the next call.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path

from havre.adapters.custody.answers import AnswerBook
from havre.adapters.custody.files import write_durably
from havre.adapters.custody.shares import ShareStore
from havre.domain.certificates import Certificate, sign_certificate
from havre.domain.erasure import SignedOrder
from havre.domain.statements import Signer
from havre.errors import InvalidInput, NotGenuine, Refused
from havre.formats.canonical import Json, encode_canonical, parse_canonical
from havre.values import Partition, parse_digest, parse_object_id, parse_partition


class KnownPartitions(Mapping[str, Partition]):
    """What each partition is of which a share is here, or was; a share is opened when it is asked for."""

    def __init__(self, shares: ShareStore, erased: Mapping[str, Partition]) -> None:
        self._shares = shares
        self._erased = erased
        self._names = shares.held() | set(erased)

    def __getitem__(self, name: str) -> Partition:
        """Tell one."""
        if name not in self._names:
            raise KeyError(name)
        return self._erased[name] if name in self._erased else self._shares.partition(name)

    def __iter__(self) -> Iterator[str]:
        """List their opaque ids, in order."""
        return iter(sorted(self._names))

    def __len__(self) -> int:
        """How many."""
        return len(self._names)


class ErasureBook:
    """One custodian's erasures, in a folder. Its caller keeps other processes out."""

    def __init__(self, folder: Path, *, custodian: str) -> None:
        self._folder = folder / "erased"
        self._custodian = custodian

    def partitions(self) -> dict[str, Partition]:
        """Tell what each partition was whose share was destroyed, by opaque id."""
        return {
            name: parse_partition(text)
            for path in sorted(self._folder.glob("*.note"))
            for name, text in self._read_note(path).items()
        }

    def check_new(self, bundle: Json) -> None:
        """Refuse a ceremony's shares of a partition that was erased.

        bundle: as `ShareStore.keep` takes it.
        """
        names = {str(each.get("id")) for each in _objects(bundle)}
        if back := names & set(self.partitions()):
            raise Refused(
                f"Custodian {self._custodian} has erased its shares of {len(back)} of these"
                " partitions, for ever.",
                hint="Make new partitions.",
            )

    def find(self, index: int) -> bytes | None:
        """Find the certificate that answered an order, or null when there is none yet."""
        path = self._folder / f"{index}.certificate"
        return path.read_bytes() if path.exists() else None

    def note(self, index: int, partitions: Mapping[str, Partition]) -> None:
        """Note what is about to be destroyed."""
        content = encode_canonical({name: each.text for name, each in partitions.items()})
        write_durably(self._folder / f"{index}.note", content)

    def attest(
        self,
        index: int,
        signed: SignedOrder,
        *,
        shares: ShareStore,
        commitments: Mapping[str, str],
        now: datetime,
        signer: Signer,
    ) -> bytes:
        """Sign that the shares of an order are gone; stored before it is given.

        commitments: of this custodian's shares, by opaque id, as the log has them.

        Raises:
            NotGenuine: one of them is still here, or nothing says under which key it lay.
        """
        order = signed.order
        if left := set(order.partitions) & shares.held():
            raise NotGenuine(f"{len(left)} shares of custodian {self._custodian} are still here.")
        ended = [turn for turn in shares.history() if set(turn.erased) & set(order.partitions)]
        current = shares.epoch()
        if not ended or current is None:
            raise NotGenuine(
                f"Custodian {self._custodian} cannot say under which key the shares lay."
            )
        certificate = Certificate(
            custodian=self._custodian,
            order=index,
            order_sha256=signed.opened.envelope_sha256,
            shares={name: commitments[name] for name in order.partitions},
            epoch_destroyed=parse_digest(ended[-1].ended_key),
            epoch_after=parse_digest(current[1]),
            erased_at=now,
        )
        envelope = sign_certificate(
            certificate, origin=signed.opened.statement.origin, signer=signer
        )
        write_durably(self._folder / f"{index}.certificate", envelope)
        return envelope

    def _read_note(self, path: Path) -> dict[str, str]:
        try:
            noted = parse_canonical(path.read_bytes())
            if not isinstance(noted, dict):
                raise InvalidInput("A note is an object.")
            return {parse_object_id(name): str(text) for name, text in noted.items()}
        except InvalidInput:
            raise NotGenuine(
                f"Custodian {self._custodian} cannot read what it has noted of an erasure."
            ) from None


def _objects(bundle: Json) -> list[dict[str, Json]]:
    items = bundle if isinstance(bundle, list) else []
    return [each for each in items if isinstance(each, dict)]


def destroy_shares(
    signed: SignedOrder,
    *,
    shares: ShareStore,
    answers: AnswerBook,
) -> None:
    """Destroy the shares of an order, at rest and in the answers that were given; may be repeated."""
    gone = frozenset(signed.order.partitions)
    held = shares.held()
    if held & gone:
        shares.new_epoch(held - gone)
    answers.forget(gone)
