"""The record of a ceremony as a page to print and sign: HTML for the eye, text for `sha256sum`.

No script, no font or picture from elsewhere: what is printed today prints in fifty
years. The text has the annex's lines as they are hashed, each on a line of its own.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from functools import partial
from importlib import resources

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup, escape

from havre.adapters.paper.words import word
from havre.domain.ceremony_record import CeremonyRecord

_WIDTH = 78
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
    return _render("record.html", language=language, record=record, moment=_moment(record)).encode()


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
        _titled(f"{say('title')}\n{say('copy_of')} {record.custodian.name}", "="),
        _titled(say("act"), "-"),
        "\n".join(_fact(name, value) for name, value in facts),
        _filled(say("says")),
        _titled(say("verify"), "-"),
        _steps(say),
        _titled(say("epoch_key"), "-"),
        "\n".join(
            (
                f"[ ] {say('in_token')} ____________________",
                f"[ ] {say('on_paper')} ____________________",
                f"[ ] {say('in_file')}",
            )
        ),
        _titled(say("presence"), "-"),
        f"{_filled(say('attest'))}\n{record.digest}",
        _presence(say),
        _titled(say("annex"), "-"),
        "\n".join(record.lines),
    ]
    return ("\n\n".join(parts) + "\n").encode()


def _presence(say: Callable[[str], str]) -> str:
    fields = [f"{say(name) + ' ':.<26} {'_' * 40}" for name in _FIELDS]
    columns = [say(name) for name in ("name", "capacity", "signature")]
    heads = "".join(f"{column:<26}" for column in columns).rstrip()
    lines = ["  ".join(["_" * 24] * 3)] * _SIGNERS
    remarks = [say("remarks"), *["_" * _WIDTH] * 2]
    return "\n\n".join(["\n".join(fields), heads, *lines, "\n\n".join(remarks)])


def _steps(say: Callable[[str], str]) -> str:
    lines = []
    for number, (name, command) in enumerate(_STEPS.items(), start=1):
        text = f"{number}. {say(name).replace('`', '')}"
        lines.append(_filled(text, indent="   "))
        lines.extend([f"      {command}"] if command else [])
    return "\n".join(lines)


def _filled(text: str, *, indent: str = "") -> str:
    return textwrap.fill(text, _WIDTH, subsequent_indent=indent, break_on_hyphens=False)


def _titled(title: str, under: str) -> str:
    return f"{title}\n{under * max(map(len, title.splitlines()))}"


def _fact(name: str, value: str) -> str:
    return textwrap.fill(
        f"{name + ' ':.<26} {value}",
        # A hash stays whole, so that it can be searched for.
        max(_WIDTH, 27 + 64),
        subsequent_indent=" " * 27,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _moment(record: CeremonyRecord) -> str:
    return f"{record.note.accepted_at:%Y-%m-%d %H:%M:%S}"


def _render(template: str, *, language: str, **values: object) -> str:
    environment = Environment(
        loader=FunctionLoader(_resource),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(
        t=partial(word, language=language),
        language=language,
        style=Markup(_resource("record.css")),  # noqa: S704 - our own file
        grouped=_grouped,
        coded=_coded,
        steps=_STEPS,
        fields=_FIELDS,
        signers=_SIGNERS,
        **values,
    )


def _grouped(digest: str) -> str:
    """Cut hexadecimal digits into groups of eight, which the eye can compare."""
    return " ".join(digest[at : at + 8] for at in range(0, len(digest), 8))


def _coded(text: str) -> Markup:
    """Set what stands between backquotes as code."""
    parts = [escape(part) for part in text.split("`")]
    parts[1::2] = [Markup("<code>{}</code>").format(part) for part in parts[1::2]]
    return Markup("").join(parts)


def _resource(name: str) -> str:
    return resources.files("havre.adapters.paper").joinpath(f"templates/{name}").read_text("utf-8")
