"""All the custodians and witnesses of a hub on one machine, each as a process of its own.

For a hub that was founded with `havre init --services`: every party whose socket
stands in its own directory is started as `havre custodian serve` or `havre witness
serve`, and stopped when the context ends. A person does the same by hand, on as many
machines as there are parties.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from havre.bootstrap.holdings import holdings_of
from havre.bootstrap.parties import name_of
from havre.bootstrap.party_places import PartyPlace
from havre.bootstrap.place import read_place
from havre.bootstrap.serving import CONFIGURATION, FORMAT, read_service
from havre.bootstrap.tokens import open_token
from havre.domain.service_address import ServiceAddress
from havre.domain.trust import Role
from havre.errors import HavreError, NotFound, Refused, Unavailable

_READY_WITHIN_S = 60.0
_STOP_WITHIN_S = 30.0
# One that has said why it does not start has nothing else to do than to end.
_END_WITHIN_S = 5.0
_LOOK_EVERY_S = 0.5
# Where the accounts of parties begin that are made up for as long as services run: far
# above those of people and of packages, and below those that containers map.
_FIRST_UID = 61_100
# A program of its own account must be able to start, and to read the log.
_PROBE = "import sys, havre; open(sys.argv[1], 'rb').read(1)"


@dataclass(slots=True)
class Services:
    """Running services, by party.

    program: what starts `havre`, before the words of its command.
    uids: the account of each, where each has one of its own; otherwise none.
    elsewhere: parties of the hub that cannot be served from here, by name.
    """

    program: tuple[str, ...] = (sys.executable, "-m", "havre")
    uids: dict[str, int] = field(default_factory=dict)
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    listening: dict[str, str] = field(default_factory=dict)
    folders: dict[str, Path] = field(default_factory=dict)
    elsewhere: tuple[str, ...] = ()

    @property
    def separation(self) -> str:
        """Say in a sentence what separates them."""
        if self.uids:
            return "each is a process under an account of its own, on one machine"
        return "each is a process of its own, all under one account on one machine"

    def start(self, folders: Sequence[Path]) -> None:
        """Start the services of these directories, and wait until all of them answer.

        Raises:
            Unavailable: one does not; what it said stands in its `service.log`.
        """
        for folder in folders:
            self.folders[folder.name] = folder
            self.running[folder.name] = self._begin(folder)
        deadline = time.monotonic() + _READY_WITHIN_S
        for folder in folders:
            process = self.running[folder.name]
            self.listening[folder.name] = _wait_ready(folder.name, process, deadline=deadline)

    def rows(self) -> list[dict[str, object]]:
        """Show each running service: its process and account, where it answers, what it holds."""
        return [
            {
                "party": name,
                "process": process.pid,
                "account": self.uids.get(name, os.geteuid()),
                "address": self.listening[name],
                "holds": holdings_of(self.folders[name]),
            }
            for name, process in self.running.items()
        ]

    def watch(self) -> Iterator[str]:
        """Wait for ever, and tell in a sentence of each service that has ended by itself."""
        seen: set[str] = set()
        while True:
            for name, process in self.running.items():
                if name not in seen and process.poll() is not None:
                    seen.add(name)
                    yield _ended(name, process.returncode, folder=self.folders[name])
            time.sleep(_LOOK_EVERY_S)

    def stop(self, name: str, *, with_signal: signal.Signals = signal.SIGTERM) -> int:
        """Stop one service, and see it end; returns its exit code."""
        process = self.running.pop(name)
        process.send_signal(with_signal)
        try:
            return process.wait(_STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()
        finally:
            for pipe in (process.stdin, process.stdout):
                if pipe:
                    pipe.close()

    def stop_all(self) -> None:
        """Stop whatever still runs."""
        for process in self.running.values():
            process.terminate()
        for name in list(self.running):
            self.stop(name)

    def _begin(self, folder: Path) -> subprocess.Popen[bytes]:
        command = [*self.program, _word(folder), "serve", "--party", str(folder), "--json"]
        # Whatever ends this process, its end of the pipe is closed, and then they stop.
        command.append("--until-input-ends")
        uid = self.uids.get(folder.name)
        if uid is not None:
            _give_to(folder, uid)
        # A link that the party's account laid there is not for root to follow.
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(folder / "service.log", flags, 0o600), "ab") as log:
            return subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
                user=uid,
                group=uid,
                extra_groups=None if uid is None else [],
            )


@contextmanager
def served(hub: Path) -> Iterator[Services]:
    """Serve every party of a hub whose socket stands in its own directory, for a while.

    As root, each gets an account of its own where that account can read what it must.
    A party that reads the log in another directory, because its hub has moved here,
    reads it in this hub's from now on.

    Raises:
        NotFound: the hub has no such party: it was founded without `--services`.
        Unavailable: one did not start.
    """
    folders = service_folders(hub)
    if not folders:
        raise NotFound(
            "This hub's parties are directories, and not processes of their own.",
            hint="Found one whose parties are served: `havre init --services`.",
        )
    log = read_place(hub).log
    for folder in folders:
        _follow(folder, log=log)
    here = {folder.name for folder in folders}
    services = Services(
        uids=_accounts(folders, log=log),
        elsewhere=tuple(each for each in map(name_of, _places(hub)) if each not in here),
    )
    try:
        services.start(folders)
        yield services
    finally:
        services.stop_all()


def service_folders(hub: Path) -> list[Path]:
    """List the directories of those parties of a hub that can be served here, in order."""
    addresses = [each for each in _places(hub) if isinstance(each, ServiceAddress)]
    served = [place_folder(each) for each in addresses]
    return [folder for folder in served if folder and (folder / CONFIGURATION).is_file()]


def _places(hub: Path) -> Sequence[PartyPlace]:
    place = read_place(hub)
    return (*place.custodians, place.escrow, *place.witnesses)


def place_folder(place: PartyPlace) -> Path | None:
    """Find a party's directory on this machine, if that can be told from its place."""
    if isinstance(place, Path):
        return place
    return Path(place.socket).parent if place.socket else None


