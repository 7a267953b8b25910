"""`havre demo`: the main job from raw files to a verified release, told act by act.

The acts are `cli.demo_acts`, what they play with is `cli.demo_stage`. Whatever
ends the demo, its custodians and witnesses are stopped.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from havre.cli.demo_acts import ACTS
from havre.cli.demo_stage import BWRAP, Stage
from havre.cli.demo_texts import FIRST, STEPS
from havre.cli.options import JsonOption
from havre.cli.screen import Screen, wrap
from havre.errors import Unprotected


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(demo)


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
    """Play the whole job, from a hub's founding to its move, and end with who can read what."""
    from havre.bootstrap.strangers import verifier_path

    if not Path(BWRAP).exists():
        raise Unprotected(
            "bubblewrap is missing, and researchers' code never runs without it.",
            hint="sudo apt-get install -y bubblewrap",
        )
    stage = Stage(out.resolve(), study.resolve(), environment.resolve(), verifier_path(), people)
    stage.clear()
    built = stage.havre("environment", "build", str(lock), "--environment", str(environment))
    stage.facts["environment"] = built["environment_sha256"]
    screen = Screen(as_json=as_json)
    screen.say(wrap(f"\n{FIRST}", indent=""))
    with always_ended(stage):
        seconds = dict(_play(stage, screen))
    outcome = _outcome(stage, seconds)
    if as_json:
        screen.show(outcome)
    else:
        show_end(screen, outcome)


def _play(stage: Stage, screen: Screen) -> Iterator[tuple[str, float]]:
    """Play act after act, and tell what each does as it happens; yields how long each took."""
    for number, (title, act) in enumerate(zip(STEPS, ACTS, strict=True), 1):
        screen.say("")
        screen.headline(f"{number:>2}. {title}")
        started = time.monotonic()
        for told in act(stage):
            if isinstance(told, str):
                screen.say(wrap(f"    {told}", indent=" " * 6))
            elif not screen.as_json:
                told(screen)
        yield title.split(":")[0], time.monotonic() - started


@contextmanager
def always_ended(stage: Stage) -> Iterator[None]:
    """Stop what was started however the body ends, also when somebody ends this process."""

    def stop(_signal: int, _frame: object) -> None:
        raise KeyboardInterrupt

    numbers = (signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield
    finally:
        stage.stop()
        for number, handler in before.items():
            signal.signal(number, handler)


def _outcome(stage: Stage, seconds: dict[str, float]) -> dict[str, Any]:
    """What the demo did and left behind."""
    site = stage.second / "site"
    report = stage.facts["exposure"]
    return {
        "steps": [{"step": name, "seconds": round(taken, 1)} for name, taken in seconds.items()],
        "seconds": round(sum(seconds.values()), 1),
        "lines": [
            {
                "dataset": row["dataset"],
                "in": row["lines_in"],
                "accepted": row["accepted"],
                "set_aside": row["set_aside_at_the_holder"] + row["set_aside_at_the_hub"],
            }
            for row in stage.facts["datasets"]
        ],
        "services": stage.facts["services"],
        "exposure": {name: report[name] for name in ("matrix", "alone", "under_law")},
        "drills": stage.facts["drills"],
        "public_site": str(site / "index.html"),
        "who_can_read_what": str(site / "en" / "exposure.html"),
        "the_drills": str(site / "en" / "drills.html"),
        "released_files": stage.facts["released"],
        "what_became_of_each_file": str(stage.folder / "ingest.json"),
        "verify_yourself": f"python3 {os.path.relpath(stage.verifier)} {os.path.relpath(site)}"
        f" --trust {os.path.relpath(stage.party('researcher'))}/trust.json",
        "start_the_services_again": f"havre services --hub {os.path.relpath(stage.second)}",
    }


# Of the outcome, what a person is shown at the end.
LOOK_AT = (
    "public_site",
    "who_can_read_what",
    "the_drills",
    "released_files",
    "what_became_of_each_file",
)


def show_end(screen: Screen, outcome: Mapping[str, Any]) -> None:
    """Say how long it took, where to look, and what to type next."""
    screen.say("")
    screen.headline(
        f"That took {outcome['seconds']:.0f} seconds. Custodians and witnesses are stopped;"
        " everything is left for you to look at:"
    )
    screen.say("")
    screen.show({name: os.path.relpath(outcome[name]) for name in LOOK_AT})
    # Whole and alone on their lines, to be copied.
    screen.say(f"\n  Verify it yourself:\n\n{outcome['verify_yourself']}")
    screen.say(f"\n  Go on with this hub:\n\n{outcome['start_the_services_again']}\n")
