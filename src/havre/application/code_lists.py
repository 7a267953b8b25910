"""Lists of codes that the hub keeps: those that its tables name, as they were imported last.

No entry of the log is made for one: the check report of a delivery names each list that its
codes were counted by, with the list's SHA-256, and the log commits to the report.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from havre.domain.code_system import CodeSystem, has_codes, name_of_list
from havre.domain.code_system_text import encode_code_system, parse_code_system
from havre.domain.schema import Catalogue, TableSchema
from havre.errors import NotFound
from havre.ports.records import Document, Records

KIND_CODE_LIST = "code-list"


@dataclass(frozen=True, slots=True)
class KeptList:
    """A list as it is kept; sha256 in hexadecimal."""

    system: CodeSystem
    sha256: str


class CodeLists:
    """Keeps lists of codes."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def keep(self, systems: Iterable[CodeSystem]) -> None:
        """Keep lists, each in place of an earlier one of its name.

        Raises:
            InvalidInput: one is too long; none is kept then.
        """
        documents = [
            Document(KIND_CODE_LIST, name_of_list(each.name), encode_code_system(each))
            for each in systems
        ]
        self._records.commit([], documents)

    def find(self, name: str) -> KeptList | None:
        """Find a list, by its name as a table has it; null when none is kept.

        Raises:
            InvalidInput: it is damaged.
        """
        try:
            document = self._records.document(KIND_CODE_LIST, name_of_list(name))
        except NotFound:
            return None
        return KeptList(parse_code_system(document), hashlib.sha256(document).hexdigest())

    def of_table(self, schema: TableSchema) -> dict[str, KeptList]:
        """Find the lists of a table's columns, by column; one that has none kept is left out.

        Raises:
            InvalidInput: one is damaged.
        """
        wanted = {each.name: each.code_list for each in schema.columns if has_codes(each)}
        lists = {name: self.find(name) for name in set(wanted.values())}
        return {column: kept for column, name in wanted.items() if (kept := lists[name])}


def named_lists(catalogue: Catalogue) -> frozenset[str]:
    """Name the lists that the tables of a hub name, as `name_of_list` spells them."""
    return frozenset(
        name_of_list(column.code_list)
        for table in catalogue.tables
        for column in table.columns
        if has_codes(column)
    )