def socket_of(folder: Path) -> ServiceAddress | None:
    """Find the socket at which the party of a directory is served, if it is set up so."""
    if not (folder / CONFIGURATION).is_file():
        return None
    listen = read_service(folder).listen
    return listen if listen.socket else None


def _follow(party: Path, *, log: Path) -> None:
    """Have a party read the log where its hub is now; one that reads it over the web does already."""
    known = read_service(party).log
    if "://" not in known and Path(known) != log.resolve():
        write_service(party, log=log)


def write_service(party: Path, *, log: Path) -> ServiceAddress:
    """Write a party's `service.toml` for a socket in its own directory; returns its address."""
    text = (
        f'format = "{FORMAT}"\n'
        f'listen = "unix:{party.name}.sock"\n'
        f'log = "{os.path.relpath(log, party)}"\n'
    )
    (party / CONFIGURATION).write_text(text, encoding="utf-8")
    return ServiceAddress(party.name, socket=str(socket_path(party)))


def socket_path(party: Path) -> Path:
    """Where a party's socket stands if nobody says otherwise."""
    return party / f"{party.name}.sock"


def _accounts(folders: Sequence[Path], *, log: Path) -> dict[str, int]:
    """Choose an account for each party, if this is root and such accounts can work here."""
    if os.geteuid() != 0:
        return {}
    uids = {folder.name: _FIRST_UID + number for number, folder in enumerate(folders)}
    try:
        tried = subprocess.run(
            [sys.executable, "-c", _PROBE, str(log / "checkpoint")],
            user=_FIRST_UID,
            group=_FIRST_UID,
            extra_groups=[],
            cwd="/",
            check=False,
            capture_output=True,
            timeout=_READY_WITHIN_S,
        )
    except (OSError, ValueError, subprocess.SubprocessError):
        return {}
    reachable = tried.returncode == 0 and all(map(_can_be_passed, folders))
    return uids if reachable else {}


def _can_be_passed(folder: Path) -> bool:
    """Whether every account can get to a directory: its parents let it pass."""
    return all(parent.stat().st_mode & 0o001 for parent in folder.resolve().parents)


def _give_to(folder: Path, uid: int) -> None:
    """Make a party's directory its account's own, whatever another command left there.

    A link is given, and not what it leads to: the party's account may have laid it.
    """
    for path in (folder, *folder.rglob("*")):
        os.chown(path, uid, uid, follow_symlinks=False)


def _wait_ready(name: str, process: subprocess.Popen[bytes], *, deadline: float) -> str:
    """Wait for a service's first line; returns where it listens.

    Raises:
        Refused, Unavailable: it did not start; with what it said itself, if it said it.
    """
    if process.stdout is None:
        raise Unavailable(f"{name} has no output to wait for.")
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        selector.select(max(0.0, deadline - time.monotonic()))
    os.set_blocking(process.stdout.fileno(), False)
    line = process.stdout.readline() or b""
    try:
        return str(json.loads(line)["ready"]["listen"])
    except (ValueError, KeyError, TypeError):
        raise _not_started(name, process, said=line) from None


def _ended(name: str, code: int, *, folder: Path) -> str:
    """Say that a service has ended, how, and how to start it again."""
    how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
    start = f"havre {_word(folder)} serve --party {os.path.relpath(folder)}"
    return f"{name} has ended ({how}). Start it: {start}"


def _word(folder: Path) -> str:
    """The word of the command that serves a party."""
    return "witness" if open_token(folder).config.role is Role.WITNESS else "custodian"


def _not_started(name: str, process: subprocess.Popen[bytes], *, said: bytes) -> HavreError:
    """Say why a service did not start: what it printed as JSON when it ended, or where to look."""
    try:
        process.wait(_END_WITHIN_S)
        if process.stdout:
            os.set_blocking(process.stdout.fileno(), True)
            said += process.stdout.read()
        error = json.loads(said)["error"]
        kind = Refused if error["exit_code"] == Refused.exit_code else Unavailable
        return kind(f"{name} did not start. {error['message']}", hint=str(error["hint"]))
    except (subprocess.TimeoutExpired, ValueError, KeyError, TypeError):
        return Unavailable(f"{name} did not start.", hint=f"See what it said: {name}/service.log.")
