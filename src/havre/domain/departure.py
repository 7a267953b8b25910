"""What a hub takes with it when it leaves, and how the new place proves that nothing is missing.

Twelve asset classes, each in an open format, listed file by file with its
SHA-256 in one manifest. Nothing is decrypted: data objects travel as they lie
in the store; what is private in the records is sealed to the new host's key.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from havre.errors import InvalidInput, NotGenuine
from havre.formats.canonical import Json, encode_canonical, parse_canonical
from havre.values import Digest, parse_digest, parse_name

PREDICATE_DEPARTURE = "havre/v1/departure"
# Where the sealed files of a package are; what lies elsewhere in it is public.
_SEALED = ("inbox/", "objects/", "records/")
# Files named in a refusal before the rest is only counted.
_MOST_NAMED = 5
_MOST_SHOWN_CHARACTERS = 100


class AssetClass(StrEnum):
    """What a hub is made of; a departure that forgets one has not left."""

    OBJECTS = "objects"
    CATALOGUE = "catalogue"
    KEYS = "keys-and-headers"
    TRUST = "custodians-and-trust-roots"
    IDENTITIES = "identities-and-roles"
    PERMITS = "permits"
    CLOCKS = "oppositions-and-clocks"
    LOG = "log"
    CODE = "code-and-dependencies"
    PIPELINES = "pipelines-and-configuration"
    MODELS = "models-and-evaluations"
    JOBS = "jobs-and-outputs-in-review"


@dataclass(frozen=True, slots=True, order=True)
class PackedFile:
    """One file of a departure.

    path: relative, with `/`, inside the package.
    """

    path: str
    asset: AssetClass
    sha256: Digest
    size_bytes: int


@dataclass(frozen=True, slots=True)
class DepartureManifest:
    """Everything that leaves together.

    log_size, log_root: of the log at the moment of packing, before the entries
        that the departure itself appends.
    rows: dataset to the rows of its newest version, as the log says (rounded to 100).
    empty: asset classes that hold nothing in this hub, said on purpose.
    lacking: what the log names by its hash and this hub no longer had when it
        left (`domain.assets.find_lacking`), said on purpose.
    """

    departure: str
    origin: str
    log_size: int
    log_root: str
    rows: Mapping[str, int]
    files: tuple[PackedFile, ...]
    empty: tuple[AssetClass, ...]
    lacking: tuple[str, ...] = ()

    @property
    def public_files(self) -> tuple[PackedFile, ...]:
        """The files that anybody may read; all others are sealed."""
        return tuple(file for file in self.files if not file.path.startswith(_SEALED))

    def of_class(self, asset: AssetClass) -> tuple[PackedFile, ...]:
        """List the files of one asset class, in order of path."""
        return tuple(file for file in self.files if file.asset is asset)


def check_complete(manifest: DepartureManifest) -> None:
    """Make sure that every asset class is there, or said to be empty.

    Raises:
        InvalidInput: naming every class that is neither, or both, and every
            path that stands twice.
    """
    there = {file.asset for file in manifest.files}
    missing = [asset.value for asset in AssetClass if (asset in there) == (asset in manifest.empty)]
    paths = [file.path for file in manifest.files]
    if missing:
        raise InvalidInput(f"A departure does not account for: {', '.join(sorted(missing))}.")
    if len(set(paths)) != len(paths):
        raise InvalidInput("A departure lists a path twice.")


def check_equal(manifest: DepartureManifest, found: Iterable[PackedFile]) -> None:
    """Make sure that what was unpacked is what was packed, no file less and no file more.

    Raises:
        NotGenuine: naming the files missing, changed and added, by class.
    """
    packed = {file.path: file for file in manifest.files}
    seen = {file.path: file for file in found}
    faults = list(_differences(packed, seen))
    if faults:
        raise NotGenuine(
            f"The departure does not arrive whole: {'; '.join(faults)}.",
            hint="Copy it again; the hub that was left still has everything.",
        )


def _differences(packed: Mapping[str, PackedFile], seen: Mapping[str, PackedFile]) -> Iterator[str]:
    for asset in AssetClass:
        paths = {path for path, file in packed.items() if file.asset is asset}
        missing = paths - set(seen)
        changed = {path for path in paths & set(seen) if seen[path].sha256 != packed[path].sha256}
        if missing:
            yield f"{asset.value}: {len(missing)} missing ({named_paths(missing)})"
        if changed:
            yield f"{asset.value}: {len(changed)} changed ({named_paths(changed)})"
    if added := set(seen) - set(packed):
        yield f"{len(added)} that nobody packed ({named_paths(added)})"


def named_paths(paths: Iterable[str]) -> str:
    r"""Name the first few of some paths; what a stranger called a file is cut and escaped.

    >>> named_paths(["b", "a"]), named_paths(["é"])
    ('a, b', '\\xe9')
    """
    listed = sorted(paths)
    shown = [ascii(path)[1:-1][:_MOST_SHOWN_CHARACTERS] for path in listed[:_MOST_NAMED]]
    more = len(listed) - len(shown)
    return ", ".join(shown) + (f", and {more} more" if more else "")


def encode_manifest(manifest: DepartureManifest) -> bytes:
    """Write a departure's manifest as canonical JSON.

    Raises:
        InvalidInput: an asset class is not accounted for.
    """
    check_complete(manifest)
    files: list[Json] = [
        {
            "asset": file.asset.value,
            "path": file.path,
            "sha256": file.sha256,
            "size_bytes": file.size_bytes,
        }
        for file in sorted(manifest.files)
    ]
    return encode_canonical(
        {
            "departure": manifest.departure,
            "empty": [asset.value for asset in sorted(manifest.empty)],
            "files": files,
            "format": PREDICATE_DEPARTURE,
            "lacking": [*sorted(manifest.lacking)],
            "log_root": manifest.log_root,
            "log_size": manifest.log_size,
            "origin": manifest.origin,
            "rows": dict(sorted(manifest.rows.items())),
        }
    )


def parse_manifest(document: bytes, *, limit_bytes: int = 1 << 30) -> DepartureManifest:
    """Read a departure's manifest strictly.

    Raises:
        InvalidInput: another format or spelling, a path that leaves the
            package, or an asset class that is not accounted for.
    """
    body = parse_canonical(document, limit_bytes=limit_bytes)
    try:
        if not isinstance(body, dict) or body["format"] != PREDICATE_DEPARTURE:
            raise TypeError
        manifest = DepartureManifest(
            departure=parse_name(_text(body["departure"])),
            origin=_text(body["origin"]),
            log_size=_whole(body["log_size"]),
            log_root=parse_digest(_text(body["log_root"])),
            rows={name: _whole(rows) for name, rows in _object(body["rows"]).items()},
            files=tuple(_read_file(_object(file)) for file in _list(body["files"])),
            empty=tuple(AssetClass(_text(asset)) for asset in _list(body["empty"])),
            lacking=tuple(_text(each) for each in _list(body["lacking"])),
        )
    except (KeyError, TypeError, ValueError):
        raise InvalidInput("A departure's manifest is not of the form it should be.") from None
    if encode_manifest(manifest) != document:
        raise InvalidInput(
            "A departure's manifest has a field or an order that it should not have."
        )
    return manifest


def _read_file(body: Mapping[str, Json]) -> PackedFile:
    path = _text(body["path"])
    parts = path.split("/")
    if any(part in ("", ".", "..") for part in parts) or "\\" in path or "\0" in path:
        raise ValueError
    return PackedFile(
        path,
        AssetClass(_text(body["asset"])),
        parse_digest(_text(body["sha256"])),
        _whole(body["size_bytes"]),
    )


def _text(value: Json) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _whole(value: Json) -> int:
    if type(value) is not int or value < 0:
        raise TypeError
    return value


def _list(value: Json) -> list[Json]:
    if not isinstance(value, list):
        raise TypeError
    return value


def _object(value: Json) -> Mapping[str, Json]:
    if not isinstance(value, dict):
        raise TypeError
    return value
