"""P6: a host that vanishes takes nothing with it that nobody else has, and comes back to nothing.

No departure was packed: there are a backup of the records, a replica of the store, the
custodians' copies of the log, and the parties.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from fakes.correcting import late
from fakes.lost import REPLICA, Lost, copy_of_standing, lose, recovered, standing
from fakes.small_hub import PERMIT_NAME, quiet
from fakes.verifier import GENUINE, NOT_GENUINE, verify
from havre.adapters.tokens.file import FileToken
from havre.bootstrap.holders import HolderSide
from havre.bootstrap.hub import OpenHub
from havre.bootstrap.leaving import prepare_host
from havre.bootstrap.recovering import Remains, back_up, recover
from havre.domain.departure import AssetClass
from havre.domain.events import DrillRan, Event, Recovery, events_of
from havre.domain.permit_states import PermitState
from havre.domain.trust import Role
from havre.errors import HavreError, NotGenuine, Refused, Unavailable

KEEPERS = ("custodian-1", "custodian-2", "custodian-3", "escrow")
WORDS = '[publisher]\nname = "Hub"\n'
SHEET = """
format = "havre/v1/host-sheet"
operator = "{operator}"
title = "A host"
[evidence]
grade = "E1"
date = 2026-11-01
source = "Its owner says so"
[seat]
country = "FR"
[[parents]]
name = "owner"
country = "FR"
share = 100
ultimate = true
[does]
parts = ["store"]
"""


def events(folder: Path) -> list[Event]:
    return [each.event for each in OpenHub(folder).log.entries()]


# ------------------------------------------------------------ the way it should go


def test_everything_that_the_log_names_is_there_again_and_the_log_goes_on(tmp_path: Path) -> None:
    lost = copy_of_standing(tmp_path)
    before = [each.event for each in lost.hub.open().log.entries()]
    lose(lost)

    told = recovered(lost)

    after = OpenHub(lost.standby)
    assert [each.event for each in after.log.entries()][: len(before)] == before
    assert (told.index, told.log_size, told.gone_names) == (len(before), len(before), ())
    assert isinstance(after.log.entries()[-1].event, Recovery)
    assert after.place.stores.places[0].path == lost.standby / "../replica"


def test_the_recovered_hub_works_under_the_permits_it_had(tmp_path: Path) -> None:
    lost = copy_of_standing(tmp_path)
    lose(lost)
    recovered(lost)
    hub = OpenHub(lost.standby)
    hub.wake()

    report = hub.extraction.extract(PERMIT_NAME)

    assert report.rows["ER_PRS_F"] > 0
    one_more = late(lost.hub.deliveries / "cepidc-2024", lost.hub.root / "cepidc-late")
    HolderSide(lost.hub.parties / "holder", hub=lost.standby).deliver([one_more], progress=quiet)
    assert hub.receiving.receive().taken_in == (one_more.name,)


def test_entries_that_only_the_escrow_kept_are_not_lost(tmp_path: Path) -> None:
    """A hub goes on when one copy has its entries; the host can vanish before the others follow."""
    lost = copy_of_standing(tmp_path)
    put_back = remember_mirrors(lost, KEEPERS[:-1])
    lost.hub.open().extraction.extract(PERMIT_NAME)
    size = len(events(lost.hub.hub))
    put_back()
    lose(lost)

    assert recovered(lost).log_size == size


@pytest.mark.parametrize("longer", [1, 10**12])
def test_a_custodian_that_claims_to_have_more_of_the_log_than_there_is_stops_nobody(
    tmp_path: Path, longer: int
) -> None:
    lost = copy_of_standing(tmp_path)
    size = len(events(lost.hub.hub))
    checkpoint = lost.hub.parties / "custodian-1" / "mirror" / "log" / "checkpoint"
    lines = checkpoint.read_text().split("\n")
    lines[1] = str(size + longer)
    checkpoint.write_text("\n".join(lines))
    lose(lost)

    assert recovered(lost).log_size == size


def remember_mirrors(lost: Lost, names: Sequence[str]) -> Callable[[], None]:
    """Keep what some parties have of the log; whoever calls what comes back sets them back to it."""
    for name in names:
        shutil.copytree(lost.hub.parties / name / "mirror", lost.root / "before" / name)

    def put_back() -> None:
        for name in names:
            shutil.rmtree(lost.hub.parties / name / "mirror")
            shutil.copytree(lost.root / "before" / name, lost.hub.parties / name / "mirror")

    return put_back


def test_the_operators_words_come_along_but_the_fact_sheet_of_the_machine_that_was_lost(
    tmp_path: Path,
) -> None:
    lost = copy_of_standing(tmp_path)
    hosts = lost.hub.hub / "hosts"
    hosts.mkdir()
    (own,) = lost.hub.open().roots.with_role(Role.HUB)
    for name, operator in (("store", "Store A"), ("own", own.operator)):
        (hosts / f"{name}.toml").write_text(SHEET.format(operator=operator))
    (lost.hub.hub / "catalogue.toml").write_text(WORDS)
    back_up(
        lost.hub.open(),
        name="backup-2",
        card=lost.standby / "host.json",
        package=tmp_path / "with-sheets",
    )
    lose(lost)
    recover(
        lost.standby,
        remains=Remains(tmp_path / "with-sheets", lost.hub.parties, REPLICA),
        controller=lost.hub.parties / "controller",
        progress=quiet,
    )

    assert [each.name for each in (lost.standby / "hosts").iterdir()] == ["store.toml"]
    assert (lost.standby / "catalogue.toml").read_text() == WORDS


def test_a_stranger_follows_the_log_from_before_the_loss_to_after_it(tmp_path: Path) -> None:
    lost = copy_of_standing(tmp_path)
    seen = tmp_path / "seen"
    lost.hub.open()
    shutil.copy(lost.hub.hub / "site" / "log" / "checkpoint", seen)
    lose(lost)
    recovered(lost)
    hub = OpenHub(lost.standby)
    hub.publication.publish()
    trust = lost.hub.parties / "authority-1" / "trust.json"

    done = verify(lost.standby / "site", "--trust", trust, "--seen", seen)

    assert done.returncode == GENUINE, done.stdout
    page = (lost.standby / "site" / "en" / "log.html").read_text()
    assert "Log taken up again after its host was lost" in page
    assert "has handed its log over" not in page


def test_the_lost_host_comes_back_to_nothing(tmp_path: Path) -> None:
    """It has the old key and the records; nobody cosigns what it writes."""
    lost = copy_of_standing(tmp_path)
    lose(lost)
    recovered(lost)
    seized = OpenHub(lost.root / "seized")

    with pytest.raises(HavreError):
        seized.journal.record(
            DrillRan(
                event_id="f" * 32,
                at=seized.clock.now(),
                drill="subpoena",
                verdict="held",
                counters={},
                receipt_sha256="",
            )
        )

    assert events_of(events(lost.standby), DrillRan) == []


def test_what_the_lost_host_cosigned_past_every_mirror_is_not_taken_back(tmp_path: Path) -> None:
    """Witnesses saw an entry that no copy has: the recovery is refused, and says so."""
    lost = copy_of_standing(tmp_path)
    put_back = remember_mirrors(lost, KEEPERS)
    lost.hub.open().permits.decide(
        PERMIT_NAME,
        PermitState.SUSPENDED,
        authority=lost.hub.token("authority-1"),
        reason="a question",
    )
    put_back()
    lose(lost)

    with pytest.raises((NotGenuine, Unavailable)):
        recovered(lost)
    assert not (lost.standby / "havre.toml").exists()


# ------------------------------------------------------------ what is gone is named


def test_what_was_signed_after_the_backup_is_named_as_gone(tmp_path: Path) -> None:
    lost = copy_of_standing(tmp_path)
    lost.hub.open().permits.decide(
        PERMIT_NAME,
        PermitState.SUSPENDED,
        authority=lost.hub.token("authority-1"),
        reason="a question",
    )
    lose(lost)

    told = recovered(lost)

    assert told.log_size == told.backup_size + 1
    assert told.gone == {"permits": 1, "jobs-and-outputs-in-review": 1}


def test_what_was_public_comes_back_from_whoever_kept_a_copy_of_the_site(tmp_path: Path) -> None:
    lost = copy_of_standing(tmp_path)
    opened = lost.hub.open()
    opened.permits.decide(
        PERMIT_NAME,
        PermitState.SUSPENDED,
        authority=lost.hub.token("authority-1"),
        reason="a question",
    )
    opened.publication.publish()
    site = tmp_path / "copy"
    shutil.copytree(lost.hub.hub / "site", site)
    (site / "register" / "other.json").write_text("not what the log names")
    lose(lost)

    assert recovered(lost, site=site).gone == {}
    assert OpenHub(lost.standby).permits.standing(PERMIT_NAME).state is PermitState.SUSPENDED


def test_where_manifests_lie_is_known_again_from_their_hashes(tmp_path: Path) -> None:
    """An extract was made after the backup: its manifest is in the replica, and is found there."""
    lost = copy_of_standing(tmp_path)
    lost.hub.open().extraction.extract(PERMIT_NAME)
    lose(lost)

    told = recovered(lost)

    assert told.log_size > told.backup_size
    assert "keys-and-headers" not in told.gone


def test_an_object_that_no_replica_has_is_named_as_gone(tmp_path: Path) -> None:
    lost = copy_of_standing(tmp_path)
    lose(lost)
    for path in sorted(lost.replica.rglob("*")):
        if path.is_file():
            path.write_bytes(path.read_bytes()[::-1])

    told = recovered(lost)

    assert told.gone == {AssetClass.OBJECTS.value: told.named[AssetClass.OBJECTS.value]}


# ------------------------------------------------------------ who may, and with what


def other_past(lost: Lost) -> None:
    """A backup of a hub that is another one, though it has the same name."""
    manifest = lost.backup / "departure.json"
    body = json.loads(manifest.read_bytes())
    body["log_root"] = "0" * 64
    manifest.write_text(json.dumps(body, sort_keys=True, separators=(",", ":")))


def other_records(lost: Lost) -> None:
    (sealed, *_) = sorted((lost.backup / "records").iterdir())
    sealed.write_bytes(sealed.read_bytes()[::-1])


def other_signature(lost: Lost) -> None:
    envelope = lost.backup / "backup.json"
    body = json.loads(envelope.read_bytes())
    body["signatures"][0]["keyid"] = lost.hub.token("researcher").public.hex()
    envelope.write_text(json.dumps(body, sort_keys=True, separators=(",", ":")))


def more_files(lost: Lost) -> None:
    (lost.backup / "extra").write_text("x")


@pytest.mark.parametrize("spoil", [other_past, other_records, other_signature, more_files])
def test_a_backup_that_is_not_the_hubs_own_is_refused(
    spoil: Callable[[Lost], None], tmp_path: Path
) -> None:
    lost = copy_of_standing(tmp_path)
    lose(lost)
    spoil(lost)

    with pytest.raises(NotGenuine):
        recovered(lost)
    assert not (lost.standby / "havre.toml").exists()


def test_only_the_controller_says_that_a_host_was_lost(tmp_path: Path) -> None:
    lost = copy_of_standing(tmp_path)
    lose(lost)

    with pytest.raises(Refused, match="Only the controller"):
        recover(
            lost.standby,
            remains=Remains(lost.backup, lost.hub.parties, REPLICA),
            controller=lost.hub.parties / "authority-1",
            progress=quiet,
        )


def test_only_the_standby_host_opens_the_backup(tmp_path: Path) -> None:
    lost = copy_of_standing(tmp_path)
    lose(lost)
    shutil.rmtree(lost.standby)
    prepare_host(lost.standby)

    with pytest.raises(NotGenuine):
        recovered(lost)


def test_nothing_clear_is_in_a_backup_but_what_is_public() -> None:
    lost = standing()
    number = (lost.hub.root / "files/truth/people.csv").read_text().split("\n")[1].split(",")[1]

    for path in lost.backup.rglob("*"):
        if path.is_file():
            assert number.encode() not in path.read_bytes()
            if path.parent.name == "records":
                assert b'"havre/v1/' not in path.read_bytes()


def test_a_recovery_that_was_cut_short_is_run_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cut right behind the recovery on the log: the second run does not say it twice."""
    lost = copy_of_standing(tmp_path)
    lose(lost)

    def cut(*_said: object, **_named: object) -> None:
        raise Unavailable("the power is gone")

    with monkeypatch.context() as patched:
        patched.setattr("havre.bootstrap.recovering.take_stock", cut)
        with pytest.raises(Unavailable):
            recovered(lost)
    told = recovered(lost)

    recoveries = events_of(events(lost.standby), Recovery)
    assert len(recoveries) == 1
    assert told.gone_names == ()


