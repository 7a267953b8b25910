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
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol

from havre.domain.catalogue_view import CatalogueView
from havre.domain.exposure.sheet import HostSheet
from havre.domain.exposure.verdicts import Analysis
from havre.domain.permit import Permit
from havre.domain.register import Register
from havre.domain.transparency import Cosigned, Head
from havre.domain.trust import TrustRoots


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteSettings:
    """What an operator says of a hub, and its log does not know.

    made_up: the data are of nobody; every page says so.
    language: in which permits and studies are written, two letters, or empty when unknown.
    """

    made_up: bool = False
    language: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownFile:
    """One released file, as a page shows it.

    title: what its study says it is; empty when the study says nothing.
    here: whether the site has the file, with the hash that the log gives.
    rows: of a table, the header and the first rows; empty for another kind of file.
    row_count: rows of the whole table, without the header.
    """

    name: str
    sha256: str
    title: str
    here: bool
    rows: Sequence[Sequence[str]] = ()
    row_count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownExposure:
    """Who can obtain what of this hub, as a page shows it.

    unstated: operators of whom there is no fact sheet. sheets: those that there are.
    on: the day of the analysis, from which qualifications are judged.
    certificate, facts: what a stranger checks, and what he compares it with.
    """

    analysis: Analysis
    unstated: Sequence[str]
    sheets: Sequence[HostSheet]
    on: date
    certificate: bytes
    facts: bytes


@dataclass(frozen=True, slots=True)
class ShownCatalogue:
    """The catalogue, as pages show it.

    exports: by path inside the site, the same in other formats, and the documents that it
        was made from.
    """

    view: CatalogueView = field(default_factory=CatalogueView)
    exports: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteFacts:
    """Everything that the pages show.

    head, checkpoint: the published head that everything here is as of, and its bytes.
    cosigned: the witnesses behind it; cosigned_at: when enough of them had signed.
    trust, trust_sha256: the trust-root file of the hub's own roots, and its hash.
    permits: by name, the text that authorities signed.
    signed: by name and index of the entry on the log, the signed envelope it rests on.
    files: by request, what was released.
    exposure: who can obtain what.
    receipts: by SHA-256, the signed receipts of drills, each as the log names it.
    erasures: by index of the order's entry, the signed order (`order`) and each
        custodian's certificate, by name.
    deletions: by permit, the hub's signed certificate that its project is deleted.
    catalogue: what is known of each dataset.
    """

    roots: TrustRoots
    head: Head
    checkpoint: bytes
    cosigned: Sequence[Cosigned]
    cosigned_at: datetime
    trust: bytes
    trust_sha256: str
    register: Register
    permits: Mapping[str, Permit]
    signed: Mapping[str, Mapping[int, bytes]]
    files: Mapping[str, Sequence[ShownFile]]
    receipts: Mapping[str, bytes]
    settings: SiteSettings
    exposure: ShownExposure
    erasures: Mapping[int, Mapping[str, bytes]] = field(default_factory=dict)
    deletions: Mapping[str, bytes] = field(default_factory=dict)
    catalogue: ShownCatalogue = field(default_factory=ShownCatalogue)


class SitePages(Protocol):
    """Writes pages."""

    def write(self, facts: SiteFacts) -> list[str]:
        """Write every page; returns their paths inside the site."""
