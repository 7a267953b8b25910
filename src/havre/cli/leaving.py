"""`havre depart`, `arrive`: the way out; `havre backup`, `recover`: when there was no time for it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from havre.cli.options import HubOption, JsonOption, PartyOption, open_hub
from havre.cli.screen import Screen


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command()(depart)
    app.command()(arrive)
    app.command()(backup)
    app.command()(recover)


def depart(
    name: Annotated[str, typer.Argument(help="A short name for this departure.")],
    *,
    hub: HubOption,
    party: PartyOption,
    card: Annotated[Path, typer.Option("--for", help="The new host's card, host.json.")],
    out: Annotated[Path, typer.Option(help="The package's folder; must not exist.")],
    as_json: JsonOption = False,
) -> None:
    """As the controller: pack the whole hub for a new host, and hand its log over."""
    from havre.bootstrap.leaving import assets_of
    from havre.bootstrap.leaving import depart as pack
    from havre.bootstrap.reports import open_party

    open_party(party, role="controller")
    packed = pack(open_hub(hub), name=name, card=card, controller=party, package=out)
    assets = assets_of(packed.manifest)
    screen = Screen(as_json=as_json)
    result: dict[str, object] = {
        "departure": packed.manifest.departure,
        "files": len(packed.manifest.files),
        "bytes": packed.size_bytes,
        "manifest_sha256": packed.manifest_sha256,
        "decrypted": "nothing",
        "gone_before_it_left": packed.manifest.lacking,
    }
    if as_json:
        screen.show({**result, "assets": assets})
        return
    screen.show(result)
    columns = ("asset", "files", "parity_proof", "not_there_yet")
    screen.table("What left", [{name: row[name] for name in columns} for row in assets])


def arrive(
    package: Annotated[Path | None, typer.Argument(help="The package's folder.")] = None,
    *,
    hub: HubOption,
    parties: Annotated[
        Path | None, typer.Option(help="Where custodians, escrow and witnesses are.")
    ] = None,
    prepare: Annotated[
        bool, typer.Option("--prepare", help="Only make this host's keys and its card.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """At the new host: make its keys (--prepare), then open the package and prove equality."""
    from havre.bootstrap.leaving import arrive as unpack
    from havre.bootstrap.leaving import prepare_host

    screen = Screen(as_json=as_json)
    if prepare:
        screen.show({"card": str(prepare_host(hub))})
        return
    if package is None or parties is None:
        raise typer.BadParameter("a package and --parties are needed, or --prepare")
    with screen.progress("arriving") as bar:
        steps = iter(range(1, 10))
        parity = unpack(
            hub,
            package=package,
            parties=parties,
            progress=lambda what: bar.step(next(steps), 4, what),
        )
    screen.show(
        {
            "departure": parity.departure,
            "equal_log_size": parity.log_size,
            "equal_log_root": parity.log_root,
            "equal_files": parity.files,
            "equal_objects": parity.objects,
            "equal_released_files": parity.released,
            "equal_waiting_deliveries": parity.waiting,
            "named_by_the_log_and_here": parity.named,
            "gone_before_it_left": parity.lacking,
            "rows_on_the_log_rounded": parity.rows,
            "proved": (
                "log head and entries against a custodian's copy; every file byte for byte, and so"
                " every sealed manifest with the row counts and content hashes inside, unopened"
            ),
            "not_proved": (
                "that the objects hold what their sealed manifests list: that needs keys, and each"
                " run proves it for what it reads"
            ),
            "entry": parity.index,
        }
    )


def backup(
    name: Annotated[str, typer.Argument(help="A short name for this backup.")],
    *,
    hub: HubOption,
    card: Annotated[Path, typer.Option("--for", help="The standby host's card, host.json.")],
    out: Annotated[Path, typer.Option(help="The backup's folder; must not exist.")],
    as_json: JsonOption = False,
) -> None:
    """Seal the private records to a standby host, for the day on which this one is lost.

    The store's replicas and the custodians' copies of the log are the rest of it.
    """
    from havre.bootstrap.recovering import back_up

    packed = back_up(open_hub(hub), name=name, card=card, package=out)
    Screen(as_json=as_json).show(
        {
            "backup": packed.manifest.departure,
            "files": len(packed.manifest.files),
            "bytes": packed.size_bytes,
            "log_entries": packed.manifest.log_size,
            "manifest_sha256": packed.manifest_sha256,
        }
    )


def recover(
    package: Annotated[Path, typer.Argument(help="The newest backup's folder.")],
    *,
    hub: HubOption,
    party: PartyOption,
    parties: Annotated[Path, typer.Option(help="Where custodians, escrow and witnesses are.")],
    stores: Annotated[
        Path | None,
        typer.Option(help="A TOML file with [[stores]]: the replicas that are left."),
    ] = None,
    site: Annotated[
        Path | None, typer.Option(help="Somebody's copy of the public site, for what came later.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """As the controller, at the standby host: go on with a hub whose host was lost.

    The host is prepared beforehand, with `havre arrive --prepare`.
    """
    from havre.bootstrap.recovering import Remains
    from havre.bootstrap.recovering import recover as go_on
    from havre.bootstrap.reports import open_party, read_file

    open_party(party, role="controller")
    text = read_file(stores).decode("utf-8", "replace") if stores else ""
    screen = Screen(as_json=as_json)
    with screen.progress("recovering") as bar:
        steps = iter(range(1, 10))
        recovered = go_on(
            hub,
            remains=Remains(package, parties, text, site),
            controller=party,
            progress=lambda what: bar.step(next(steps), 4, what),
        )
    screen.show(
        {
            "entry": recovered.index,
            "log_entries_kept": recovered.log_size,
            "log_entries_the_backup_knew": recovered.backup_size,
            "objects": recovered.objects,
            "released_files": recovered.released,
            "named_by_the_log": recovered.named,
            "gone": recovered.gone,
            "gone_names": list(recovered.gone_names),
        }
    )
