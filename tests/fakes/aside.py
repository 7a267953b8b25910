"""What a holder's reader has noted of lines that are no rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def lines_aside(folder: Path, path: str) -> list[dict[str, Any]]:
    """Places and reasons of one file's lines: those of a reader that keeps them in `folder/aside`."""
    index = folder / ".draft-aside" / f"{path}.index.jsonl"
    return [json.loads(line) for line in index.read_bytes().splitlines()] if index.exists() else []
