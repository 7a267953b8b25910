"""The acts of `havre demo`: each plays a part of the job and yields what it tells, as it happens."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from havre.cli.demo_spoiled import SPOILED
from havre.cli.demo_stage import Stage
from havre.cli.demo_texts import APART, ONE_MACHINE, PERMIT, SIGNS, TRIED
from havre.cli.exposure import draw_matrix
from havre.cli.screen import Screen
from havre.cli.services import show_services
from havre.errors import Refused

_PERMIT_NAME = "diabetes-regions"
_REQUEST = "diabetes-1"
# A sentence, or a table that draws itself.
Told: TypeAlias = str | Callable[[Screen], None]


def _found(stage: Stage) -> Iterator[Told]:
    """Found a hub, and start its custodians and witnesses."""
    words = ("--made-up", "--language", "en", "--services", "--parties", str(stage.parties))
    made = stage.havre("init", *words)
    yield (
        f"{made['key_pairs']} key pairs, each split among 3 daily custodians (2 open) and an escrow;"
        " 4 witnesses, of which one may lie."
    )
    ready = stage.serve(stage.hub)
    stage.facts["services"] = ready["services"]
    yield "From here on each of them is a process of its own, which the hub can only ask."
    yield partial(show_services, rows=ready["services"])
    yield f"Separated so far: {ready['separation']}."


def _make_up(stage: Stage) -> Iterator[Told]:
    """Make up people."""
    files = stage.folder / "holder-files"
    made = stage.havre("synth", "--out", str(files), "--people", str(stage.people))
    stage.facts["lines"] = made["lines"]
    yield (
        f"{_count(stage.people)} people over 3 years: {_count(made['lines'])} lines in"
        f" {made['deliveries']} deliveries; a handful of lines are broken on purpose."
    )


def _take_in(stage: Stage) -> Iterator[Told]:
    """Deliver and ingest."""
    folders = sorted((stage.folder / "holder-files" / "deliveries").iterdir())
    stage.havre("deliver", *map(str, folders), party="holder")
    rows = stage.havre("ingest", "--report", str(stage.folder / "ingest.json"))["rows"]
    stage.facts["datasets"] = rows
    accepted = sum(row["accepted"] for row in rows)
    held = sum(row["set_aside_at_the_holder"] for row in rows)
    aside = sum(row["set_aside_at_the_hub"] for row in rows)
    if accepted + held + aside != stage.facts["lines"]:
        raise Refused("Lines were lost on the way in.")
    yield (
        f"{_count(stage.facts['lines'])} lines in = {_count(accepted)} accepted + {aside} set aside"
        f" at the hub + {held} set aside at the holder."
    )
    yield "The hub's processes could not read the holder's directory; the store holds ciphertext."


def _permit(stage: Stage) -> Iterator[Told]:
    """Ask for a permit."""
    text = stage.folder / "permit.toml"
    text.write_text(PERMIT.format(environment=stage.facts["environment"]), encoding="utf-8")
    stage.havre("permit", "ask", str(text), party="researcher")
    stage.havre("permit", "sign", _PERMIT_NAME, party="researcher", expect=3)
    stage.havre("permit", "sign", _PERMIT_NAME, party="authority-1")
    granted = stage.havre("permit", "sign", _PERMIT_NAME, party="authority-2")
    yield (
        "The applicant's own signature was refused; two authorities signed:"
        f" {granted['state']}, entry {granted['entry']} of the log."
    )


def _cut(stage: Stage) -> Iterator[Told]:
    """Make the extract."""
    made = stage.havre("extract", _PERMIT_NAME)
    rows = sum(made["rows"].values())
    yield (
        f"Custodians checked permit, log and witnesses themselves; {_count(rows)} rows of"
        f" {len(made['rows'])} tables, under pseudonyms and keys of this project alone."
    )


def _run_first(stage: Stage) -> Iterator[Told]:
    """Run the study."""
    job = stage.run_study("one-more", permit=_PERMIT_NAME)
    stage.facts["first"] = job["job"]
    yield (
        f"Ended within {job['within_s']} s, with no network, no key, no way out but its files;"
        " they are sealed again at once."
    )


def _review(stage: Stage) -> Iterator[Told]:
    """Review and release."""
    request = ("submit", _REQUEST)
    back = stage.havre(*request, stage.facts["first"], party="researcher", expect=3)
    yield f"Sent back by the machine's check, of which its author hears: {_and(back['rules'])}."
    seen = stage.havre("review", _REQUEST, party="checker-1")
    where = [each for each in seen["findings"] if not each.endswith("please look")]
    yield f"A checker sees where: {_and(where)}."
    job = stage.run_study(permit=_PERMIT_NAME)
    stage.havre(*request, job["job"], party="researcher")
    stage.havre("release", _REQUEST, expect=3)
    stage.havre("review", _REQUEST, party="checker-1")
    stage.havre("vote", _REQUEST, "approve", party="checker-1")
    stage.havre("vote", _REQUEST, "approve", party="checker-2")
    left = stage.havre("release", _REQUEST)
    stage.facts["released"] = left["place"]
    yield (
        "Corrected and run again; a release before the votes was refused; two checkers approved,"
        " blind to each other."
    )
    yield f"Released: {', '.join(left['files'])}."


def _verify(stage: Stage) -> Iterator[Told]:
    """Publish, and have a stranger check it."""
    written = stage.havre("publish")
    yield f"The public register is {written['files']} files. The stranger's program says of them:"
    yield from _verified(stage, stage.hub)
    trust = _trust(stage)
    for name, spoil in SPOILED.items():
        copy = stage.folder / "spoiled" / name.replace(" ", "-")
        shutil.copytree(stage.hub / "site", copy)
        done = stage.verify(copy, *trust, *spoil(copy))
        if done.returncode == 0:
            raise Refused(f"The verifier accepted a log with {name}.")
        reason = (done.stderr or done.stdout).strip().splitlines()[-1]
        yield f"{name}: {reason}"
    shutil.rmtree(stage.folder / "spoiled")


def _leave(stage: Stage) -> Iterator[Told]:
    """Move to another host."""
    package = stage.folder / "package"
    stage.havre("arrive", "--prepare", hub=stage.second)
    card = str(stage.second / "host.json")
    leaving = ("depart", "move-1", "--for", card, "--out", str(package))
    packed = stage.havre(*leaving, party="controller")
    # The pages go with the log: the first hub's end with its handover, the second's go on.
    stage.havre("publish")
    arriving = ("arrive", str(package), "--parties", str(stage.parties))
    parity = stage.havre(*arriving, hub=stage.second)
    yield (
        f"{_count(packed['files'])} files packed, nothing decrypted; equal log head,"
        f" {parity['equal_objects']} equal objects, equal manifests."
    )
    stage.facts["services"] = stage.serve(stage.second)["services"]
    yield "Custodians and witnesses stayed where they are, and follow the log to its new place."
    again = stage.run_study(permit=_PERMIT_NAME, hub=stage.second)
    stage.havre("submit", "diabetes-2", again["job"], party="researcher", hub=stage.second)
    for checker in ("checker-1", "checker-2"):
        stage.havre("vote", "diabetes-2", "approve", party=checker, hub=stage.second)
    left = stage.havre("release", "diabetes-2", hub=stage.second)
    same = _same_files(Path(stage.facts["released"]), Path(left["place"]))
    yield f"The same study at the new hub released the same bytes: {', '.join(same)}."


def _expose(stage: Stage) -> Iterator[Told]:
    """Say who can read what."""
    report = stage.havre("exposure", hub=stage.second)
    stage.facts["exposure"] = report
    yield (
        "Derived from how this hub is set up, and from what its log says was opened. Each row is"
        " something to be read; the public site and wider terminals say what."
    )
    yield partial(draw_matrix, report=report, indent=4)
    yield SIGNS
    if "base" in report["alone"].get("this-machine", []):
        yield ONE_MACHINE
    apart = stage.havre("exposure", "--deployment", "b2")
    (law,) = apart["under_law"]
    base = next(row for row in apart["matrix"] if row["message"] == "base")
    yield APART.format(
        law=law["law"],
        derivable=", ".join(each.split(" (")[0] for each in law["derivable"]) or "nothing",
        fewest=" + ".join(base["example"] or ["nobody"]),
    )


def _drill(stage: Stage) -> Iterator[Told]:
    """Hold two drills."""
    truth = stage.folder / "canaries.csv"
    people = (stage.folder / "holder-files" / "truth" / "people.csv").read_text().splitlines()
    truth.write_text("\n".join(people[:9]) + "\n")
    commands = (("subpoena", "--canaries", str(truth)), ("fork",))
    # At once: each is a process, and the log takes one receipt after the other.
    with ThreadPoolExecutor(len(commands)) as both:
        ran = both.map(lambda words: stage.havre("drill", *words, hub=stage.second), commands)
        seized, forked = stage.facts["drills"] = list(ran)
    seen = sum(seized["found"].values())
    yield _told(seized)
    yield (
        f"{seized['files_seized']} files, {seized['bytes_seized'] // 1_000_000} MB seized;"
        f" {seized['canaries_looked_for']} canaries looked for in every spelling, {seen} found;"
        f" {_observed(seized, 'not-predicted')} that the model of who can read what rules out."
    )
    yield _told(forked)
    shown, believed = (_observed(forked, name) for name in ("asks", "asks-believed"))
    yield f"{shown} false heads shown to witnesses, custodians and strangers, {believed} believed."


def _told(ran: Mapping[str, Any]) -> str:
    """Say what a drill tried and how it ended, with the beginning of its receipt's hash."""
    name, receipt = ran["drill"], ran["receipt_sha256"][:12]
    return f"{name.capitalize()}: {TRIED[name]}. {ran['verdict'].upper()}, receipt {receipt}…"


