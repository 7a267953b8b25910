"""A custodian's store lies under an epoch key: whoever ends the epoch erases what is not carried over.

Real files and a real token; where a crash is tried, the process is killed at
its n-th flush to the disk, for every n there is.
"""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from havre.adapters.custody.shares import ShareStore
from havre.adapters.tokens.file import FileToken, create_party
from havre.domain.custody import ReleaseRefused
from havre.domain.trust import Role
from havre.errors import InvalidInput, NotGenuine, Refused
from havre.formats.canonical import Json

# A later Python warns of forks where pytest has threads; the child only writes files.
pytestmark = pytest.mark.filterwarnings("ignore:This process.*fork:DeprecationWarning")
FIRST, SECOND, THIRD = "1" * 32, "2" * 32, "3" * 32


def share(partition: str, words: str = "academic acid") -> dict[str, Json]:
    return {"id": partition, "salt": "00" * 32, "text": "secret/stage-2/1", "words": words}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    create_party(tmp_path / "custodian-1", name="custodian-1", role=Role.CUSTODIAN, operator="a")
    store(tmp_path / "custodian-1").keep([share(FIRST), share(SECOND), share(THIRD)])
    return tmp_path / "custodian-1"


def store(folder: Path) -> ShareStore:
    """The store, as a new process would open it."""
    return ShareStore(folder, keys=FileToken(folder), custodian="custodian-1")


def test_an_epoch_that_ends_takes_what_is_not_carried_over_with_it(folder: Path) -> None:
    turn = store(folder).new_epoch([SECOND])

    assert turn.erased == (FIRST, THIRD)
    assert [*store(folder).partitions()] == [SECOND]
    assert store(folder).open(SECOND)["words"] == "academic acid"
    for erased in turn.erased:
        with pytest.raises(ReleaseRefused, match="no share"):
            store(folder).open(erased)


def test_a_backup_of_an_epoch_that_ended_opens_nothing(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder / "epochs", tmp_path / "backup")
    store(folder).new_epoch([SECOND])
    shutil.rmtree(folder / "epochs")
    shutil.copytree(tmp_path / "backup", folder / "epochs")

    with pytest.raises(Refused, match="destroyed the key of epoch 1"):
        store(folder).open(FIRST)


def test_the_shares_that_go_on_lie_under_a_new_key(folder: Path) -> None:
    ended = store(folder).begin_epoch()
    turn = store(folder).new_epoch([FIRST, SECOND, THIRD])
    begun = store(folder).begin_epoch()

    assert (turn.ended, turn.ended_key, turn.erased) == (*ended, ())
    assert begun[0] == turn.begun == 2
    assert begun[1] != ended[1]


def test_the_history_says_what_each_end_has_erased(folder: Path) -> None:
    turns = [store(folder).new_epoch(keep) for keep in ([FIRST, SECOND], [SECOND], [])]

    assert store(folder).history() == turns
    assert [turn.erased for turn in turns] == [(THIRD,), (FIRST,), (SECOND,)]


def test_a_share_that_is_not_held_cannot_be_carried_over(folder: Path) -> None:
    with pytest.raises(InvalidInput, match="no share of 1"):
        store(folder).new_epoch([FIRST, "4" * 32])

    assert len(store(folder).partitions()) == 3


def test_an_altered_history_is_noticed(folder: Path) -> None:
    (folder / "epochs" / "000001" / "history").write_bytes(b'[{"ended":1}]')

    with pytest.raises(NotGenuine, match="history"):
        store(folder).history()


def test_a_store_whose_disk_is_not_mounted_is_not_begun_anew(folder: Path, tmp_path: Path) -> None:
    (folder / "epochs").rename(tmp_path / "elsewhere")
    with pytest.raises(Refused):
        store(folder).keep([share(FIRST)])
    shutil.rmtree(folder / "epochs")
    (tmp_path / "elsewhere").rename(folder / "epochs")

    assert len(store(folder).partitions()) == 3


def test_a_key_file_that_is_gone_is_named(folder: Path) -> None:
    (folder / "epochs" / "000001" / "key").unlink()

    with pytest.raises(NotGenuine, match="lost its key file"):
        store(folder).partitions()


# What a process does to the disk, one call at a time.
STEPS = ("fsync", "rename", "unlink", "rmdir")


def killed_at(step: int, act: Callable[[], object]) -> bool:
    """Do an act in a child that is killed at its n-th step; whether it was killed."""
    child = os.fork()
    if child == 0:
        left = step
        for name in STEPS:
            true = getattr(os, name)

            def dying(
                *words: object, _true: Callable[..., object] = true, **more: object
            ) -> object:
                nonlocal left
                left -= 1
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                return _true(*words, **more)

            setattr(os, name, dying)
        act()
        os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def test_a_store_killed_anywhere_is_in_the_old_epoch_or_the_new_one(folder: Path) -> None:
    for step in range(1, 200):
        copy = folder.with_name(f"copy-{step}")
        shutil.copytree(folder, copy)
        if not killed_at(step, lambda at=copy: store(at).new_epoch([SECOND])):  # type: ignore[misc]
            break
        held = set(store(copy).partitions())
        erased = [turn.erased for turn in store(copy).history()]

        assert (held, erased) in (
            ({FIRST, SECOND, THIRD}, []),
            ({SECOND}, [(FIRST, THIRD)]),
        )
        left = sorted(path.name for path in copy.glob("epoch-*.secret.json"))
        if erased:
            assert left == ["epoch-2.secret.json"]
        assert "epoch-1.secret.json" in left or erased

        store(copy).new_epoch([SECOND])
        assert [*store(copy).partitions()] == [SECOND]
        assert len([*copy.glob("epoch-*.secret.json")]) == 1
    assert step > 10


def test_the_first_epoch_killed_anywhere_begins_all_the_same(tmp_path: Path) -> None:
    for step in range(1, 200):
        folder = tmp_path / f"custodian-{step}"
        create_party(folder, name="custodian-1", role=Role.CUSTODIAN, operator="a")
        if not killed_at(step, lambda at=folder: store(at).keep([share(FIRST)])):  # type: ignore[misc]
            break
        store(folder).keep([share(FIRST)])

        assert [*store(folder).partitions()] == [FIRST]
    assert step > 5
