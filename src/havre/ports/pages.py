"""The public site: static pages, in French and English, for whoever wants to look.

Promised: each page is replaced as a whole; the log and the released files beside
the pages are never touched. Pages are made from public facts only.
What may be repeated: everything; the same facts give the same pages.
What may block: as long as the disk takes.
Final errors: `Unavailable`.
Who may call it: `application.publish`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from havre.domain.permit import Permit
from havre.domain.register import Register


@dataclass(frozen=True, slots=True)
class SiteFacts:
    """Everything that the pages show.

    permits: by name, the text that authorities signed.
    signed: by name and index of the entry on the log, the signed envelope it rests on.
    tables: request to file name to the rows of a released table.
    cosigned: names of the witnesses behind the published head.
    """

    origin: str
    size: int
    root: str
    cosigned: Sequence[str]
    witnesses: int
    quorum: int
    trust: bytes
    trust_sha256: str
    register: Register
    permits: Mapping[str, Permit]
    signed: Mapping[str, Mapping[int, bytes]]
    tables: Mapping[str, Mapping[str, Sequence[Sequence[str]]]]


class SitePages(Protocol):
    """Writes pages."""

    def write(self, facts: SiteFacts) -> list[str]:
        """Write every page; returns their paths inside the site."""
