"""A published log on a web server, read as any stranger reads it.

Nothing of it is trusted, so who serves it matters little: a wrong certificate could
only give wrong bytes, which do not lead to the log's head. Every file is bounded, in
bytes and in seconds.
"""

from __future__ import annotations

import ssl
import time
from functools import cached_property
from pathlib import Path

import httpx2

from havre.adapters.log.files import LogPages
from havre.errors import InvalidInput, NotFound, NotGenuine, Unavailable

# A full bundle holds 256 entries, each with a length of two bytes before it.
_MOST_BYTES = 256 * (65_535 + 2)
_FILE_WITHIN_S = 10.0
_ABSENT = frozenset({httpx2.codes.NOT_FOUND, httpx2.codes.GONE})


class LogSite(LogPages):
    """`ports.log.LogReader` over HTTPS.

    url: of the folder that holds `checkpoint` and `tile`.
    certificate: the web server's own, if it is to be known by that and not by a
        public authority; a PEM file.
    """

    def __init__(self, url: str, *, certificate: Path | None = None) -> None:
        super().__init__(self._page)
        if not url.startswith("https://"):
            raise InvalidInput(
                "A log is read from a folder or from an address that begins with https.",
                hint="Write https://host/log.",
            )
        self._url = url.rstrip("/")
        self._certificate = certificate

    def _page(self, path: str) -> bytes:
        deadline = time.monotonic() + _FILE_WITHIN_S
        try:
            with self._client.stream("GET", f"{self._url}/{path}") as response:
                if response.status_code in _ABSENT:
                    raise NotFound(f"The log has no file {path}.")
                if response.status_code != httpx2.codes.OK:
                    raise Unavailable(
                        f"The log's web server answers {response.status_code} for {path}."
                    )
                return _read(response, path, deadline=deadline)
        except httpx2.TimeoutException:
            raise Unavailable(
                f"The log's web server did not give {path} within {_FILE_WITHIN_S:.0f} seconds."
            ) from None
        except (httpx2.HTTPError, httpx2.InvalidURL):
            raise Unavailable("The log's web server does not answer.") from None

    @cached_property
    def _client(self) -> httpx2.Client:
        context = ssl.create_default_context()
        if self._certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.load_verify_locations(self._certificate)
        return httpx2.Client(verify=context, timeout=_FILE_WITHIN_S, trust_env=False)


def _read(response: httpx2.Response, path: str, *, deadline: float) -> bytes:
    """Read one file, not longer than any file of a log is."""
    content = bytearray()
    for piece in response.iter_raw():
        content += piece
        if len(content) > _MOST_BYTES:
            raise NotGenuine(f"The log's file {path} is longer than a log's file can be.")
        if time.monotonic() > deadline:
            raise httpx2.ReadTimeout("the file drips", request=response.request)
    if not content:
        # A server that answers 200 with nothing has no such file, whatever it says.
        raise NotFound(f"The log's file {path} is empty.")
    return bytes(content)
