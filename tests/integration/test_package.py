"""What is installed is what the README says: a wheel, its base, and a command that answers."""

from __future__ import annotations

import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from havre.bootstrap.exposing import list_references

ROOT = Path(__file__).parents[2]

# What a researcher writes and tries a study with.
IMPORTS = """
import havre.domain.plan, havre.domain.permit_text, havre.snds.codes
from havre.study import Outputs, Tables
print("ok")
"""

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (built,) = folder.glob("*.whl")
    return built


def test_the_wheel_carries_its_licence_and_its_types_and_no_tests(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        licence = next(name for name in names if name.endswith("licenses/LICENSE"))
        assert b"EUROPEAN UNION PUBLIC LICENCE" in archive.read(licence)
    assert "havre/py.typed" in names
    assert not [name for name in names if name.startswith(("tests/", "tools/", "benchmarks/"))]


def test_the_wheel_carries_the_strangers_programs_and_the_reference_deployments(
    wheel: Path,
) -> None:
    with zipfile.ZipFile(wheel) as archive:
        for name in ("verify_log.py", "check_exposure.py"):
            assert archive.read(f"havre/{name}") == (ROOT / "tools" / name).read_bytes()
        names = [each for each in archive.namelist() if "exposure/references/" in each]
    assert [Path(name).stem for name in sorted(names)] == list_references()


def test_a_researcher_installs_the_base_alone(wheel: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", with_pip=True)
    python = str(tmp_path / "venv" / "bin" / "python")
    subprocess.run([python, "-m", "pip", "install", "-q", str(wheel)], check=True, timeout=600)
    done = subprocess.run(
        [python, "-c", IMPORTS],
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == "ok"
