"""The store in a bucket keeps the port's promises, against a real S3 server."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from contract.suite_objects import *  # noqa: F403
from contract.suite_objects import ONE
from fakes.seaweed import Seaweed, running_seaweed
from havre.adapters.objects.s3 import S3Objects

pytestmark = pytest.mark.integration
_NUMBER = count()


@pytest.fixture(scope="module")
def server() -> Iterator[Seaweed]:
    with running_seaweed() as seaweed:
        yield seaweed


@pytest.fixture
def store(server: Seaweed, tmp_path: Path) -> S3Objects:
    return server.store(f"lake-{next(_NUMBER)}", copies=tmp_path)


def test_an_object_of_many_parts_comes_back_as_it_was_put(store: S3Objects) -> None:
    body = hashlib.shake_256(b"large").digest(50_000_001)

    stored = store.put(ONE, [body[at : at + 999_999] for at in range(0, len(body), 999_999)])

    assert (stored.size_bytes, stored.sha256) == (len(body), hashlib.sha256(body).hexdigest())
    with store.open(ONE, sha256=stored.sha256) as file:
        assert file.read() == body