def _observed(ran: Mapping[str, Any], criterion: str) -> str:
    """What was observed of one criterion: the number that its line begins with."""
    return str(ran["criteria"][criterion]).split()[0]


def _look(stage: Stage) -> Iterator[Told]:
    """Publish the second hub, and verify all of it once more."""
    written = stage.havre("publish", hub=stage.second)
    receipts = [
        stage.second / "site" / "drills" / f"{ran['receipt_sha256']}.json"
        for ran in stage.facts["drills"]
    ]
    if not all(each.is_file() for each in receipts):
        raise Refused("A drill's receipt is not on the public site.")
    yield (
        f"{written['files']} files, French and English; among them the matrix, with a certificate and"
        " its checker, and the signed receipts of both drills."
    )
    said = list(_verified(stage, stage.second))
    yield from (each for each in said if "drills" in each or "checked  " not in each)


def _verified(stage: Stage, hub: Path) -> Iterator[str]:
    whole = stage.verify(hub / "site", *_trust(stage), "--max-age", "900")
    if whole.returncode:
        raise Refused("The verifier refused the hub's own log.")
    yield from whole.stdout.strip().splitlines()


def _trust(stage: Stage) -> Sequence[str]:
    return ("--trust", str(Path(stage.party("researcher")) / "trust.json"))


def _same_files(first: Path, second: Path) -> list[str]:
    """Compare what two hubs released, but for the manifests, which say where and when."""
    names = sorted(path.name for path in first.iterdir() if path.name != "ro-crate-metadata.json")
    if not names:
        raise Refused("Nothing was released.")
    for name in names:
        if (first / name).read_bytes() != (second / name).read_bytes():
            raise Refused(f"{name} differs between the two hubs.")
    return names


def _and(said: Sequence[str]) -> str:
    return "; ".join(said)


def _count(number: int) -> str:
    return f"{number:,}".replace(",", " ")


ACTS: tuple[Callable[[Stage], Iterator[Told]], ...] = (
    _found,
    _make_up,
    _take_in,
    _permit,
    _cut,
    _run_first,
    _review,
    _verify,
    _leave,
    _expose,
    _drill,
    _look,
)
