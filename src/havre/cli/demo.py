"""`havre demo`: the main job from raw files to a verified release, told step by step.

A conductor, no shortcut: every step is a command of this program, started as a
process of its own, as a person would start it. What the hub runs cannot read
the holder's directory.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

from havre.cli.demo_texts import PERMIT, STEPS
from havre.cli.options import JsonOption
from havre.cli.screen import Screen, wrap
from havre.errors import Refused, Unprotected

_MARK = ".havre-demo"
_PERMIT_NAME = "diabetes-regions"
_REQUEST = "diabetes-1"
_BWRAP = "/usr/bin/bwrap"
_BUNDLE_ENTRIES = 256


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(demo)


@dataclass(slots=True)
class Tale:
    """What the demo does and says, and how long each step took."""

    folder: Path
    study: Path
    environment: Path
    verifier: Path
    people: int
    seconds: list[tuple[str, float]] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def hub(self) -> Path:
        """The first hub."""
        return self.folder / "hub"

    def party(self, name: str) -> str:
        """One party's directory."""
        return str(self.folder / "parties" / name)

    def havre(
        self, *words: str, party: str = "", hub: Path | None = None, expect: int = 0
    ) -> dict[str, Any]:
        """Run one command, and read its result.

        party: who acts; the holder's directory is hidden from everybody else.
        expect: the exit code that is right.

        Raises:
            Refused: it ended otherwise.
        """
        command = [sys.executable, "-m", "havre", *words, "--json"]
        if words[0] not in {"synth", "environment"}:
            command += ["--hub", str(hub or self.hub)]
        if party:
            command += ["--party", self.party(party)]
        if words[0] != "init" and party != "holder":
            command = [*self._without_holder(), *command]
        # Where a refusal is the right answer, its words are not for the screen.
        silent = subprocess.DEVNULL if expect else None
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=silent, text=True, check=False
        )
        if done.returncode != expect:
            raise Refused(
                f"The command {words[0]} ended with {done.returncode}, not {expect}.",
                hint="What it said stands above. Nothing in the demo is done by force.",
            )
        result = json.loads(done.stdout) if done.stdout.strip() else {}
        return result if isinstance(result, dict) else {"rows": result}

    def verify(self, site: Path, *words: str) -> subprocess.CompletedProcess[str]:
        """Run the independent verifier, which imports nothing of havre."""
        command = [sys.executable, "-I", str(self.verifier), str(site), *words]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    def _without_holder(self) -> list[str]:
        """Hide the holder's own directory, its secret and the clear files, from a process."""
        hidden = [self.party("holder"), str(self.folder / "holder-files")]
        there = [each for each in hidden if Path(each).exists()]
        binds = [word for each in there for word in ("--tmpfs", each)]
        return [_BWRAP, "--dev-bind", "/", "/", *binds, "--"] if binds else []


def demo(
    *,
    out: Annotated[Path, typer.Option(help="Where it is played; a demo before is removed.")] = Path(
        "demo"
    ),
    study: Annotated[Path, typer.Option(help="The study's folder.")] = Path(
        "study/diabetes-heart-failure"
    ),
    lock: Annotated[Path, typer.Option(help="The study environment's lock file.")] = Path(
        "study/requirements.lock"
    ),
    environment: Annotated[Path, typer.Option(help="Where that environment is, or is built.")] = (
        Path(".study-environment")
    ),
    people: Annotated[int, typer.Option(min=10_000, help="How many people to make up.")] = 20_000,
    as_json: JsonOption = False,
) -> None:
    """Play the whole job: found, deliver, permit, extract, run, review, release, verify, leave."""
    if not Path(_BWRAP).exists():
        raise Unprotected(
            "bubblewrap is missing, and researchers' code never runs without it.",
            hint="sudo apt-get install -y bubblewrap",
        )
    _clear_stage(out)
    tale = Tale(out.resolve(), study.resolve(), environment.resolve(), _verifier(), people)
    built = tale.havre("environment", "build", str(lock), "--environment", str(environment))
    tale.facts["environment"] = built["environment_sha256"]
    screen = Screen(as_json=as_json)
    for number, (title, act) in enumerate(zip(STEPS, _ACTS, strict=True), 1):
        screen.say("")
        screen.say(wrap(f"{number:>2}. {title}", indent=" " * 4))
        started = time.monotonic()
        for sentence in act(tale):
            screen.say(wrap(f"    {sentence}", indent=" " * 6))
        tale.seconds.append((title.split(":")[0], time.monotonic() - started))
    if as_json:
        screen.show(_outcome(tale))
    else:
        _show_end(_outcome(tale))


