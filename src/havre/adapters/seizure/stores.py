"""Seizing what stores give out: for a bucket, whose disks are not here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from havre.ports.objects import ObjectStore
from havre.ports.seizure import SeizedFile, Seizure
from havre.values import ObjectId, parse_object_id


class SeizedStores:
    """`ports.seizure.Seizure` over some stores, each under a name.

    It sees whole objects only: what a host keeps besides, such as uploads that broke
    off, is on its own disks.
    """

    def __init__(self, stores: Mapping[str, ObjectStore], *, sizes: Mapping[ObjectId, int]) -> None:
        """Seize these stores.

        sizes: bytes of the objects whose size is known without reading them.
        """
        self._stores = stores
        self._sizes = sizes

    def list_files(self) -> Iterator[SeizedFile]:
        """List every object as a directory would have it."""
        for place, store in self._stores.items():
            for object_id in store.list_objects():
                name = f"objects/{object_id[:2]}/{object_id}"
                yield SeizedFile(place, name, self._sizes.get(object_id, 0))

    def read(self, file: SeizedFile) -> Iterator[bytes]:
        """Read one object."""
        return self._stores[file.place].get(parse_object_id(file.name.rpartition("/")[2]))


class SeizedTogether:
    """Several seizures as one; no two of them have a place of the same name."""

    def __init__(self, *parts: Seizure) -> None:
        self._parts = parts
        self._part_of: dict[str, Seizure] = {}

    def list_files(self) -> Iterator[SeizedFile]:
        """List the files of each."""
        for part in self._parts:
            for file in part.list_files():
                self._part_of[file.place] = part
                yield file

    def read(self, file: SeizedFile) -> Iterator[bytes]:
        """Read a file that was listed."""
        return self._part_of[file.place].read(file)
