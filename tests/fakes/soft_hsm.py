"""SoftHSM's tokens in a directory of a test's own, which can be pulled out and put back.

It has the interface of a hardware token and not its protection: its keys are
files, encrypted under the PIN, that the host can read.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pkcs11

from havre.formats.token_uri import TokenPlace

MODULE = "/usr/lib/softhsm/libsofthsm2.so"
PIN, OFFICER_PIN = "24681357", "officer-pin"


@dataclass
class SoftHsm:
    """A bench of tokens; each is one directory."""

    root: Path
    _places: dict[str, Path] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._slots.mkdir(parents=True)
        self._drawer.mkdir()
        self.configuration.write_text(
            f"directories.tokendir = {self._slots}\nobjectstore.backend = file\nlog.level = ERROR\n"
        )

    @property
    def configuration(self) -> Path:
        """What SOFTHSM2_CONF names."""
        return self.root / "softhsm2.conf"

    @property
    def environment(self) -> dict[str, str]:
        """The environment in which a child process finds these tokens."""
        return {**os.environ, "SOFTHSM2_CONF": str(self.configuration)}

    def initialise(self, label: str) -> TokenPlace:
        """Make a token, with the PIN of all tests."""
        before = set(self._slots.iterdir())
        words = ["--init-token", "--free", "--label", label, "--pin", PIN, "--so-pin", OFFICER_PIN]
        program = shutil.which("softhsm2-util")
        assert program is not None, "make hsm installs it"
        subprocess.run(
            [program, *words], env=self.environment, check=True, capture_output=True, timeout=60
        )
        (self._places[label],) = set(self._slots.iterdir()) - before
        return TokenPlace(label, MODULE)

    def pull_out(self, label: str) -> None:
        """Take a token away, whatever is being done with it."""
        place = self._places[label]
        place.rename(self._drawer / place.name)

    def put_back(self, label: str) -> None:
        """Put it back into its slot."""
        place = self._places[label]
        (self._drawer / place.name).rename(place)

    def everything(self) -> bytes:
        """Every byte of every token's files."""
        return b"".join(path.read_bytes() for path in self._slots.rglob("*") if path.is_file())

    @property
    def _slots(self) -> Path:
        return self.root / "slots"

    @property
    def _drawer(self) -> Path:
        return self.root / "drawer"


@contextmanager
def soft_hsm(root: Path) -> Iterator[SoftHsm]:
    """Have this process see a new bench, and nobody else's afterwards."""
    bench = SoftHsm(root)
    earlier = os.environ.get("SOFTHSM2_CONF")
    os.environ["SOFTHSM2_CONF"] = str(bench.configuration)
    module = pkcs11.lib(MODULE)
    module.reinitialize()
    try:
        yield bench
    finally:
        module.finalize()
        if earlier is None:
            del os.environ["SOFTHSM2_CONF"]
        else:
            os.environ["SOFTHSM2_CONF"] = earlier