def _clear_stage(out: Path) -> None:
    """Remove a demo before, and nothing that is no demo."""
    if out.exists():
        if not (out / _MARK).exists() and any(out.iterdir()):
            raise Refused(f"{out} holds something that is no demo.", hint="Name another folder.")
        shutil.rmtree(out)
    out.mkdir(parents=True)
    (out / _MARK).touch()


def _verifier() -> Path:
    from havre.bootstrap.strangers import verifier_path

    return verifier_path()


def _found(tale: Tale) -> list[str]:
    """Step 1."""
    parties = str(tale.folder / "parties")
    made = tale.havre("init", "--made-up", "--language", "en", "--parties", parties)
    return [
        (
            f"{made['key_pairs']} key pairs, each split among 3 daily custodians (2 open) and an escrow;"
            " 4 witnesses, of which one may lie."
        ),
        "Every party is a directory of its own; on one machine that separates nothing yet.",
    ]


def _make_up(tale: Tale) -> list[str]:
    """Step 2."""
    files = tale.folder / "holder-files"
    made = tale.havre("synth", "--out", str(files), "--people", str(tale.people))
    tale.facts["lines"] = made["lines"]
    return [
        (
            f"{_count(tale.people)} people over 3 years: {_count(made['lines'])} lines in"
            f" {made['deliveries']} deliveries; a handful of lines are broken on purpose."
        )
    ]


def _take_in(tale: Tale) -> list[str]:
    """Step 3."""
    folders = sorted((tale.folder / "holder-files" / "deliveries").iterdir())
    sent = tale.havre("deliver", *map(str, folders), party="holder")
    report = tale.folder / "ingest.json"
    rows = tale.havre("ingest", "--report", str(report))["rows"]
    tale.facts["sent"] = sent
    tale.facts["datasets"] = rows
    accepted = sum(row["accepted"] for row in rows)
    held = sum(row["set_aside_at_the_holder"] for row in rows)
    aside = sum(row["set_aside_at_the_hub"] for row in rows)
    tale.facts |= {"accepted": accepted, "aside_holder": held, "aside_hub": aside}
    if accepted + held + aside != tale.facts["lines"]:
        raise Refused("Lines were lost on the way in.")
    return [
        (
            f"{_count(tale.facts['lines'])} lines in = {_count(accepted)} accepted + {aside} set aside"
            f" at the hub + {held} set aside at the holder."
        ),
        "The hub's processes could not read the holder's directory; the store holds ciphertext.",
    ]


def _permit(tale: Tale) -> list[str]:
    """Step 4."""
    text = tale.folder / "permit.toml"
    text.write_text(PERMIT.format(environment=tale.facts["environment"]), encoding="utf-8")
    tale.havre("permit", "ask", str(text), party="researcher")
    tale.havre("permit", "sign", _PERMIT_NAME, party="researcher", expect=3)
    tale.havre("permit", "sign", _PERMIT_NAME, party="authority-1")
    granted = tale.havre("permit", "sign", _PERMIT_NAME, party="authority-2")
    return [
        (
            "The applicant's own signature was refused; two authorities signed:"
            f" {granted['state']}, entry {granted['entry']} of the log."
        )
    ]


def _cut(tale: Tale) -> list[str]:
    """Step 5."""
    made = tale.havre("extract", _PERMIT_NAME)
    tale.facts["extract"] = made["rows"]
    rows = sum(made["rows"].values())
    return [
        (
            f"Custodians checked permit, log and witnesses themselves; {_count(rows)} rows of"
            f" {len(made['rows'])} tables, under pseudonyms and keys of this project alone."
        )
    ]


def _run_first(tale: Tale) -> list[str]:
    """Step 6."""
    job = _run(tale, "one-more")
    tale.facts["first"] = job["job"]
    return [
        (
            f"Ended within {job['within_s']} s, with no network, no key, no way out but its files;"
            " they are sealed again at once."
        )
    ]


