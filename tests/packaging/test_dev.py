"""`dev.py`, the first command that a stranger types: wrong words, a clone of somebody else, another folder."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NOBODY = 65534
PYTHON_OF_ALL = "/usr/bin/python3"


def dev(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "dev.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, cwd=cwd)


@pytest.mark.parametrize("arguments", [[], ["nonsense"], ["check", "extra"], ["setup", "--x"]])
def test_wrong_words_are_answered_with_the_right_ones(arguments: list[str]) -> None:
    ended = dev(*arguments)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith(f"dev.py: there is no such command: {' '.join(arguments) or '(none given)'}")
    assert "python3 dev.py test" in ended.stderr


def test_help_is_no_error() -> None:
    ended = dev("--help")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "python3 dev.py demo" in ended.stdout


@pytest.mark.skipif(os.geteuid() != 0 or not os.access(PYTHON_OF_ALL, os.X_OK), reason="needs root and a Python of all")
def test_a_clone_of_somebody_else_is_one_message() -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        clone = Path(folder) / "dev.py"
        clone.write_bytes((ROOT / "dev.py").read_bytes())
        clone.chmod(0o644)
        command = [PYTHON_OF_ALL, str(clone), "setup"]
        ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, user=NOBODY, cwd="/")
    assert ended.returncode == 1
    assert "not writable for this user" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.skipif(Path(sys.prefix) != ROOT / ".venv", reason="needs the environment that dev.py keeps up to date")
def test_paths_of_the_demo_start_where_the_person_is(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    ended = dev("demo", "--proposals", "mine", cwd=tmp_path)
    assert (ended.returncode, "mine has no *.json file" in ended.stderr) == (2, True), ended.stderr


@pytest.mark.skipif(Path(sys.prefix) != ROOT / ".venv", reason="needs the environment that dev.py keeps up to date")
def test_programs_keep_their_bytecode(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = importlib.util.spec_from_file_location("dev", ROOT / "dev.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    told = module.environment()
    assert "PYTHONDONTWRITEBYTECODE" not in told
    assert told["PATH"].startswith(str(ROOT / ".venv" / "bin"))
