"""A bucket is seized by asking its host for every object, beside directories that are here."""

from __future__ import annotations

from pathlib import Path

from fakes.objects import MemoryObjects
from havre.adapters.seizure.folders import SeizedFolders
from havre.adapters.seizure.stores import SeizedStores, SeizedTogether
from havre.application.drill.search import search_seizure
from havre.crypto.random import new_object_id


def test_every_object_of_a_bucket_and_every_file_of_a_folder_is_searched(tmp_path: Path) -> None:
    bucket, leaked = MemoryObjects(), new_object_id()
    bucket.put(leaked, [b"x" * 300, b"CANARI-in-a-bucket"])
    bucket.put(other := new_object_id(), [b"y"])
    (tmp_path / "left").write_bytes(b"CANARI-in-a-folder")
    seizure = SeizedTogether(
        SeizedFolders({"inbox": tmp_path}),
        SeizedStores({"cloud": bucket}, sizes={leaked: 318, other: 1}),
    )

    found = search_seizure(
        seizure, canaries=["CANARI-in-a-bucket", "CANARI-in-a-folder"], public_keys=frozenset()
    )

    assert found.canaries_read == {0, 1}
    assert found.seized == {
        ("cloud", "an object"): 2,
        ("inbox", "a file that is not ours"): 1,
    }
    assert found.size_bytes == 318 + 1 + 18
    assert {each.file for each in found.sightings} == {
        f"cloud/objects/{leaked[:2]}/{leaked}",
        "inbox/left",
    }
