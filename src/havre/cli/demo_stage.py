"""Where `havre demo` is played: its folder, its commands as processes, the services that run meanwhile.

A conductor, no shortcut: every act is a command of this program, started as a
process of its own, as a person would start it. What the hub runs cannot read
the holder's directory.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from havre.errors import Refused, Unavailable

BWRAP = "/usr/bin/bwrap"
_MARK = ".havre-demo"
# Above what stopping eight services takes, each of which finishes what it was asked.
_STOP_WITHIN_S = 60.0


@dataclass(slots=True)
class Stage:
    """What the demo plays with, and what came of it so far.

    facts: what later acts and the end need to know.
    """

    folder: Path
    study: Path
    environment: Path
    verifier: Path
    people: int
    facts: dict[str, Any] = field(default_factory=dict)
    _services: subprocess.Popen[str] | None = None
    _mark: int | None = None

    @property
    def hub(self) -> Path:
        """The first hub."""
        return self.folder / "hub"

    @property
    def second(self) -> Path:
        """The hub at the host that it moves to."""
        return self.folder / "hub-2"

    @property
    def parties(self) -> Path:
        """Where each party's directory is."""
        return self.folder / "parties"

    def party(self, name: str) -> str:
        """One party's directory."""
        return str(self.parties / name)

    def clear(self) -> None:
        """Remove a demo before, and nothing that is no demo; keep another one out of the folder.

        Raises:
            Refused: the folder holds something else, or a demo that still goes on.
            InvalidInput: it lies so deep that no socket could stand in it.
        """
        from havre.bootstrap.services import socket_path
        from havre.bootstrap.serving import check_socket_path

        check_socket_path(socket_path(self.parties / "custodian-1"))
        if self.folder.exists():
            if not (self.folder / _MARK).exists() and any(self.folder.iterdir()):
                raise Refused(
                    f"{self.folder.name} holds something that is no demo.",
                    hint="Name another folder.",
                )
            self._check_over()
            shutil.rmtree(self.folder)
        self.folder.mkdir(parents=True)
        # The kernel lets go of it when this process ends, however it ends.
        self._mark = os.open(self.folder / _MARK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o644)
        fcntl.flock(self._mark, fcntl.LOCK_EX)

    def _check_over(self) -> None:
        """Refuse to remove what somebody still uses: a demo that is played, services that run."""
        for path in (self.folder / _MARK, *sorted(self.parties.glob("*/service.lock"))):
            if path.exists() and _is_locked(path):
                what = "a demo that is played" if path.name == _MARK else path.parent.name
                raise Refused(
                    f"{self.folder.name} is in use: {what} has not ended.",
                    hint="Wait for it or stop it, such as `havre services`; or name another --out.",
                )

    def havre(
        self, *words: str, party: str = "", hub: Path | None = None, expect: int = 0
    ) -> dict[str, Any]:
        """Run one command, and read its result.

        party: who acts; the holder's directory is hidden from everybody else.
        hub: where; the first hub if null.
        expect: the exit code that is right.

        Raises:
            Refused: it ended otherwise.
        """
        command = [sys.executable, "-m", "havre", *words, "--json"]
        if words[0] not in {"synth", "environment"} and "--deployment" not in words:
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

    def serve(self, hub: Path) -> dict[str, Any]:
        """Start the custodians and witnesses of a hub, each as a process; those before are stopped.

        Returns what `havre services` says of them when all of them answer.

        Raises:
            Unavailable: they do not.
        """
        self.stop()
        command = [sys.executable, "-m", "havre", "services", "--hub", str(hub), "--json"]
        # A session of its own: Ctrl-C reaches the demo, which stops them in order. Its
        # input ends with the demo, however the demo ends.
        self._services = subprocess.Popen(
            [*self._without_holder(), *command, "--until-input-ends"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        line = self._services.stdout.readline() if self._services.stdout else ""
        try:
            return dict(json.loads(line)["ready"])
        except (ValueError, KeyError, TypeError):
            raise Unavailable(
                "The custodians and witnesses did not start.", hint="What they said stands above."
            ) from None

    def stop(self) -> None:
        """Stop the custodians and witnesses, and see them end; whoever is impatient waits too."""
        process, self._services = self._services, None
        if process is None:
            return
        if process.stdin:
            process.stdin.close()
        while process.poll() is None:
            with suppress(KeyboardInterrupt):
                try:
                    process.wait(_STOP_WITHIN_S)
                except subprocess.TimeoutExpired:
                    # Its own children end with it, because their input does.
                    process.kill()
        if process.stdout:
            process.stdout.close()

    def verify(self, site: Path, *words: str) -> subprocess.CompletedProcess[str]:
        """Run the independent verifier, which imports nothing of havre."""
        command = [sys.executable, "-I", str(self.verifier), str(site), *words]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    def run_study(self, *arguments: str, permit: str, hub: Path | None = None) -> dict[str, Any]:
        """Run the researcher's study in the sandbox."""
        return self.havre(
            "run",
            permit,
            str(self.study),
            *arguments,
            "--environment",
            str(self.environment),
            party="researcher",
            hub=hub,
        )

    def _without_holder(self) -> list[str]:
        """Hide the holder's own directory, its secret and the clear files, from a process."""
        hidden = [self.party("holder"), str(self.folder / "holder-files")]
        there = [each for each in hidden if Path(each).exists()]
        binds = [word for each in there for word in ("--tmpfs", each)]
        return [BWRAP, "--dev-bind", "/", "/", *binds, "--"] if binds else []


def _is_locked(path: Path) -> bool:
    """Tell whether a process holds a lock on a file."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