def test_a_forged_recovery_is_no_log_to_a_stranger(tmp_path: Path) -> None:
    """The standby signs for itself what the controller did not sign."""
    lost = copy_of_standing(tmp_path)
    lose(lost)
    recovered(lost)
    hub = OpenHub(lost.standby)
    trust = json.loads((lost.hub.parties / "authority-1" / "trust.json").read_text())
    for party in trust["parties"]:
        if party["role"] == "controller":
            party["key"] = FileToken(lost.standby / "party").public.hex()
    other = tmp_path / "other-trust.json"
    other.write_text(json.dumps(trust, sort_keys=True, separators=(",", ":")))

    done = verify(hub.place.site, "--trust", other)

    assert done.returncode == NOT_GENUINE
    assert "is not signed by the controller" in done.stdout


def test_the_commands_do_the_same(tmp_path: Path) -> None:
    lost = copy_of_standing(tmp_path)
    again = tmp_path / "backup-2"
    words = [sys.executable, "-m", "havre"]
    packed = subprocess.run(
        [
            *(*words, "backup", "backup-2", "--hub", str(lost.hub.hub), "--json"),
            *("--for", str(lost.standby / "host.json"), "--out", str(again)),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    lose(lost)
    (tmp_path / "stores.toml").write_text(REPLICA)
    done = subprocess.run(
        [
            *(*words, "recover", str(again), "--hub", str(lost.standby), "--json"),
            *("--parties", str(lost.hub.parties), "--stores", str(tmp_path / "stores.toml")),
            *("--party", str(lost.hub.parties / "controller")),
        ],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["gone"] == {}
    assert json.loads(packed.stdout)["log_entries"] == json.loads(done.stdout)["log_entries_kept"]


def test_a_backup_names_no_folder_that_exists(tmp_path: Path) -> None:
    lost = copy_of_standing(tmp_path)

    with pytest.raises(Refused):
        back_up(
            lost.hub.open(),
            name="backup-2",
            card=lost.standby / "host.json",
            package=lost.backup,
        )
