"""A delivery made again with some rows changed, announced as a correction of the one before."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Callable
from pathlib import Path

Lines = list[str]


def corrected(
    folder: Path,
    name: str,
    change: Callable[[Lines], Lines] = lambda lines: lines,
    *,
    corrects: str | None,
    covers: str = "",
) -> Path:
    """Copy a delivery under another name, and change the data lines of its first file.

    corrects: null announces a delivery like any other. covers: TOML of the days covered.
    """
    made = folder.parent / name
    shutil.copytree(folder, made)
    text = (made / "delivery.toml").read_text(encoding="utf-8")
    path = made / re.findall(r'path = "([^"]+)"', text)[0]
    before = path.read_bytes()
    header, *lines = before.decode().splitlines()
    path.write_text("\n".join([header, *change(lines)]) + "\n", encoding="utf-8")
    was, now = (hashlib.sha256(body).hexdigest() for body in (before, path.read_bytes()))
    text = re.sub(r"size_bytes = \d+\n", "", text.replace(was, now))
    text = text.replace(f'name = "{folder.name}"', f'name = "{name}"')
    if corrects is not None:
        text = re.sub(r"(dataset = .*\n)", rf'\1corrects = "{corrects}"\n', text, count=1)
    if covers:
        text = re.sub(r"(dataset = .*\n)", rf"\1covers = {covers}\n", text, count=1)
    (made / "delivery.toml").write_text(text, encoding="utf-8")
    return made


def late(folder: Path, place: Path) -> Path:
    """Another delivery of the same kind, one line shorter, in a place of its own."""
    made = corrected(folder, place.name, lambda lines: lines[1:], corrects=None)
    return Path(shutil.move(made, place))
