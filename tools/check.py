"""`make check`: every check, one line each, nothing changed, failures counted.

The checks run one after the other and all of them run, so that one look shows
everything there is to mend.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

BIN = Path(sys.executable).parent
LOCKED = re.compile(
    r"^(?P<name>[a-z0-9-]+)==(?P<version>[^ ;\\]+)(?P<marker> ; [^\\]*)?", re.MULTILINE
)
LINK = re.compile(r"\[[^\]]*\]\((?!https?:|mailto:|#)(?P<target>[^)#\s]+)[^)]*\)")


def command(*words: str) -> Callable[[], str]:
    """Make a check of a program: its output when it fails, nothing when it passes."""

    def run() -> str:
        program = [str(BIN / words[0]), *words[1:]]
        done = subprocess.run(program, capture_output=True, text=True, check=False)
        return "" if done.returncode == 0 else (done.stdout + done.stderr).strip() or "failed"

    return run


def lock_fits() -> str:
    """The lock pins every direct dependency with hashes, names no address, and is installed."""
    text = Path("requirements.lock").read_text(encoding="utf-8")
    project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))
    wanted = [
        *project["project"]["dependencies"],
        *(each for extra in project["project"]["optional-dependencies"].values() for each in extra),
        *(each for group in project["dependency-groups"].values() for each in group),
    ]
    locked = {match["name"]: match for match in LOCKED.finditer(text)}
    faults = [f"not locked: {each}" for each in wanted if bare_name(each) not in locked]
    if re.search(r"https?://|file:", text):
        faults.append("requirements.lock names an address")
    if text.count("--hash=sha256:") < len(locked):
        faults.append("requirements.lock has a package without a hash")
    for name, match in locked.items():
        if match["marker"] is None and installed(name) != match["version"]:
            faults.append(f"installed is {name} {installed(name)}, locked {match['version']}")
    return "\n".join(faults)


def bare_name(requirement: str) -> str:
    return re.split(r"[\[<>=! ]", requirement, maxsplit=1)[0].lower()


def installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def links_lead_somewhere() -> str:
    """Every relative link in a Markdown page leads to a file of the project."""
    pages = [*Path().glob("*.md"), *Path("docs").rglob("*.md")]
    return "\n".join(
        f"{page}: {match['target']} does not exist"
        for page in pages
        for match in LINK.finditer(page.read_text(encoding="utf-8"))
        if not (page.parent / match["target"]).exists()
    )


CHECKS: dict[str, Callable[[], str]] = {
    "lock": lock_fits,
    "format": command("ruff", "format", "--check", "--quiet", "."),
    "lint": command("ruff", "check", "--quiet", "."),
    "types": command("mypy"),
    "imports": command("lint-imports"),
    "sizes": command("python", "tools/measure.py"),
    "examples": command("pytest", "--doctest-modules", "--ignore-glob=*/migrations/*", "src"),
    "links": links_lead_somewhere,
}


def main() -> int:
    failed = 0
    for name, check in CHECKS.items():
        start = time.perf_counter()
        fault = check()
        failed += bool(fault)
        print(
            f"{name:<10} {'FAILED' if fault else 'ok':<7} {time.perf_counter() - start:5.1f} s",
            flush=True,
        )
        if fault:
            print("\n".join(f"    {line}" for line in fault.splitlines()[-60:]), flush=True)
    print(f"{failed} of {len(CHECKS)} checks failed" if failed else "every check passed")
    return min(failed, 100)


if __name__ == "__main__":
    sys.exit(main())
