"""Exposure of deployments with 12 operators: a plausible one, and one made to be hard.

The hard one has two keys whose shares lie with all twelve, six needed of each: 924
least coalitions for a message, and as many greatest ones that are not enough.
"""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

from havre.bootstrap.exposing import read_reference
from havre.domain.exposure.certificate import encode_certificate
from havre.domain.exposure.deployment import Deployment, Message, MessageKind
from havre.domain.exposure.evidence import Evidence, Grade
from havre.domain.exposure.facts import Fact, Function, Holds, Push, Subject, System, Threshold
from havre.domain.exposure.terms import seal
from havre.domain.exposure.verdicts import Analysis

CHECKER = Path(__file__).parents[1] / "tools/check_exposure.py"
OPERATORS = [f"operator-{number:02d}" for number in range(1, 13)]
LAWS = ("US", "CN", "FR")


def hard_deployment() -> Deployment:
    """Twelve operators, all of whom hold shares of everything."""
    evidence = Evidence(Grade.E1, date(2026, 11, 1), "made up")
    facts: list[Fact] = [
        Subject(evidence=evidence, operator=name, law=LAWS[at % 3])
        for at, name in enumerate(OPERATORS)
    ]
    names = [f"message-{number}" for number in range(1, 7)]
    for at, key in enumerate(("first", "second")):
        shares = tuple(f"{key}/{name}" for name in OPERATORS)
        facts.append(Threshold(evidence=evidence, key=key, needs=6, shares=shares))
        # The second key's shares are dealt the other way round.
        dealt = OPERATORS if at == 0 else OPERATORS[::-1]
        facts += [
            Holds(evidence=evidence, operator=name, term=share)
            for name, share in zip(dealt, shares, strict=True)
        ]
    for at, name in enumerate(names):
        term = seal("first", seal("second", name)) if at % 2 else seal("first", name)
        facts += [Holds(evidence=evidence, operator=each, term=term) for each in OPERATORS[at::3]]
    facts.append(
        System(evidence=evidence, name="machine", clear=("message-1",), hosts=("operator-12",))
    )
    facts.append(Push(evidence=evidence, system="machine", by=tuple(OPERATORS[:6]), signatures=3))
    quorums = tuple((one, other) for one in OPERATORS[:6] for other in OPERATORS[6:])
    facts.append(Function(evidence=evidence, name="service", quorums=quorums))
    return Deployment(
        name="hard",
        title="Twelve operators",
        operators={name: name for name in OPERATORS},
        laws=LAWS,
        messages=tuple(Message(name, MessageKind.BASE, name) for name in names),
        facts=tuple(facts),
    )


def measure(deployment: Deployment) -> dict[str, str]:
    """Analyse everything, write the certificate, and have it checked."""
    start = time.perf_counter()
    certificate = encode_certificate(Analysis(deployment))
    analysed = time.perf_counter() - start
    with TemporaryDirectory() as folder:
        path = Path(folder) / "certificate.json"
        path.write_bytes(certificate)
        start = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-I", str(CHECKER), str(path)], check=False, capture_output=True
        )
        checked = time.perf_counter() - start
    assert done.returncode == 0, done.stdout
    return {
        "analysis": f"{analysed:.2f} s",
        "certificate": f"{len(certificate) / 1e6:.2f} MB",
        "check": f"{checked:.2f} s",
    }


def main() -> dict[str, str]:
    """Measure a plausible deployment and a hard one, each of 12 operators."""
    plausible = measure(read_reference("b1"))
    hard = measure(hard_deployment())
    return {
        **{f"exposure_{name}": value for name, value in plausible.items()},
        **{f"exposure_hard_{name}": value for name, value in hard.items()},
    }


if __name__ == "__main__":
    for name, value in main().items():
        print(f"{name:<28} {value}")
