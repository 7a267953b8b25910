"""The ten lines of docs/services.md work as they stand: run by two operators on two "machines"."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp

import pytest

from fakes.processes import free_port
from fakes.small_hub import SmallHub, copy_of, founded
from fakes.web import web

PAGE = Path(__file__).parents[2] / "docs/services.md"
LINE = re.compile(r"^(?P<words>.+?)\s+# (?P<machine>[KH])$", re.MULTILINE)


@dataclass
class Machines:
    """The hub's directory and the custodian's, apart; what a line of the page means here."""

    root: Path
    replaced: dict[str, str]
    serving: list[subprocess.Popen[str]] = field(default_factory=list)

    def run(self, words: str, machine: str) -> str:
        """Run one line as its operator would; gives what it said."""
        for old, new in self.replaced.items():
            words = words.replace(old, new)
        folder = self.root / machine
        env = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"}
        if " serve " in words:
            process = subprocess.Popen(
                ["/bin/bash", "-c", f"exec {words}"],
                cwd=folder,
                env=env,
                stdout=subprocess.PIPE,
                text=True,
            )
            self.serving.append(process)
            assert process.stdout is not None
            return process.stdout.readline()
        done = subprocess.run(
            ["/bin/bash", "-euc", words],
            cwd=folder,
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{words}: {done.stderr}"
        return done.stdout


@pytest.fixture
def machines() -> Iterator[Machines]:
    root = Path(mkdtemp(prefix="hv-"))
    copied: SmallHub = copy_of(founded(), root / "H")
    (root / "K").mkdir()
    shutil.move(copied.parties / "custodian-3", root / "K/custodian-3")
    port = free_port()
    with web(copied.hub / "site/log", root) as site:
        certificate = "log_certificate = " + json.dumps(str(site.certificate))
        yield (
            found := Machines(
                root,
                {
                    "scp ": "cp ",
                    "hub.example:custodian-3.pem": "../H/custodian-3.pem",
                    "keys.example:hub.pem": "../K/hub.pem",
                    '"https://hub.example/log"\\n': f'"{site.url}"\\n{certificate}\\n',
                    "https://0.0.0.0:7443": f"https://127.0.0.1:{port}",
                    "keys.example:7443": f"127.0.0.1:{port}",
                },
            )
        )
        for process in found.serving:
            process.terminate()
            assert process.wait(30) == 0
            if process.stdout:
                process.stdout.close()
    shutil.rmtree(root)


def test_the_ten_lines_put_a_custodian_on_its_own_machine(machines: Machines) -> None:
    block = PAGE.read_text().split("```sh\n", 1)[1].split("```", 1)[0]
    lines = [(match["words"], match["machine"]) for match in LINE.finditer(block)]
    assert len(lines) == len(block.splitlines()) == 10

    said = ""
    for words, machine in lines:
        said = machines.run(words, machine)
        if found := re.search(r"sha256 +([0-9a-f]{64})", said):
            name = "SHA256-OF-K" if machine == "K" else "SHA256-OF-HUB"
            machines.replaced.setdefault(name, found[1])

    assert re.search(r"parties away +none", said), said
    made = machines.run("havre ceremony --hub hub --landing 1 --json", "H")
    assert json.loads(made) == {"key_pairs": 1}
    assert "alarms" in machines.run("havre audit --hub hub", "H")
    acts = [
        json.loads(line)["act"]
        for line in (machines.root / "K/custodian-3/service.jsonl").read_text().splitlines()
    ]
    assert {"begin-ceremony", "accept", "mirror-extend"} <= set(acts)
