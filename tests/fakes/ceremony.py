"""A ceremony that gives shares to others, on a whole hub: what its tests arrange and act with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fakes.small_hub import SmallHub
from havre.adapters.tokens.file import create_party
from havre.application.vault.resharing import ResharingReport
from havre.bootstrap.resharing import adopt, attend, draft_trust, reshare, write_ceremony_order
from havre.bootstrap.services import write_service
from havre.domain.trust import Role

ALL = ("custodian-1", "custodian-2", "custodian-3", "escrow")


@dataclass(frozen=True)
class Prepared:
    """An order and the trust roots that it names, as files beside the hub."""

    hub: SmallHub
    order: Path
    trust: Path

    def attended_by(self, *names: str) -> Prepared:
        """People at these custodians have looked at the order."""
        for name in names:
            attend(self.order, self.hub.parties / name)
        return self

    def held(self) -> ResharingReport:
        """Hold the ceremony, or go on with it."""
        return reshare(self.hub.open(), self.order, self.trust)

    def adopted_by(self, *names: str) -> None:
        """These parties take the new trust roots over."""
        for name in names:
            adopt(self.order, self.trust, self.hub.parties / name)


def prepared(
    hub: SmallHub,
    *,
    lost: tuple[str, ...] = ("custodian-3",),
    fresh: tuple[str, ...] = ("custodian-4",),
    threshold: int | None = None,
    by: tuple[str, ...] = ("controller", "authority-1"),
    name: str = "order",
) -> Prepared:
    """Draft trust roots, make the new custodians, sign an order, and tell the hub where everybody is."""
    folders = [hub.parties / each for each in fresh]
    for folder in folders:
        if not folder.exists():
            create_party(
                folder, name=folder.name, role=Role.CUSTODIAN, operator=f"house of {folder.name}"
            )
    trust, order = hub.root / f"{name}-trust.json", hub.root / f"{name}.json"
    opened = hub.open()
    draft_trust(opened, add=folders, former=lost, threshold=threshold, out=trust)
    signers = [hub.parties / each for each in by]
    write_ceremony_order(opened, trust, parties=signers, out=order)
    for folder in folders:
        adopt(order, trust, folder)
        if (hub.parties / "custodian-1" / "service.toml").exists():
            write_service(folder, log=hub.hub / "site" / "log")
    stay = [each for each in ALL[:3] if each not in lost]
    rewrite_parties(hub, [*stay, *fresh], former=list(lost))
    return Prepared(hub, order, trust)


def rewrite_parties(hub: SmallHub, names: list[str], *, former: list[str]) -> None:
    """What an operator writes into havre.toml: the custodians of today, and those before."""

    def place(name: str) -> str:
        served = (hub.parties / name / "service.toml").exists()
        return f"unix:../parties/{name}/{name}.sock" if served else f"../parties/{name}"

    def spelled(names: list[str]) -> str:
        return "[" + ", ".join(f'"{place(name)}"' for name in names) + "]"

    path = hub.hub / "havre.toml"
    lines = path.read_text().splitlines()
    kept = [line for line in lines if not line.startswith(("custodians = ", "former = "))]
    at = kept.index("[parties]") + 1
    fresh = [f"custodians = {spelled(names)}", f"former = {spelled(former)}"]
    path.write_text("\n".join([*kept[:at], *fresh, *kept[at:]]) + "\n")
