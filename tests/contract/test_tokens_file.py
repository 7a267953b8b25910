"""A party's keys under a passphrase file keep the port's promises."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from contract.suite_tokens import *  # noqa: F403
from havre.adapters.tokens.file import FileToken, create_party
from havre.domain.trust import Role


@dataclass
class FileBench:
    root: Path

    def make(self, name: str) -> FileToken:
        return create_party(self.root / name, name=name, role=Role.CUSTODIAN, operator="a house")

    def again(self, name: str) -> FileToken:
        return FileToken(self.root / name)


@pytest.fixture
def bench(tmp_path: Path) -> FileBench:
    return FileBench(tmp_path)
