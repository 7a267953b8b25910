"""Studies: the code that a researcher brings, the library beside it, the environment it runs in."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from havre.errors import InvalidInput, NotFound

if TYPE_CHECKING:
    from havre.application.run import StudyCode

_MOST_FILES = 200
_MOST_FILE_BYTES = 4 * 1024 * 1024


def study_library() -> dict[str, bytes]:
    """What every study finds beside its code: `havre.study`, as it is."""
    package = resources.files("havre")
    library = {"havre/__init__.py": b'"""The researcher\'s part of Havre."""\n'}
    for path in package.joinpath("study").iterdir():
        if path.name.endswith(".py"):
            library[f"havre/study/{path.name}"] = path.read_bytes()
    return library


def build_environment(lock: Path, folder: Path) -> dict[str, str]:
    """Build a study environment from a lock file; its name is the hash of what is in it."""
    from havre.adapters.sandbox.environment import build_environment

    return {"folder": str(folder), "environment_sha256": build_environment(lock, folder)}


def check_environment(folder: Path) -> str:
    """Hash an environment anew, file by file."""
    from havre.adapters.sandbox.environment import check_environment

    return check_environment(folder)


def read_code(folder: Path, *, arguments: list[str], environment: Path) -> StudyCode:
    """Read a study's folder: `study.py` and what is beside it, and hash the environment anew.

    Raises:
        NotFound: there is no study.py, or no environment.
        InvalidInput: a link, or too many or too large files.
    """
    from havre.adapters.sandbox.environment import check_environment
    from havre.application.run import StudyCode

    if not (folder / "study.py").is_file():
        raise NotFound(f"There is no study.py in {folder.name}.", hint="Name the study's folder.")
    paths = [path for path in sorted(folder.rglob("*")) if not path.is_dir()]
    paths = [path for path in paths if "__pycache__" not in path.parts]
    if len(paths) > _MOST_FILES or any(
        path.is_symlink() or path.stat().st_size > _MOST_FILE_BYTES for path in paths
    ):
        raise InvalidInput(
            "The study's folder holds a link, more than 200 files, or one above 4 MiB.",
            hint="Keep only the study's own code there.",
        )
    return StudyCode(
        files={str(path.relative_to(folder)): path.read_bytes() for path in paths},
        arguments=tuple(arguments),
        environment=str(environment.resolve()),
        environment_sha256=check_environment(environment),
    )
