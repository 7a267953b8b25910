"""What may not leave: rules over output files that a machine can check, before two people look.

What passes is not safe yet: hidden messages in allowed outputs are limited, not
excluded, and that is what checkers are for. Rules of tables are in
`domain.table_rules`, of words in `domain.text_rules`; what can be said of a
broken rule, and to whom, in `domain.findings`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from havre.domain.findings import Finding, Rule
from havre.domain.permit import OutputRules
from havre.domain.table_rules import check_table
from havre.domain.text_rules import check_text, check_words
from havre.errors import InvalidInput
from havre.formats.outputs import SIDECAR, DescribedFile, parse_outputs
from havre.formats.png import check_png

_ENDINGS: Mapping[str, tuple[str, ...]] = {
    "table": (".csv",),
    "figure": (".png",),
    "text": (".txt", ".md"),
}


def check_outputs(files: Mapping[str, bytes], *, rules: OutputRules) -> list[Finding]:
    """Hold every file against the rules; no finding does not mean that it may leave.

    files: plain name to content, the study's description among them.
    """
    try:
        described = parse_outputs(files[SIDECAR])
    except KeyError:
        said = "is missing: nothing says what the files are"
        return [Finding(SIDECAR, Rule.DESCRIPTION, said)]
    except InvalidInput as fault:
        return [Finding(SIDECAR, Rule.DESCRIPTION, fault.message)]
    by_name = {each.name: each for each in described}
    findings = [
        Finding(name, Rule.DESCRIPTION, "is not described")
        for name in sorted(files.keys() - by_name.keys() - {SIDECAR})
    ]
    findings += [
        Finding(name, Rule.DESCRIPTION, "is described and is not there")
        for name in sorted(by_name.keys() - files.keys())
    ]
    findings += check_words(SIDECAR, [word for each in described for word in each.words])
    for name, each in sorted(by_name.items()):
        if name in files:
            findings += _check_file(each, files[name], by_name, rules)
    return findings


def _check_file(
    described: DescribedFile,
    content: bytes,
    others: Mapping[str, DescribedFile],
    rules: OutputRules,
) -> Iterator[Finding]:
    name = described.name
    if described.kind not in rules.kinds:
        yield Finding(name, Rule.PERMIT, f"the permit lets no {described.kind} out")
    if not name.endswith(_ENDINGS[described.kind]):
        yield Finding(name, Rule.FORM, f"is no file of a {described.kind}")
    elif described.kind == "figure":
        yield from _check_figure(described, content, others)
    elif described.kind == "table":
        yield from check_table(described, content, min_count=rules.min_count)
    else:
        yield from check_text(name, content, min_count=rules.min_count)


def _check_figure(
    described: DescribedFile, content: bytes, others: Mapping[str, DescribedFile]
) -> Iterator[Finding]:
    table = others.get(described.underlying or "")
    if table is None or table.kind != "table":
        said = "has no table with the points it shows"
        yield Finding(described.name, Rule.DESCRIPTION, said)
    try:
        check_png(content)
    except InvalidInput as fault:
        yield Finding(described.name, Rule.FORM, fault.message)