def _review(tale: Tale) -> list[str]:
    """Step 7."""
    request = ("submit", _REQUEST)
    back = tale.havre(*request, tale.facts["first"], party="researcher", expect=3)
    seen = tale.havre("review", _REQUEST, party="checker-1")
    where = [each for each in seen["findings"] if not each.endswith("please look")]
    job = _run(tale)
    tale.havre(*request, job["job"], party="researcher")
    tale.havre("release", _REQUEST, expect=3)
    tale.havre("review", _REQUEST, party="checker-1")
    tale.havre("vote", _REQUEST, "approve", party="checker-1")
    tale.havre("vote", _REQUEST, "approve", party="checker-2")
    left = tale.havre("release", _REQUEST)
    tale.facts["released"] = left["place"]
    return [
        f"Sent back by the machine's check, of which its author hears: {_and(back['rules'])}.",
        f"A checker sees where: {_and(where)}.",
        (
            "Corrected and run again; a release before the votes was refused; two checkers approved,"
            " blind to each other."
        ),
        f"Released: {', '.join(left['files'])}.",
    ]


def _publish(tale: Tale) -> list[str]:
    """Step 8."""
    written = tale.havre("publish")
    return [f"{written['files']} files; open {tale.hub / 'site' / 'index.html'}"]


def _verify(tale: Tale) -> list[str]:
    """Step 9."""
    site = tale.hub / "site"
    trust = ("--trust", str(Path(tale.party("researcher")) / "trust.json"))
    whole = tale.verify(site, *trust, "--max-age", "900")
    if whole.returncode:
        raise Refused("The verifier refused the hub's own log.")
    said = whole.stdout.strip().splitlines()
    for name, spoil in _SPOILED.items():
        copy = tale.folder / "spoiled" / name.replace(" ", "-")
        shutil.copytree(site, copy)
        words = spoil(copy)
        done = tale.verify(copy, *trust, *words)
        if done.returncode == 0:
            raise Refused(f"The verifier accepted a log with {name}.")
        reason = (done.stderr or done.stdout).strip().splitlines()[-1]
        said.append(f"{name}: refused. {reason}")
    shutil.rmtree(tale.folder / "spoiled")
    return said


def _drill(tale: Tale) -> list[str]:
    """Step 10."""
    truth = tale.folder / "canaries.csv"
    people = (tale.folder / "holder-files" / "truth" / "people.csv").read_text().splitlines()
    truth.write_text("\n".join(people[:9]) + "\n")
    done = tale.havre("drill", "subpoena", "--canaries", str(truth))
    tale.facts["drill"] = done
    tale.havre("publish")
    return [
        (
            f"{done['files_seized']} files, {done['bytes_seized'] // 1_000_000} MB seized;"
            f" {done['canaries_looked_for']} canaries looked for in every spelling: {done['verdict']},"
            f" {len(done['sightings'])} found."
        )
    ]


def _leave(tale: Tale) -> list[str]:
    """Step 11."""
    second, package = tale.folder / "hub-2", tale.folder / "package"
    tale.havre("arrive", "--prepare", hub=second)
    packed = tale.havre(
        "depart",
        "move-1",
        "--for",
        str(second / "host.json"),
        "--out",
        str(package),
        party="controller",
    )
    # The pages go with the log: the first hub's end with its handover, the second's go on.
    tale.havre("publish")
    parity = tale.havre(
        "arrive", str(package), "--parties", str(tale.folder / "parties"), hub=second
    )
    again = _run(tale, hub=second)
    tale.havre("submit", "diabetes-2", again["job"], party="researcher", hub=second)
    for checker in ("checker-1", "checker-2"):
        tale.havre("vote", "diabetes-2", "approve", party=checker, hub=second)
    left = tale.havre("release", "diabetes-2", hub=second)
    tale.havre("publish", hub=second)
    same = _same_files(Path(tale.facts["released"]), Path(left["place"]))
    return [
        (
            f"{_count(packed['files'])} files packed, nothing decrypted; equal log head,"
            f" {parity['equal_objects']} equal objects, equal manifests."
        ),
        f"The same study at the new hub released the same bytes: {', '.join(same)}.",
    ]


