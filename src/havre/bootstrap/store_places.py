"""The stores that a hub's `havre.toml` names, read strictly; `bootstrap.stores` opens them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from havre.errors import InvalidInput

_NAME = re.compile("[a-z][a-z0-9-]{0,39}")
_LOCAL = {"name", "host", "path"}
_S3 = {"name", "host", "url", "endpoint", "region", "keys"}
_THIS_MACHINE = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True)
class StorePlace:
    """One store, as the hub's file names it.

    host: the name of the fact sheet of whoever has the machine; empty when none is named.
    path: its directory; or null, and it is a bucket.
    """

    name: str
    host: str
    path: Path | None = None
    endpoint: str = ""
    bucket: str = ""
    prefix: str = ""
    region: str = ""
    keys: Path | None = None

    @property
    def where(self) -> str:
        """What to show a person of its place."""
        return str(self.path) if self.path else f"s3://{self.bucket}/{self.prefix}"


@dataclass(frozen=True, slots=True)
class StoreRules:
    """All stores of a hub.

    needed: how many of them must have an object before it counts as written.
    """

    places: tuple[StorePlace, ...] = ()
    needed: int = 0


def read_stores(body: dict[str, Any], *, folder: Path) -> StoreRules:
    """Read `[[stores]]` and `[replicas]` of a hub's file.

    Raises:
        InvalidInput: a field is unknown, missing or misspelled; two stores are one.
    """
    told = body.get("stores", [])
    if not isinstance(told, list) or not all(isinstance(each, dict) for each in told):
        raise InvalidInput("The stores of havre.toml are not written as [[stores]].")
    places = tuple(_read_store(each, folder=folder) for each in told)
    if len({each.name for each in places}) != len(places):
        raise InvalidInput("Two stores of havre.toml have one name.")
    spots = {(each.endpoint, each.bucket, each.prefix, each.path) for each in places}
    if len(spots) != len(places):
        raise InvalidInput("Two stores of havre.toml are in one place: that is one copy, not two.")
    replicas = body.get("replicas", {"needed": len(places)})
    needed = replicas.get("needed") if isinstance(replicas, dict) and len(replicas) == 1 else None
    if type(needed) is not int or not min(1, len(places)) <= needed <= len(places):
        raise InvalidInput(
            "The section replicas of havre.toml has another spelling than it should.",
            hint="Write needed = 2 or the like, between one and the number of stores.",
        )
    return StoreRules(places, needed)


def _read_store(told: dict[str, Any], *, folder: Path) -> StorePlace:
    told = {"host": "", **told}
    allowed = _S3 if "url" in told else _LOCAL
    if unknown := sorted(set(told) - allowed):
        raise InvalidInput(
            f"A store of havre.toml has fields that it should not have: {', '.join(unknown)}.",
            hint="A directory has a path; a bucket an url, an endpoint, a region and a file of keys.",
        )
    if not all(isinstance(each, str) for each in told.values()):
        raise InvalidInput("A field of a store of havre.toml is no text.")
    for field in ("name", "host"):
        if not _NAME.fullmatch(told.get(field, "")) and (field == "name" or told["host"]):
            raise InvalidInput(
                f"A store's {field} in havre.toml is misspelled.",
                hint="Small letters, digits and hyphens, at most 40.",
            )
    if "url" in told:
        return _read_bucket(told, folder=folder)
    if not told.get("path"):
        raise InvalidInput(f"Store {told['name']} of havre.toml has neither a path nor an url.")
    return StorePlace(told["name"], told["host"], path=folder / told["path"])


def _read_bucket(told: dict[str, str], *, folder: Path) -> StorePlace:
    url, endpoint = urlsplit(told["url"]), urlsplit(told.get("endpoint", ""))
    if url.scheme != "s3" or not url.netloc or url.query or url.username:
        raise InvalidInput(
            f"The url of store {told['name']} is misspelled.", hint="Write s3://bucket/prefix."
        )
    # Ciphertext and signed requests may be seen by anybody; what is listed and when need not.
    is_here = endpoint.hostname in _THIS_MACHINE
    if endpoint.scheme != "https" and not (endpoint.scheme == "http" and is_here):
        raise InvalidInput(
            f"The endpoint of store {told['name']} is no https address.",
            hint='Write endpoint = "https://…".',
        )
    return StorePlace(
        told["name"],
        told["host"],
        endpoint=told["endpoint"],
        bucket=url.netloc,
        prefix=url.path.strip("/"),
        region=told.get("region", "us-east-1"),
        keys=folder / told["keys"] if "keys" in told else None,
    )
