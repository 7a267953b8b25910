"""A channel over HTTP: through a Unix socket, or over TLS where both ends show who they are.

One connection for each call: nothing is left over from a call before, and a party
that was started anew is found at once. Every answer is bounded, in bytes and in
seconds, and none is unpacked.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

import httpx2

from havre.adapters.channel.certificates import Certificate, check_current, tls_context
from havre.domain.service_address import ServiceAddress
from havre.errors import HavreError, NotGenuine, Unavailable
from havre.formats.wire import MAX_MESSAGE_BYTES, parse_refusal, said_by
from havre.ports.channel import ANSWER_WITHIN_S, PARTY_HEADER
from havre.ports.clock import Clock

_CONNECT_WITHIN_S = 5.0


class HttpChannel:
    """`ports.channel.Channel` to one address.

    carried: the classes of refusals that the party may name.
    identity: the file with our own certificate and its key; for TLS only.
    pinned: the party's certificates; for TLS only.
    """

    def __init__(
        self,
        address: ServiceAddress,
        *,
        carried: Sequence[type[HavreError]],
        clock: Clock,
        identity: Path | None = None,
        own: Certificate | None = None,
        pinned: Sequence[Certificate] = (),
    ) -> None:
        self._address = address
        self._carried = carried
        self._clock = clock
        self._identity = identity
        self._own = own
        self._pinned = pinned

    @property
    def name(self) -> str:
        """The party's short name, as in the trust roots."""
        return self._address.name

    def call(self, act: str, body: bytes, *, within_s: float = ANSWER_WITHIN_S) -> bytes:
        """Ask for an act, and wait for its answer."""
        self._check_certificates()
        self._check_there()
        deadline = time.monotonic() + within_s
        limits = httpx2.Timeout(within_s, connect=min(within_s, _CONNECT_WITHIN_S))
        with (
            self._faults_named(within_s),
            self._client.stream("POST", f"/v1/{act}", content=body, timeout=limits) as response,
        ):
            self._check_shown(response)
            said = self._read(response, deadline)
        if response.headers.get(PARTY_HEADER) != self.name:
            raise NotGenuine(
                f"At the address of {self.name} answers somebody else.",
                hint="Correct the address in havre.toml, or look what stands there.",
            )
        if response.status_code == httpx2.codes.OK:
            return said
        with said_by(self.name):
            refusal = parse_refusal(said, carried=self._carried)
        raise refusal

    def _read(self, response: httpx2.Response, deadline: float) -> bytes:
        said = bytearray()
        for piece in response.iter_raw():
            said += piece
            if len(said) > MAX_MESSAGE_BYTES:
                raise NotGenuine(f"{self.name} answers with more than a message holds.")
            if time.monotonic() > deadline:
                raise httpx2.ReadTimeout("the answer drips", request=response.request)
        return bytes(said)

    def _check_certificates(self) -> None:
        """Look at our own certificate's time, and the party's, before anything is said."""
        now = self._clock.now()
        if self._own:
            check_current(self._own, now=now)
        # While it changes, a party has two; the one that it shows is looked at then.
        if self._pinned:
            check_current(max(self._pinned, key=lambda each: each.ends_at), now=now)

    def _check_there(self) -> None:
        """Knock at a Unix socket first: the library leaves its own open when nobody is there."""
        if not self._address.socket:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as knock:
            knock.settimeout(_CONNECT_WITHIN_S)
            try:
                knock.connect(self._address.socket)
            except OSError:
                raise self._not_there() from None

    def _not_there(self) -> Unavailable:
        return Unavailable(
            f"{self.name} does not answer at its address.",
            hint="Start its service (`havre services` starts those of a hub on this machine), or"
            " correct its address in havre.toml.",
        )

    def _check_shown(self, response: httpx2.Response) -> None:
        """Look at the time of the certificate that the party did show."""
        tls = response.extensions["network_stream"].get_extra_info("ssl_object")
        shown = tls.getpeercert(True) if tls else None  # noqa: FBT003 - it takes no keyword
        for each in self._pinned:
            if each.der == shown:
                check_current(each, now=self._clock.now())

    @cached_property
    def _client(self) -> httpx2.Client:
        limits = httpx2.Limits(max_keepalive_connections=0)
        if self._address.socket:
            # The library would read every authority's certificate, for a socket without TLS.
            transport = httpx2.HTTPTransport(
                verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
                uds=self._address.socket,
                limits=limits,
                trust_env=False,
            )
            return httpx2.Client(transport=transport, base_url="http://party", trust_env=False)
        if self._identity is None:
            raise NotGenuine(f"{self.name} is asked over TLS, and there is no certificate to show.")
        context = tls_context(ssl.PROTOCOL_TLS_CLIENT, identity=self._identity, peers=self._pinned)
        transport = httpx2.HTTPTransport(verify=context, limits=limits, trust_env=False)
        host = f"[{self._address.host}]" if ":" in self._address.host else self._address.host
        return httpx2.Client(
            transport=transport, base_url=f"https://{host}:{self._address.port}", trust_env=False
        )

    @contextmanager
    def _faults_named(self, within_s: float) -> Iterator[None]:
        """Say in a sentence what kept an answer from coming; no library's words are repeated."""
        try:
            yield
        except httpx2.TimeoutException:
            raise Unavailable(
                f"{self.name} did not answer within {within_s:.0f} seconds.",
                hint="See whether its service runs and is not held up.",
            ) from None
        except (httpx2.HTTPError, httpx2.InvalidURL) as fault:
            if isinstance(_first_cause(fault), ssl.SSLCertVerificationError):
                raise NotGenuine(
                    f"At the address of {self.name} answers somebody who shows another"
                    " certificate than the pinned one.",
                    hint="If it has a new one, compare the fingerprint with its operator, and pin it:"
                    " `havre certificate pin`.",
                ) from None
            if isinstance(_first_cause(fault), ssl.SSLError) or (
                self._identity and isinstance(fault, httpx2.ReadError | httpx2.RemoteProtocolError)
            ):
                raise Unavailable(
                    f"{self.name} ended the connection without an answer.",
                    hint="Perhaps it has not pinned this party's certificate: see its log.",
                ) from None
            raise self._not_there() from None


def _first_cause(fault: BaseException) -> BaseException:
    """Follow an exception to what set it off."""
    seen = fault
    while (deeper := seen.__cause__ or seen.__context__) is not None:
        seen = deeper
    return seen