_ACTS: tuple[Callable[[Tale], list[str]], ...] = (
    _found,
    _make_up,
    _take_in,
    _permit,
    _cut,
    _run_first,
    _review,
    _publish,
    _verify,
    _drill,
    _leave,
)


def _and(said: Sequence[str]) -> str:
    return "; ".join(said)


def _run(tale: Tale, *arguments: str, hub: Path | None = None) -> dict[str, Any]:
    return tale.havre(
        "run",
        _PERMIT_NAME,
        str(tale.study),
        *arguments,
        "--environment",
        str(tale.environment),
        party="researcher",
        hub=hub,
    )


def _first_bundle(site: Path) -> Path:
    """The file with the log's first entries, as the published head has it."""
    size = int((site / "log" / "checkpoint").read_text().split("\n")[1])
    entries = site / "log" / "tile" / "entries"
    return entries / "000" if size >= _BUNDLE_ENTRIES else entries / "000.p" / str(size)


def _one_byte(site: Path) -> Sequence[str]:
    path = _first_bundle(site)
    body = bytearray(path.read_bytes())
    body[len(body) // 2] ^= 1
    path.write_bytes(bytes(body))
    return ()


def _one_order(site: Path) -> Sequence[str]:
    """Swap the first two entries."""
    path = _first_bundle(site)
    body = path.read_bytes()
    first = 2 + int.from_bytes(body[:2], "big")
    second = first + 2 + int.from_bytes(body[first : first + 2], "big")
    path.write_bytes(body[first:second] + body[:first] + body[second:])
    return ()


def _past_head(site: Path) -> Sequence[str]:
    """Show a head seen earlier that says something else of the past."""
    seen = site / "seen"
    lines = (site / "log" / "checkpoint").read_text().split("\n")
    lines[1] = str(int(lines[1]) - 1)
    seen.write_text("\n".join(lines))
    moved = seen.rename(site.parent / f"{site.name}.seen")
    return ("--seen", str(moved))


_SPOILED: dict[str, Callable[[Path], Sequence[str]]] = {
    "one byte changed": _one_byte,
    "one order changed": _one_order,
    "one past head changed": _past_head,
}


def _same_files(first: Path, second: Path) -> list[str]:
    """Compare what two hubs released, but for the manifests, which say where and when."""
    names = sorted(path.name for path in first.iterdir() if path.name != "ro-crate-metadata.json")
    if not names:
        raise Refused("Nothing was released.")
    for name in names:
        if (first / name).read_bytes() != (second / name).read_bytes():
            raise Refused(f"{name} differs between the two hubs.")
    return names


def _outcome(tale: Tale) -> dict[str, Any]:
    """What the demo did and left behind."""
    return {
        "steps": [{"step": name, "seconds": round(taken, 1)} for name, taken in tale.seconds],
        "seconds": round(sum(taken for _, taken in tale.seconds), 1),
        "lines": [
            {
                "dataset": row["dataset"],
                "in": row["lines_in"],
                "accepted": row["accepted"],
                "set_aside": row["set_aside_at_the_holder"] + row["set_aside_at_the_hub"],
            }
            for row in tale.facts["datasets"]
        ],
        "public_site": str(tale.hub / "site" / "index.html"),
        "released_files": tale.facts["released"],
        "what_became_of_each_file": str(tale.folder / "ingest.json"),
        "the_second_hub": str(tale.folder / "hub-2" / "site" / "index.html"),
        "verify_yourself": f"python3 {os.path.relpath(tale.verifier)}"
        f" {os.path.relpath(tale.hub / 'site')} --trust"
        f" {os.path.relpath(tale.party('researcher'))}/trust.json",
    }


def _show_end(outcome: dict[str, Any]) -> None:
    screen = Screen()
    steps = [*outcome.pop("steps"), {"step": "all", "seconds": outcome.pop("seconds")}]
    screen.say("")
    screen.table("What was done", steps)
    screen.say("")
    screen.table("Lines, from the holder's files to the lake", outcome.pop("lines"))
    command = outcome.pop("verify_yourself")
    screen.say("")
    screen.show(outcome)
    # Whole and alone on its line, to be copied.
    screen.say(f"\n  Verify it yourself:\n\n{command}\n")


def _count(number: int) -> str:
    return f"{number:,}".replace(",", " ")
