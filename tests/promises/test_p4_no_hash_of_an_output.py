"""P4: an output that nobody has checked leaves no hash by which its content could be guessed.

PROTOCOLS section 8: a small table has few possible contents, and whoever hashes all of
them finds the one whose plain hash stands on a public log.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from fakes.small_hub import PERMIT_NAME, copy_of, granted, tiny_code
from havre.domain.events import JobRan, encode_event, events_of
from havre.domain.job import outputs_document


def test_the_log_says_nothing_of_an_output_that_its_content_would_betray(tmp_path: Path) -> None:
    hub = copy_of(granted(), tmp_path)
    opened = hub.open()
    researcher = hub.token("researcher")
    jobs = [
        opened.runs.run(PERMIT_NAME, tiny_code(), researcher=researcher).record for _ in range(2)
    ]
    files = opened.bundles.open(jobs[0])
    events = [logged.event for logged in opened.log.entries()]
    site = b"".join(path.read_bytes() for path in (hub.hub / "site").rglob("*") if path.is_file())
    public = b"".join(map(encode_event, events)) + site
    plain = [hashlib.sha256(body) for body in files.values()]
    plain.append(hashlib.sha256(outputs_document(jobs[0].files)))
    first, second = events_of(events, JobRan)

    assert files
    assert jobs[0].files == jobs[1].files
    for digest in plain:
        assert digest.hexdigest().encode() not in public
        assert digest.digest() not in public
    assert first.outputs_commitment != second.outputs_commitment
