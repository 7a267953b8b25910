"""`havre exposure`, `havre host`: who can obtain what, under which law, alone or together."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from havre.cli.options import JsonOption
from havre.cli.screen import Screen, wrap

if TYPE_CHECKING:
    from rich.text import Text

    from havre.bootstrap.exposure_reports import Exposure

# Told apart by shape and by word, not by colour alone.
_SIGNS = {
    "derivable": ("\N{BLACK CIRCLE}", "bold red"),
    "not excluded": ("\N{CIRCLE WITH LEFT HALF BLACK}", "yellow"),
    "not derivable": ("\N{WHITE CIRCLE}", "green"),
}
_MODES = {"passive": "w", "active": "h", "broken-hardware": "b"}
_LEGEND = (
    "● derivable   ○2 not derivable, 2 takeovers away   ○– not even by all together",
    "◐ not excluded: derivable if what is argued or unstated is so",
    "w by a warrant: those whom the law reaches hand over what they have",
    "h with active help: they also change what runs; b with broken hardware as well",
    "alone: who obtains it without anybody else, for instance when broken into (as h)",
)

# From here on there is room for what each message is called.
_TITLED = 100
# Below this a matrix of three laws cannot be read; a narrower terminal breaks its lines.
_NARROWEST = 80

host = typer.Typer(help="Fact sheets of hosts.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command()(exposure)
    app.add_typer(host, name="host")


@host.callback()
def hosts() -> None:
    """Fact sheets of hosts: who somebody is, whose he is, what attests it."""


def exposure(
    *,
    hub: Annotated[
        Path | None, typer.Option("--hub", envvar="HAVRE_HUB", help="The hub's directory.")
    ] = None,
    deployment: Annotated[
        str | None,
        typer.Option(help="A TOML file, or one that comes with Havre: a0 a1 a2 b0 b1 b2 b3."),
    ] = None,
    acquired: Annotated[
        list[str] | None, typer.Option(help="What if: an operator is bought, as store-a=US.")
    ] = None,
    ungated: Annotated[
        bool, typer.Option("--ungated", help="What if: makers push without anybody's leave.")
    ] = False,
    explain: Annotated[
        str | None, typer.Option(help="Why: message, law and mode, as base:US:active.")
    ] = None,
    certificate: Annotated[
        Path | None, typer.Option(help="Write what tools/check_exposure.py checks.")
    ] = None,
    facts: Annotated[Path | None, typer.Option(help="Write the facts alone, as JSON.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Say who can obtain what: under which law, alone or together, and how far off it is.

    Verdicts are "derivable" or "not derivable" under the stated facts, and nothing else.
    """
    from havre.bootstrap import exposure_reports as reports

    found = reports.look_at(
        hub=hub, deployment=deployment, takeovers=acquired or [], gates=not ungated
    )
    lines = reports.explained(found, explain) if explain else []
    written: dict[str, object] = {}
    if certificate:
        written["certificate_bytes"] = reports.write_certificate(found, certificate)
    if facts:
        written["facts_bytes"] = reports.write_facts(found, facts)
    screen = Screen(as_json=as_json)
    if as_json:
        screen.show({**reports.report(found), "explained": lines, **written})
    elif explain:
        for line in lines:
            screen.say(wrap(line, indent="     "))
    else:
        _show(screen, found, reports.report(found))
    if certificate and not as_json:
        screen.say("")
        screen.say(f"Check it: python3 tools/check_exposure.py {certificate.name}")


def _show(screen: Screen, found: Exposure, report: Mapping[str, Any]) -> None:
    screen.say(report["title"])
    for each in report["supposed"]:
        screen.say(wrap(f"  what if: {each}", indent="    "))
    _sum_up(screen, report)
    screen.say("")
    draw_matrix(screen, report)
    screen.say("")
    for each in _LEGEND:
        screen.say(wrap(f"  {each}", indent="    "))
    told = [*_unstated(report), *report["remarks"], *report["warnings"]]
    if told:
        screen.say("")
    for each in told:
        screen.say(wrap(f"  ! {each}", indent="    "))
    screen.say("")
    screen.say(
        wrap(
            f"  Under {len(found.analysis.deployment.facts)} stated facts, the weakest of grade"
            f" {report['weakest_fact']}. Nothing is said of copies that no fact names.",
            indent="  ",
        )
    )


def _sum_up(screen: Screen, report: Mapping[str, Any]) -> None:
    """Say the main things before the matrix: each law from outside, one alone, one less."""
    for summary in report["under_law"]:
        screen.say("")
        screen.say(f"  Under {summary['law']} law")
        for verdict, (sign, _) in _SIGNS.items():
            told = ", ".join(summary[verdict.replace(" ", "_")]) or "nothing"
            screen.say(wrap(f"    {sign} {verdict:<14} {told}", indent=" " * 21))
    screen.say("")
    screen.say("  Alone, or broken into")
    for name, messages in report["alone"].items():
        screen.say(wrap(f"    {name:<16} {', '.join(messages)}", indent=" " * 21))
    if not report["alone"]:
        screen.say("    nobody obtains anything")
    screen.say("")
    screen.say(wrap(f"  {report['withdrawal']}", indent="  "))


