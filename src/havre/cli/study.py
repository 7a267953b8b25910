"""`havre extract`, `run`, `review`, `vote`, `release`: from a permit to released files."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import Annotated

import typer

from havre.cli.options import HubOption, JsonOption, PartyOption, open_hub, open_hub_for_data
from havre.cli.screen import Screen

environment = typer.Typer(help="Environments that studies run in.", no_args_is_help=True)
EnvironmentOption = Annotated[
    Path, typer.Option("--environment", envvar="HAVRE_ENVIRONMENT", help="The built environment.")
]


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command()(extract)
    app.command()(run)
    app.add_typer(environment, name="environment")
    app.command()(submit)
    app.command()(review)
    app.command()(vote)
    app.command()(release)


def extract(
    permit: Annotated[str, typer.Argument(help="The permit's name.")],
    *,
    hub: HubOption,
    as_json: JsonOption = False,
) -> None:
    """Cut the lake to a permit, under pseudonyms of the project's own, sealed to its key."""
    screen = Screen(as_json=as_json)
    with screen.progress("asking the custodians") as bar:
        bar.wait("asking the custodians")
        opened = open_hub_for_data(hub)
        total = len(opened.permits.standing(permit).permit.tables)
        # Each is told when it was cut; how much of the sealing is done, nobody tells.
        number = count(1)
        report = opened.extraction.extract(
            permit,
            progress=lambda table: bar.wait(f"{table}, table {next(number)} of {total}"),
        )
    result = {"permit": report.permit, "entry": report.index, "rows": report.rows}
    # Named only when there are some: a study on what is left is another study.
    screen.show({**result, "erased": report.erased} if report.erased else result)


@environment.callback()
def environments() -> None:
    """Environments that studies run in, named by the hash of what is in them."""


@environment.command()
def build(
    lock: Annotated[Path, typer.Argument(help="A lock file with hashes.")],
    *,
    environment: EnvironmentOption,
    as_json: JsonOption = False,
) -> None:
    """Build an environment from its lock file; one that is there already stays."""
    from havre.bootstrap.studies import build_environment

    Screen(as_json=as_json).show(build_environment(lock, environment))


@environment.command()
def check(*, environment: EnvironmentOption, as_json: JsonOption = False) -> None:
    """Hash an environment anew, file by file."""
    from havre.bootstrap.studies import check_environment

    Screen(as_json=as_json).show({"environment_sha256": check_environment(environment)})


def run(
    permit: Annotated[str, typer.Argument(help="The permit's name.")],
    study: Annotated[Path, typer.Argument(help="The study's folder, with study.py.")],
    arguments: Annotated[list[str] | None, typer.Argument(help="Arguments for study.py.")] = None,
    *,
    party: PartyOption,
    hub: HubOption,
    environment: EnvironmentOption,
    as_json: JsonOption = False,
) -> None:
    """As a researcher: run a study on the permit's extract, in the sandbox, without any key."""
    from havre.bootstrap.reports import open_party
    from havre.bootstrap.studies import read_code
    from havre.bootstrap.study_reports import job_row

    screen = Screen(as_json=as_json)
    code = read_code(study, arguments=arguments or [], environment=environment)
    with screen.progress("running") as bar:
        bar.wait("the study runs in the sandbox")
        report = open_hub_for_data(hub).runs.run(
            permit, code, researcher=open_party(party, role="researcher")
        )
    screen.show(job_row(report, code=code.files))
    if report.record.outcome != "finished":
        raise typer.Exit(code=3)


RequestArgument = Annotated[str, typer.Argument(help="The request's short public name.")]


def submit(
    request: RequestArgument,
    job: Annotated[str, typer.Argument(help="The job whose outputs are to leave.")],
    *,
    party: PartyOption,
    hub: HubOption,
    as_json: JsonOption = False,
) -> None:
    """As a researcher: ask for a job's outputs to be released; the machine checks them at once."""
    from havre.bootstrap.reports import open_party
    from havre.bootstrap.study_reports import submission_row

    submission = open_hub_for_data(hub).reviews.submit(
        request, job, researcher=open_party(party, role="researcher")
    )
    Screen(as_json=as_json).show(submission_row(submission))
    if submission.standing.state.value == "returned":
        raise typer.Exit(code=3)


def review(
    request: RequestArgument,
    *,
    party: PartyOption,
    hub: HubOption,
    out: Annotated[Path | None, typer.Option(help="A new folder below /dev/shm.")] = None,
    as_json: JsonOption = False,
) -> None:
    """As a checker: see the files and what the machine's check said; the opening is on the log."""
    from havre.bootstrap.reports import open_party
    from havre.bootstrap.study_reports import check_desk, lay_out, standing_row

    if out:
        check_desk(out)
    reviews = open_hub_for_data(hub).reviews
    files = reviews.show(request, checker=open_party(party, role="checker"))
    shown = {**standing_row(reviews.standing(request)), "findings": reviews.findings(request)}
    shown["files"] = lay_out(files, out) if out else sorted(files)
    Screen(as_json=as_json).show(shown)


def vote(
    request: RequestArgument,
    vote: Annotated[str, typer.Argument(help="approve or return.")],
    *,
    party: PartyOption,
    hub: HubOption,
    as_json: JsonOption = False,
) -> None:
    """As a checker: vote, blind to the other; with the second vote both are opened."""
    from havre.bootstrap.reports import open_party, read_vote
    from havre.bootstrap.study_reports import standing_row

    standing = open_hub(hub).reviews.vote(
        request, read_vote(vote), checker=open_party(party, role="checker")
    )
    Screen(as_json=as_json).show(standing_row(standing))


def release(request: RequestArgument, *, hub: HubOption, as_json: JsonOption = False) -> None:
    """Let an approved request's files out, with their manifest."""
    released = open_hub_for_data(hub).releases.release(request)
    Screen(as_json=as_json).show(
        {"request": released.request, "files": list(released.files), "place": released.place}
    )
