"""A quality label as canonical JSON: kept beside the description of its version, and published."""

from __future__ import annotations

from datetime import date
from typing import Any

from havre.domain.quality import Element, Judgement, QualityLabel
from havre.errors import InvalidInput
from havre.formats.canonical import Json, encode_canonical, parse_canonical

FORMAT = "havre/v1/quality-label"
# The kind of the document that the records keep, under the id of the version's event.
KIND_QUALITY = "quality-label"
_MAX_LABEL_BYTES = 64 * 1024


def encode_label(label: QualityLabel) -> bytes:
    """Write a label."""
    return encode_canonical(
        {
            "covers_until": label.covers_until,
            "dataset": label.dataset,
            "delivered_on": label.delivered_on.isoformat(),
            "elements": {each.element.value: _judgement_json(each) for each in label.judgements},
            "format": FORMAT,
            "version": label.version,
        }
    )


def parse_label(document: bytes) -> QualityLabel:
    """Read a label strictly.

    Raises:
        InvalidInput: it is none, or misses something.
    """
    body: Any = parse_canonical(document, limit_bytes=_MAX_LABEL_BYTES)
    try:
        if body["format"] != FORMAT:
            raise InvalidInput("This is no quality label.")
        return QualityLabel(
            body["dataset"],
            body["version"],
            tuple(_judgement(element, body["elements"][element.value]) for element in Element),
            body["covers_until"],
            date.fromisoformat(body["delivered_on"]),
        )
    except (KeyError, TypeError, ValueError) as fault:
        raise InvalidInput("A quality label misses something, or spells it otherwise.") from fault


def _judgement_json(judgement: Judgement) -> Json:
    return {
        "faults": judgement.faults,
        "level": judgement.level,
        "lines": judgement.lines,
        "measured": judgement.measured,
    }


def _judgement(element: Element, body: Any) -> Judgement:
    return Judgement(element, body["level"], body["measured"], body["lines"], body["faults"])
