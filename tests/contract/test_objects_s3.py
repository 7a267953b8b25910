"""The store in a bucket keeps the port's promises; a real server is in tests/integration."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from contract.suite_objects import *  # noqa: F403
from fakes.s3_host import running_s3_host
from havre.adapters.objects.s3 import S3Objects


@pytest.fixture
def store(tmp_path: Path) -> Iterator[S3Objects]:
    with running_s3_host() as host:
        prepared = host.store(tmp_path)
        prepared.prepare()
        yield prepared
