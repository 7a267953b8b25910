"""How a hub reaches those whom it asks: in their directories, or as processes of their own."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache, partial
from pathlib import Path

from havre.adapters.custody.http import RemoteCustodian
from havre.adapters.custody.local import EscrowCustodian, LocalCustodian
from havre.adapters.log.files import LogFolder
from havre.adapters.log.mirror import MirrorFolder
from havre.adapters.log.remote import RemoteMirror
from havre.adapters.machine.clock import SystemClock
from havre.adapters.witness.http import RemoteWitness
from havre.adapters.witness.local import LocalWitness
from havre.application.asking import Asking, Patience
from havre.bootstrap.parties import ReachedCustodian, ReachedMirror, ReachedWitness
from havre.bootstrap.party_places import PartyPlace
from havre.bootstrap.tokens import open_token
from havre.domain.service_address import ServiceAddress
from havre.errors import HavreError
from havre.formats.canonical import encode_canonical
from havre.ports.channel import Channel
from havre.ports.clock import Clock
from havre.ports.log import LogReader

_KNOCK_WITHIN_S = 5.0


class Reach:
    """How one party reaches others.

    me: its own directory, with the certificate that it shows and those that it has pinned.
    log: the published log that custodians in directories follow.
    clock: of the parties in directories; the system's, but in a rehearsal.
    """

    def __init__(self, me: Path, *, log: Path | LogReader, clock: Clock | None = None) -> None:
        self._me = me
        self._log = log
        self._clock = clock or SystemClock()
        # The journal and a custodian use one copy of the log, which is read once.
        self._mirror_in = cache(open_mirror)

    def witness(self, place: PartyPlace) -> ReachedWitness:
        """Reach a witness."""
        return ReachedWitness(place, partial(self._witness, place))

    def mirror(self, place: PartyPlace) -> ReachedMirror:
        """Reach a custodian's copy of the log."""
        return ReachedMirror(place, partial(self._mirror, place))

    def custodian(self, place: PartyPlace) -> ReachedCustodian:
        """Reach a daily custodian."""
        return ReachedCustodian(place, partial(self._custodian, place, LocalCustodian))

    def escrow(self, place: PartyPlace) -> ReachedCustodian:
        """Reach the sealed escrow."""
        return ReachedCustodian(place, partial(self._custodian, place, EscrowCustodian))

    def _witness(self, place: PartyPlace) -> RemoteWitness | LocalWitness:
        if isinstance(place, ServiceAddress):
            return RemoteWitness(self.channel(place))
        return open_witness(place, clock=self._clock)

    def _mirror(self, place: PartyPlace) -> RemoteMirror | MirrorFolder:
        if isinstance(place, ServiceAddress):
            return RemoteMirror(self.channel(place))
        return self._mirror_in(place)

    def _custodian(
        self, place: PartyPlace, kind: type[LocalCustodian]
    ) -> RemoteCustodian | LocalCustodian:
        if isinstance(place, ServiceAddress):
            return RemoteCustodian(self.channel(place))
        return open_custodian(
            place, mirror=self._mirror_in(place), log=self._log, kind=kind, clock=self._clock
        )

    def list_away(self, places: Iterable[PartyPlace]) -> list[str]:
        """Name the parties that do not answer, or whose directories are not there, in order."""
        listed = list(places)
        addresses = [each for each in listed if isinstance(each, ServiceAddress)]
        asking = Asking(
            {each.name: partial(self._knock, each) for each in addresses},
            patience=Patience(within_s=_KNOCK_WITHIN_S),
        )
        silent = [said.name for said in asking if said.refusal is not None]
        folders = [each for each in listed if isinstance(each, Path)]
        gone = [each.name for each in folders if not (each / "party.toml").is_file()]
        return sorted([*silent, *gone])

    def _knock(self, address: ServiceAddress) -> bytes:
        return self.channel(address).call("who", encode_canonical({}), within_s=_KNOCK_WITHIN_S)

    def channel(self, address: ServiceAddress) -> Channel:
        """Open a channel to a party that is a process of its own.

        Raises:
            NotFound, InvalidInput: over TLS, our certificate or the party's is not there.
        """
        # What speaks over a network loads slowly, and most commands need none of it.
        from havre.adapters.channel.certificates import CertificateEnded, read_certificates
        from havre.adapters.channel.client import HttpChannel
        from havre.adapters.custody import wire as custody_wire
        from havre.adapters.witness import wire as witness_wire

        clock = self._clock
        carried: tuple[type[HavreError], ...] = (
            CertificateEnded,
            *custody_wire.CARRIED,
            *witness_wire.CARRIED,
        )
        if address.socket:
            return HttpChannel(address, carried=carried, clock=clock)
        identity = identity_of(self._me)
        return HttpChannel(
            address,
            carried=carried,
            clock=clock,
            identity=identity,
            own=read_certificates(identity)[0],
            pinned=read_certificates(pins_of(self._me) / f"{address.name}.pem"),
        )


def open_log(place: str, *, certificate: Path | None = None) -> LogReader:
    """Open a published log: in a folder, or at an address that begins with https.

    certificate: the web server's own, if no public authority vouches for it.
    """
    if "://" not in place:
        return LogFolder(Path(place))
    from havre.adapters.log.http import LogSite

    return LogSite(place, certificate=certificate)


def identity_of(party: Path) -> Path:
    """Where a party's own certificate is, with its key."""
    return party / "tls" / "identity.pem"


def pins_of(party: Path) -> Path:
    """Where the certificates are that a party has pinned, each under its peer's name."""
    return party / "peers"


def open_witness(folder: Path, *, clock: Clock | None = None) -> LocalWitness:
    """Open a witness in its directory."""
    token = open_token(folder)
    return LocalWitness(
        folder / "seen", token=token, roots=token.trust_roots(), clock=clock or SystemClock()
    )


def open_mirror(folder: Path) -> MirrorFolder:
    """Open a custodian's own copy of the log."""
    return MirrorFolder(folder / "mirror", roots=open_token(folder).trust_roots())


def open_custodian(
    folder: Path,
    *,
    mirror: MirrorFolder,
    log: Path | LogReader,
    kind: type[LocalCustodian] = LocalCustodian,
    clock: Clock | None = None,
) -> LocalCustodian:
    """Open a custodian in its directory; it fetches the log by itself.

    log: a folder that holds it, or whatever else gives its files.
    kind: the escrow's or a daily custodian's manners.
    """
    token = open_token(folder)
    return kind(
        folder,
        token=token,
        roots=token.trust_roots(),
        log=LogFolder(log) if isinstance(log, Path) else log,
        mirror=mirror,
        copy=mirror.reader,
        clock=clock or SystemClock(),
    )
