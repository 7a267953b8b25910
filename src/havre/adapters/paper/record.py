"""The record of a ceremony as a page to print and sign: HTML for the eye, text for `sha256sum`.

No script, no font or picture from elsewhere: what is printed today prints in fifty
years. The text has the annex's lines as they are hashed, each on a line of its own.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from functools import partial

from havre.adapters.paper.page import WIDTH, render, titled
from havre.adapters.paper.words import word
from havre.domain.ceremony_record import CeremonyRecord

_SIGNERS = 6
_FIELDS = ("place", "begun", "ended", "machine")
# What a reader does, in order, and the command that does it.
_STEPS = {
    "verify_log": "python verify_log.py SITE --trust trust.json",
    "verify_annex": "",
    "verify_digest": "grep -E '^[0-9a-f]{32} [0-9a-f]{64}$' record.txt | sha256sum",
    "verify_key": "",
}


def record_html(record: CeremonyRecord, *, language: str) -> bytes:
    """Write the record as one page of HTML that needs nothing else."""
    return render(
        "record.html",
        language=language,
        record=record,
        moment=_moment(record),
        steps=_STEPS,
        fields=_FIELDS,
        signers=_SIGNERS,
    ).encode()


def record_text(record: CeremonyRecord, *, language: str) -> bytes:
    """Write the same as plain text."""
    say = partial(word, language=language)
    note = record.note
    facts = [
        (say("ceremony"), note.ceremony),
        (say("origin"), record.origin),
        (say("accepted_at"), f"{_moment(record)} UTC, {say('by_its_clock')}"),
        (say("custodian"), f"{record.custodian.name} · {record.custodian.operator}"),
        (say("key_id"), record.custodian.key_id),
        (say("partitions"), str(len(record.lines))),
        (say("digest"), record.digest),
        (say("threshold"), say("of").format(record.threshold, ", ".join(record.custodians))),
        (say("entries"), ", ".join(map(str, record.entries))),
        (say("head"), say("head_is").format(record.head.size, record.head.root.hex())),
        (say("epoch"), f"{say('number').format(note.epoch)} {note.epoch_key}"),
    ]
    parts = [
        titled(f"{say('title')}\n{say('copy_of')} {record.custodian.name}", "="),
        titled(say("act"), "-"),
        "\n".join(_fact(name, value) for name, value in facts),
        _filled(say("says")),
        titled(say("verify"), "-"),
        _steps(say),
        titled(say("epoch_key"), "-"),
        "\n".join(
            (
                f"[ ] {say('in_token')} ____________________",
                f"[ ] {say('on_paper')} ____________________",
                f"[ ] {say('in_file')}",
            )
        ),
        titled(say("presence"), "-"),
        f"{_filled(say('attest'))}\n{record.digest}",
        _presence(say),
        titled(say("annex"), "-"),
        "\n".join(record.lines),
    ]
    return ("\n\n".join(parts) + "\n").encode()


def _presence(say: Callable[[str], str]) -> str:
    fields = [f"{say(name) + ' ':.<26} {'_' * 40}" for name in _FIELDS]
    columns = [say(name) for name in ("name", "capacity", "signature")]
    heads = "".join(f"{column:<26}" for column in columns).rstrip()
    lines = ["  ".join(["_" * 24] * 3)] * _SIGNERS
    remarks = [say("remarks"), *["_" * WIDTH] * 2]
    return "\n\n".join(["\n".join(fields), heads, *lines, "\n\n".join(remarks)])


def _steps(say: Callable[[str], str]) -> str:
    lines = []
    for number, (name, command) in enumerate(_STEPS.items(), start=1):
        text = f"{number}. {say(name).replace('`', '')}"
        lines.append(_filled(text, indent="   "))
        lines.extend([f"      {command}"] if command else [])
    return "\n".join(lines)


def _filled(text: str, *, indent: str = "") -> str:
    return textwrap.fill(text, WIDTH, subsequent_indent=indent, break_on_hyphens=False)


def _fact(name: str, value: str) -> str:
    return textwrap.fill(
        f"{name + ' ':.<26} {value}",
        # A hash stays whole, so that it can be searched for.
        max(WIDTH, 27 + 64),
        subsequent_indent=" " * 27,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _moment(record: CeremonyRecord) -> str:
    return f"{record.note.accepted_at:%Y-%m-%d %H:%M:%S}"
