"""FHIR bundles, one a line: the resources that they hold, as lines of their own.

A bundle mixes kinds of resources. Those of the file's kind come out; others are counted. One
whose entries are no list, or with an entry without a resource (as where something was
deleted), cannot be told from a broken one, and is set aside whole.

Source: HL7 FHIR R4 (4.0.1) and R5 (5.0.0), the page of the resource Bundle.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

IS_BUNDLE = "a bundle"
TOO_MUCH = "too much in one line"

_ENTRIES = """
SELECT place, CASE
  WHEN coalesce(json_type(line, '$.entry'), 'ARRAY') <> 'ARRAY' THEN 'entries are no list'
  WHEN len(json_extract(line, '$.entry[*].resource')) < json_array_length(line, '$.entry')
    THEN 'an entry without a resource'
END AS why, json_extract(line, '$.entry[*].resource') AS resources
FROM bundles ORDER BY place"""

_RESOURCES = """
WITH one AS (
  SELECT place, unnest(resources) AS resource, generate_subscripts(resources, 1) AS number
  FROM entries WHERE why IS NULL
)
SELECT place, json_extract_string(resource, '$.resourceType') AS kind, resource::VARCHAR AS line
FROM one ORDER BY place, number"""


@dataclass(frozen=True, slots=True)
class Unpacked:
    """What some bundles hold.

    line, at: of each resource of the wanted kind, in order, its text and the place of its
        bundle, from 0. others: how many resources of another kind each bundle has besides.
    faults: of a bundle that is broken, why; nothing of it comes out.
    """

    line: pa.ChunkedArray
    at: Any
    others: Any
    faults: dict[int, str]

    @classmethod
    def nothing(cls, why: str) -> Unpacked:
        """Nothing of one bundle."""
        empty = pa.chunked_array([], pa.string())
        return cls(empty, np.zeros(0, np.intp), np.zeros(1, np.intp), {0: why})

    def and_then(self, more: Unpacked) -> Unpacked:
        """These bundles, and behind them others."""
        count = len(self.others)
        return Unpacked(
            pa.chunked_array([*self.line.chunks, *more.line.chunks], pa.string()),
            np.concatenate([self.at, more.at + count]),
            np.concatenate([self.others, more.others]),
            self.faults | {count + at: why for at, why in more.faults.items()},
        )


def unpack_bundles(engine: Any, bundles: Any, *, kind: str) -> Unpacked:
    """Take the resources out of bundles.

    engine: a connection of DuckDB. bundles: a column of JSON, each a bundle.
    kind: of the resources that come out.
    """
    engine.register("bundles", pa.table({"place": np.arange(len(bundles)), "line": bundles}))
    entries = engine.execute(_ENTRIES).to_arrow_table()
    engine.register("entries", entries)
    found = engine.execute(_RESOURCES).to_arrow_table()
    engine.unregister("entries")
    engine.unregister("bundles")
    faults = {at: why for at, why in enumerate(entries["why"].to_pylist()) if why}
    at = found["place"].to_numpy()
    kinds = pc.fill_null(found["kind"], "")
    for known, why in (("", "an entry whose resource has no kind"), ("Bundle", "a bundle in it")):
        faults |= dict.fromkeys(map(int, at[pc.equal(kinds, known).to_numpy()]), why)
    whole = ~np.isin(at, list(faults))
    wanted = pc.equal(kinds, kind).to_numpy() & whole
    others = np.bincount(at[whole & ~wanted], minlength=len(bundles))
    return Unpacked(found["line"].filter(pa.array(wanted)), at[wanted], others, faults)
