"""The form of a delivery contract: TOML, and every key that may stand in it.

A rule in a place where nobody reads it binds nobody, and its writer would believe that
it does: so a key that the form does not know is refused, with its place.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from havre.domain.contract import (
    OF_COLUMNS,
    Contract,
    ExpectedTable,
    Freshness,
    Level,
    Rule,
    RuleKind,
)
from havre.domain.permit_form import shown
from havre.errors import InvalidInput
from havre.values import Digest, parse_name

FORMAT = "havre/v1/contract"
MAX_CONTRACT_BYTES = 256 * 1024
_HINT = "Compare with the example in docs/deliveries.md."


def parse_contract(document: bytes) -> Contract:
    """Read a contract strictly.

    Raises:
        InvalidInput: it is no contract; every fault is named with its place.

    >>> parse_contract(b'format = "havre/v1/contract"\\ndataset = "dcir"\\n')
    Traceback (most recent call last):
    havre.errors.InvalidInput: The contract cannot be read: it lacks holder; it lacks tables. Compare with the example in docs/deliveries.md.
    """
    if len(document) > MAX_CONTRACT_BYTES:
        raise InvalidInput(f"A contract is longer than {MAX_CONTRACT_BYTES} bytes.")
    try:
        body = tomllib.loads(document.decode("utf-8"))
    except (ValueError, RecursionError) as fault:
        raise InvalidInput(
            f"The contract is not TOML: {shown(str(fault), most=200)}.", hint=_HINT
        ) from None
    faults = list(_faults_of(body)) or list(_faults_of_sense(body))
    if faults:
        raise InvalidInput(f"The contract cannot be read: {'; '.join(faults)}.", hint=_HINT)
    return _read(body, Digest(hashlib.sha256(document).hexdigest()))


def _is_share(value: Any) -> bool:
    return type(value) in (int, float) and value >= 0


def _is_whole(value: Any) -> bool:
    return type(value) is int and value > 0


def _one_of(*words: str) -> tuple[str, Callable[[Any], bool]]:
    return f"one of {', '.join(words)}", lambda value: value in words


def _list_of(is_one: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and all(map(is_one, value))


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


_Kind = tuple[str, Callable[[Any], bool]]
_TEXT: _Kind = ("a text", _is_text)
_TEXTS: _Kind = ("a list of texts", _list_of(_is_text))
_SHARE: _Kind = ("a share such as 0.95, at least 0", _is_share)
_DAYS: _Kind = ("a whole number of days, at least 1", _is_whole)
_LEVEL: _Kind = _one_of(*Level)

# What may stand where; a key with `!` must.
_TOP: Mapping[str, _Kind] = MappingProxyType(
    {
        "format!": _one_of(FORMAT),
        "dataset!": _TEXT,
        "holder!": _TEXT,
        "schema_years": ("a list of years", _list_of(_is_whole)),
        "tables!": ("a list of [[tables]]", _list_of(lambda one: isinstance(one, dict))),
        "freshness": ("a section [freshness]", lambda value: isinstance(value, dict)),
        "rules": ("a list of [[rules]]", _list_of(lambda one: isinstance(one, dict))),
    }
)
_TABLE: Mapping[str, _Kind] = MappingProxyType(
    {"name!": _TEXT, "presence!": _one_of("must", "optional"), "key": _TEXTS}
)
_FRESHNESS: Mapping[str, _Kind] = MappingProxyType(
    {"level!": _LEVEL, "covers_days": _DAYS, "at_most_days_after": _DAYS, "every_days": _DAYS}
)
_RULE: Mapping[str, _Kind] = MappingProxyType(
    {
        "name!": _TEXT,
        "level!": _LEVEL,
        "kind!": _one_of(*RuleKind),
        "table!": _TEXT,
        "column": _TEXT,
        "at_least": _SHARE,
        "at_most": _SHARE,
        "values": _TEXTS,
    }
)


def _faults_of(body: Mapping[str, Any]) -> Iterator[str]:
    """Find every key that is missing, unknown or of another type."""
    yield from _faults_of_section("it", body, _TOP)
    for number, table in enumerate(_dicts(body.get("tables")), 1):
        yield from _faults_of_section(f"table {number}", table, _TABLE)
    for number, rule in enumerate(_dicts(body.get("rules")), 1):
        yield from _faults_of_section(f"rule {number}", rule, _RULE)
    if isinstance(body.get("freshness"), dict):
        yield from _faults_of_section("[freshness]", body["freshness"], _FRESHNESS)


def _faults_of_section(
    where: str, section: Mapping[str, Any], keys: Mapping[str, _Kind]
) -> Iterator[str]:
    known = {key.rstrip("!"): kind for key, kind in keys.items()}
    for key in sorted(set(section) - set(known)):
        yield f"{where} has no key {shown(key)}"
    for key in keys:
        if key.endswith("!") and key[:-1] not in section:
            yield f"{where} lacks {key[:-1]}"
    for key, (kind, is_one) in known.items():
        if key in section and not is_one(section[key]):
            yield f"{key} of {where} is not {kind}"


def _faults_of_sense(body: Mapping[str, Any]) -> Iterator[str]:
    """Find what is well formed and makes no sense."""
    for key in ("dataset", "holder"):
        try:
            parse_name(body[key])
        except InvalidInput:
            yield f"{key} of it is no short name"
    if not body["tables"]:
        yield "it expects no table"
    tables, rules = body["tables"], body.get("rules", [])
    expected = [table["name"] for table in tables]
    yield from _twice("table", expected)
    yield from _twice("rule", [rule["name"] for rule in rules])
    if len(body.get("freshness", {"level": "must", "days": 1})) < 2:
        yield "[freshness] agrees on no days"
    for number, rule in enumerate(rules, 1):
        yield from _faults_of_rule(f"rule {number}", rule, expected)


def _faults_of_rule(where: str, rule: Mapping[str, Any], expected: list[str]) -> Iterator[str]:
    kind = RuleKind(rule["kind"])
    if rule["table"] not in expected:
        yield f"{where} is about table {shown(rule['table'])}, which is not expected"
    if (kind in OF_COLUMNS) != ("column" in rule):
        yield f"{where} is of kind {kind} and {'has a' if 'column' in rule else 'lacks the'} column"
    if "values" in rule and kind is not RuleKind.VALUES:
        yield f"{where} is of kind {kind} and has values"
    low, high = rule.get("at_least"), rule.get("at_most")
    if low is None and high is None:
        yield f"{where} has neither at_least nor at_most"
    elif low is not None and high is not None and low > high:
        yield f"{where} has an at_least above its at_most"
    if kind is not RuleKind.ROWS and max(low or 0, high or 0) > 1:
        yield f"{where} has a share above 1"


def _twice(what: str, names: list[str]) -> Iterator[str]:
    for name in sorted({each for each in names if names.count(each) > 1}):
        yield f"{what} {shown(name)} stands twice"


def _read(body: Mapping[str, Any], sha256: Digest) -> Contract:
    return Contract(
        dataset=body["dataset"],
        holder=body["holder"],
        tables=tuple(
            ExpectedTable(
                each["name"],
                Level.MUST if each["presence"] == "must" else Level.SHOULD,
                tuple(each.get("key", ())),
            )
            for each in body["tables"]
        ),
        schema_years=tuple(sorted(body.get("schema_years", ()))),
        freshness=_read_freshness(body.get("freshness")),
        rules=tuple(_read_rule(each) for each in body.get("rules", ())),
        sha256=sha256,
    )


def _read_freshness(body: Mapping[str, Any] | None) -> Freshness | None:
    if body is None:
        return None
    return Freshness(
        Level(body["level"]),
        body.get("covers_days"),
        body.get("at_most_days_after"),
        body.get("every_days"),
    )


def _read_rule(body: Mapping[str, Any]) -> Rule:
    return Rule(
        name=body["name"],
        level=Level(body["level"]),
        kind=RuleKind(body["kind"]),
        table=body["table"],
        column=body.get("column"),
        at_least=body.get("at_least"),
        at_most=body.get("at_most"),
        values=tuple(body.get("values", ())),
    )


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
