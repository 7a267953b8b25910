"""What a hub leaves elsewhere than in its store: a backup, its log, and what a dying process leaves.

Made for one drill, with canaries in it, under a folder that is removed afterwards.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp

from havre.application.depart import BACKUP, MANIFEST
from havre.application.vault.sealing import WritePlace
from havre.bootstrap.hub import OpenHub
from havre.bootstrap.leaving import prepare_host
from havre.bootstrap.recovering import back_up
from havre.crypto.random import random_bytes
from havre.domain.departure import DepartureManifest
from havre.ports.records import Document

KIND_CANARY = "drill-canary"
# Where a process could leave something of its memory behind, and what it left half written.
SCRATCH = ("temporary", "core", "scratch")
_HALF_WRITTEN = "half-written"
_BACKUP, _LOG = "backup", "log"
_TIMEOUT_S = 120


@dataclass(slots=True)
class Remnants:
    """Places to be seized besides the stores.

    places: each by its name. canaries: what was planted there, each with the term of the
        exposure model that whoever reads it has. public: place and name of files that
        everybody may read. classes: the asset classes in which something was planted,
        each with its place.
    """

    places: dict[str, Path] = field(default_factory=dict)
    canaries: dict[str, str] = field(default_factory=dict)
    public: set[tuple[str, str]] = field(default_factory=set)
    classes: dict[str, str] = field(default_factory=dict)


def draw_canary() -> str:
    """Draw a text that stands nowhere else."""
    return f"CANARI-{random_bytes(12).hex()}"


@contextmanager
def remnants_of(hub: OpenHub, *, place: WritePlace) -> Iterator[Remnants]:
    """Have a hub leave what it leaves, with canaries in it, for a while.

    place: a partition to seal to.

    Raises:
        Unavailable: something came in meanwhile; again, then.
    """
    root = Path(mkdtemp(prefix="havre-drill-remnants-"))
    left = Remnants()
    try:
        _back_up(hub, root, left)
        _take_log(hub, root, left)
        _interrupt(hub, root, left, place=place)
        yield left
    finally:
        shutil.rmtree(root, ignore_errors=True)


def _back_up(hub: OpenHub, root: Path, left: Remnants) -> None:
    """Plant a canary among the private records, and back them up to a standby of this drill."""
    canary = draw_canary()
    hub.records.commit([], [Document(KIND_CANARY, "newest", canary.encode() * 40)])
    try:
        packed = back_up(
            hub, name="drill", card=prepare_host(root / "standby"), package=root / _BACKUP
        )
    finally:
        hub.records.forget_document(KIND_CANARY, "newest")
    left.places[_BACKUP] = root / _BACKUP
    left.public |= {(_BACKUP, name) for name in _public_names(packed.manifest)}
    left.canaries[canary] = "records"
    left.classes["records backup"] = _BACKUP


def _public_names(manifest: DepartureManifest) -> set[str]:
    return {MANIFEST, BACKUP, *(file.path for file in manifest.public_files)}


def _take_log(hub: OpenHub, root: Path, left: Remnants) -> None:
    """Take the public log as it is now: another process may write to it while it is searched.

    Nothing can be planted in it, and everything is looked for in it.
    """
    image = left.places[_LOG] = root / _LOG
    shutil.copytree(hub.place.log, image, copy_function=_copy_what_is_there)
    left.public |= {
        (_LOG, str(path.relative_to(image))) for path in image.rglob("*") if path.is_file()
    }
    left.classes["log"] = _LOG


def _copy_what_is_there(source: str, target: str) -> None:
    """Copy a file, unless it was a draft that has its name by now."""
    with suppress(FileNotFoundError):
        shutil.copyfile(source, target)


def _interrupt(hub: OpenHub, root: Path, left: Remnants, *, place: WritePlace) -> None:
    """Have a process hold a canary in clear and die while it seals it."""
    canary = draw_canary()
    for name in (*SCRATCH, _HALF_WRITTEN):
        left.places[name] = root / name
        left.places[name].mkdir(mode=0o700)
    told = {
        "canary": canary,
        "origin": hub.roots.origin,
        "public_key": place.public_key.hex(),
    }
    died = subprocess.run(
        [sys.executable, "-m", f"{__package__}.interrupted", str(root / _HALF_WRITTEN)],
        input=json.dumps(told).encode(),
        cwd=root / "core",
        env=scratch_environment(root),
        capture_output=True,
        check=False,
        timeout=_TIMEOUT_S,
        # A kernel that may write a core file writes it here.
        preexec_fn=allow_core_files,
    )
    left.canaries[canary] = "deliveries"
    if died.returncode == -signal.SIGABRT:
        left.classes |= {
            "temporary files": "temporary",
            "swap-like scratch": "scratch",
            "core dumps": "core",
        }


def scratch_environment(root: Path) -> Mapping[str, str]:
    """The environment of a process that is to leave whatever it leaves under a folder."""
    return {
        "TMPDIR": str(root / "temporary"),
        "HOME": str(root / "scratch"),
        "XDG_CACHE_HOME": str(root / "scratch"),
        **{name: os.environ[name] for name in ("PYTHONPATH",) if name in os.environ},
    }


def allow_core_files() -> None:
    """Let a process write as large a core file as the kernel lets it."""
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
