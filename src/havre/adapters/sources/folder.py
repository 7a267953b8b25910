"""One delivery in a directory, whatever its files are: each kind of layout has its reader."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType

from havre.adapters.sources import fhir, parquet
from havre.adapters.sources.delimited import DelimitedFolder, Shape
from havre.adapters.sources.encodings import encoding_of
from havre.adapters.sources.fixed_width import FixedWidthRows
from havre.adapters.sources.wanted import Wanted
from havre.adapters.sources.watched import WatchedRows
from havre.domain.announcement import FoundFile
from havre.domain.layout import Layout, LayoutKind
from havre.ports.sources import SplitRows
from havre.values import Digest

_NO_FORMS: Mapping[str, str] = MappingProxyType({})


class HolderFolder:
    """`ports.sources.DeliveryFolder`."""

    def __init__(self, folder: Path, *, aside: Path) -> None:
        """Read from `folder`; keep what cannot be split under `aside`, at the holder."""
        self._text = DelimitedFolder(folder, aside=aside)

    def announcement(self) -> str:
        """Read `delivery.toml`."""
        return self._text.announcement()

    def beside(self, path: str) -> str:
        """Read a file of places."""
        return self._text.beside(path)

    def list_files(self) -> Iterator[FoundFile]:
        """List what is there; links are not followed."""
        return self._text.list_files()

    def header(self, path: str, *, layout: Layout) -> tuple[str, ...]:
        """Name a file's columns; none of a file without a byte."""
        if layout.kind is LayoutKind.DELIMITED:
            return self._text.header(path, layout=layout)
        with self._text.open_text(path, layout) as file:
            if not file.read(1):
                return ()
            if layout.kind is LayoutKind.PARQUET:
                file.seek(0)
                return parquet.read_names(file, path=path)
            if layout.kind is LayoutKind.SAS7BDAT:
                from havre.adapters.sources import sas

                file.seek(0)
                return sas.read_names(file, path=path, layout=layout)
        if layout.kind is LayoutKind.FHIR_NDJSON:
            return tuple(fhir.find_resource(layout.table, path=path).columns)
        return tuple(each.name for each in layout.columns)

    def split(
        self,
        path: str,
        *,
        layout: Layout,
        header: Sequence[str],
        kept: Sequence[str],
        constants: Mapping[str, str],
        date_forms: Mapping[str, str] = _NO_FORMS,
        progress: Callable[[int, int], None] | None = None,
    ) -> SplitRows:
        """Read a file's rows."""
        wanted = Wanted(tuple(header), tuple(kept), dict(constants), date_forms)
        rows = self._rows(path, layout, wanted)
        if progress is None:
            return rows
        return WatchedRows(rows, progress, read_bytes=self._text.read_bytes)

    def _rows(self, path: str, layout: Layout, wanted: Wanted) -> SplitRows:
        if layout.kind is LayoutKind.DELIMITED:
            return self._text.split(
                path,
                layout=layout,
                header=wanted.header,
                kept=wanted.kept,
                constants=wanted.constants,
            )
        opened = partial(self._text.open_text, path, layout)
        if layout.kind is LayoutKind.PARQUET:
            return parquet.ParquetRows(opened, wanted, path=path)
        if layout.kind is LayoutKind.SAS7BDAT:
            # Its reader brings pandas along: seconds that nobody else should wait for.
            from havre.adapters.sources import sas

            return sas.SasRows(opened, wanted, path=path, layout=layout)
        shape = Shape(
            layout.delimiter,
            wanted.header,
            wanted.kept,
            dict(wanted.constants),
            encoding_of(layout.encoding),
        )
        aside = self._text.aside(path)
        if layout.kind is LayoutKind.FHIR_NDJSON:
            resource = fhir.find_resource(layout.table, path=path)
            return fhir.FhirRows(opened, shape, aside=aside, resource=resource)
        return FixedWidthRows(opened, shape, aside=aside, columns=layout.columns)

    def keep_aside(self, path: str, *, layout: Layout) -> Digest | None:
        """Copy lines as they are, where they were and why beside them."""
        return self._text.keep_aside(path, layout=layout)

    def recall_aside(self, kept: Mapping[str, Digest]) -> frozenset[str]:
        """Take up what was kept before, by its hash."""
        return self._text.recall_aside(kept)

    def place_aside(self) -> None:
        """Give what was kept its name."""
        self._text.place_aside()