def _unstated(report: Mapping[str, Any]) -> list[str]:
    if not report["unstated"]:
        return []
    names = ", ".join(report["unstated"])
    return [f"Nobody has stated where these stand (no fact sheet in hosts/): {names}."]


def draw_matrix(_screen: Screen, report: Mapping[str, Any], *, indent: int = 0) -> None:
    """Draw who obtains what: one row a message, as `havre exposure --json` has it.

    indent: columns left empty before it.
    """
    from rich.console import Console
    from rich.padding import Padding
    from rich.table import Table

    width = max(shutil.get_terminal_size().columns, _NARROWEST)
    grid = Table(show_edge=False, pad_edge=False, header_style="bold", padding=(0, 1))
    grid.add_column("message", overflow="fold", ratio=3)
    for law in report["laws"]:
        grid.add_column(f"{law} law\n" + "  ".join(_MODES.values()), no_wrap=True)
    grid.add_column("alone", overflow="fold", ratio=2)
    grid.add_column("fewest together", overflow="fold", ratio=2)
    foreign = {summary["law"] for summary in report["under_law"]}
    for row in report["matrix"]:
        public = row["smallest"]["passive"] == 0
        cells = [
            _cell(row["answers"][law], quiet=public, foreign=law in foreign)
            for law in report["laws"]
        ]
        alone = "everybody" if public else ", ".join(row["alone"]) or "nobody"
        grid.add_row(_named(row, titled=width >= _TITLED), *cells, alone, _fewest(row))
    Console(width=width).print(Padding(grid, (0, 0, 0, indent)))


def _named(row: Mapping[str, Any], *, titled: bool) -> Text:
    from rich.text import Text

    name = Text(row["message"], style="bold")
    return name.append(f"\n{row['title']}", style="not bold dim") if titled else name


def _cell(answers: Mapping[str, Mapping[str, Any]], *, quiet: bool, foreign: bool) -> Text:
    """Draw one law's three answers.

    quiet: everybody has the message. foreign: the law is from outside the Union; that
        one of the Union reaches custodians of the Union is meant, and no alarm.
    """
    from rich.text import Text

    text = Text()
    for mode in _MODES:
        verdict, margin = answers[mode]["verdict"], answers[mode]["margin"]
        sign, style = _SIGNS[verdict]
        if verdict == "not derivable":
            sign += "–" if margin is None else str(margin)
            style = "yellow" if margin == 1 else style
        elif verdict == "derivable" and not foreign:
            style = "default"
        text.append(f"{sign:<3}", style="dim" if quiet else style)
    return text


def _fewest(row: Mapping[str, Any]) -> str:
    size, example = row["smallest"]["passive"], row["example"]
    if size is None or example is None:
        return "nobody"
    if not size:
        return "everybody"
    return f"{size}: {' + '.join(example)}"


@host.command("check")
def check_host(
    sheets: Annotated[list[Path], typer.Argument(help="Fact sheets, TOML files.")],
    *,
    as_json: JsonOption = False,
) -> None:
    """Read fact sheets, say all that is wrong in them, and what is computed of them."""
    from havre.bootstrap.exposure_reports import read_host_rows, warnings_of

    rows = read_host_rows(sheets)
    screen = Screen(as_json=as_json)
    if as_json:
        screen.show({"hosts": rows, "warnings": warnings_of(rows)})
        return
    for row in rows:
        _show_host(screen, row)
    for each in warnings_of(rows):
        screen.say(wrap(f"  ! {each}", indent="    "))


def _show_host(screen: Screen, row: Mapping[str, Any]) -> None:
    screen.say(f"{row['title']} ({row['country']}): {', '.join(row['parts'])}")
    for each in row["qualifications"]:
        screen.say(
            wrap(
                f"  {each['name']}, {each['scope']}: {each['standing']}, until {each['until']}"
                f" [{each['grade']}]",
                indent="    ",
            )
        )
    capital = row["secnumcloud_19_6_b"]
    lines: Sequence[Mapping[str, Any]] = capital["holders"]
    if lines:
        shown = [{name: _yes_no(value) for name, value in line.items()} for line in lines]
        screen.table("  Holders from outside the Union", shown)
    screen.say(
        f"  together {capital['together']}, unstated {capital['unstated']}:"
        f" thresholds of SecNumCloud 19.6.b {capital['thresholds']}"
    )


def _yes_no(value: Any) -> Any:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else value
