"""What a study says of its files has one spelling and room for nothing else."""

from __future__ import annotations

import pytest

from fakes.hub_outputs import sidecar
from havre.domain.disclosure import check_outputs
from havre.domain.findings import Rule
from havre.domain.permit import OutputRules
from havre.errors import InvalidInput
from havre.formats.outputs import parse_outputs

RULES = OutputRules(11, ("table", "figure", "text"))
GOOD = sidecar({"name": "t.csv", "counts": ["n"]})
SECRETS = [f"{1930 + at % 70} F Corse" for at in range(5000)]


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"[]",
        b"\xff",
        b"[" * 100_000,
        GOOD.replace(b"havre/v1/outputs", b"havre/v2/outputs"),
        GOOD.replace(b'"kind":"table"', b'"kind":"model"'),
        GOOD.replace(b'"counts":["n"]', b'"counts":"n"'),
        GOOD.replace(b'"counts":["n"]', b'"counts":[1]'),
        GOOD.replace(b'"counts":["n"]', b'"counts":["n","n"]'),
        GOOD.replace(b'"measures":[]', b'"measures":["n"]'),
        GOOD.replace(b'"t.csv"', b'"../t.csv"'),
        GOOD.replace(b'"t.csv"', b'".t.csv"'),
        GOOD.replace(b'"title":"A"', b'"title":""'),
        GOOD.replace(b'"title":"A"', b'"title":"A","title":"B"'),
        GOOD.replace(b'"title":"A"', b'"note":"B","title":"A"'),
        GOOD.replace(b'"title":"A"', b'"title":"\\u0041"'),
        GOOD.replace(b'"title":"A"', b'"title": "A"'),
        GOOD.removesuffix(b"\n"),
        GOOD + b"\n",
        GOOD.removesuffix(b"\n") + b" \t" * 10_000 + b"\n",
        GOOD + b" " * 300_000,
        sidecar({"name": "t.csv", "title": "A" * 121}),
        sidecar({"name": "t" * 60 + ".csv"}),
        sidecar({"name": "t.csv", "counts": ["n" * 61]}),
        sidecar({"name": "t.csv", "counts": [f"n{at}" for at in range(31)]}),
        sidecar({"name": "t.csv", "underlying": "t.csv"}),
        sidecar({"name": "f.png", "kind": "figure"}),
        sidecar({"name": "f.png", "kind": "figure", "counts": SECRETS, "underlying": "t.csv"}),
        sidecar({"name": "t.txt", "kind": "text", "counts": ["1938 F Corse"]}),
        sidecar({"name": "t.csv"}, {"name": "t.csv"}),
        sidecar(*({"name": f"{at}.csv"} for at in range(51))),
    ],
)
def test_a_description_is_read_strictly(document: bytes) -> None:
    assert document != GOOD

    with pytest.raises(InvalidInput):
        parse_outputs(document)
    (finding,) = check_outputs({"outputs.json": document, "t.csv": b"g,n\na,20\n"}, rules=RULES)
    assert finding.rule is Rule.DESCRIPTION


def test_a_description_in_its_one_spelling_is_read() -> None:
    assert [each.name for each in parse_outputs(GOOD)] == ["t.csv"]
