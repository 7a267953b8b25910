"""The manifest of a release: RO-Crate 1.1, readable by anybody's tools.

Source: RO-Crate Metadata Specification 1.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from havre.formats.canonical import Json, encode_canonical

NAME = "ro-crate-metadata.json"


@dataclass(frozen=True, slots=True)
class CrateFile:
    """One file of a release."""

    name: str
    title: str
    media_type: str
    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Crate:
    """What a release says of itself.

    released_at: as instants are spelled. log_entry: of the job, on the hub's log.
    """

    request: str
    title: str
    permit: str
    job: str
    origin: str
    code_sha256: str
    environment_sha256: str
    released_at: str
    files: Sequence[CrateFile]


def encode_crate(crate: Crate) -> bytes:
    """Write a crate's metadata; the same crate gives the same bytes."""
    root: dict[str, Json] = {
        "@id": "./",
        "@type": "Dataset",
        "datePublished": crate.released_at,
        "description": (
            f"Outputs of job {crate.job} under permit {crate.permit}, checked by two people"
            f" and released by the hub whose log is {crate.origin}."
        ),
        "hasPart": [{"@id": file.name} for file in crate.files],
        "identifier": crate.request,
        "license": "https://creativecommons.org/licenses/by/4.0/",
        "mentions": {"@id": "#job"},
        "name": crate.title,
    }
    job: dict[str, Json] = {
        "@id": "#job",
        "@type": "CreateAction",
        "identifier": crate.job,
        "instrument": [{"@id": "#code"}, {"@id": "#environment"}],
        "name": "The study's run in the hub's sandbox",
        "result": [{"@id": file.name} for file in crate.files],
    }
    graph: list[Json] = [
        {
            "@id": NAME,
            "@type": "CreativeWork",
            "about": {"@id": "./"},
            "conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"},
        },
        root,
        job,
        _tool("#code", "The study's code", crate.code_sha256),
        _tool("#environment", "The study environment", crate.environment_sha256),
        *(_part(file) for file in crate.files),
    ]
    return encode_canonical({"@context": "https://w3id.org/ro/crate/1.1/context", "@graph": graph})


def _tool(name: str, title: str, sha256: str) -> dict[str, Json]:
    return {"@id": name, "@type": "SoftwareApplication", "name": title, "sha256": sha256}


def _part(file: CrateFile) -> dict[str, Json]:
    return {
        "@id": file.name,
        "@type": "File",
        "contentSize": str(file.size_bytes),
        "encodingFormat": file.media_type,
        "name": file.title,
        "sha256": file.sha256,
    }
