"""Two processes of one agent begin in one folder at the same moment, or one dies while it writes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pnyx_agents import assembly
from pnyx_tools.files import write_secret


def test_both_use_the_salt_key_that_was_there_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = assembly.salt_key(tmp_path / "salt.key")
    monkeypatch.setattr(Path, "exists", lambda _: False)  # it was not there a moment ago
    assert assembly.salt_key(tmp_path / "salt.key") == key


def test_nobody_sees_half_a_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, seen = tmp_path / "keys" / "secret", list[bool]()
    sync = os.fsync

    def look(descriptor: int) -> None:
        seen.append(path.exists())
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", look)
    write_secret(path, "of great length")
    assert (seen, path.read_text(), path.stat().st_mode & 0o777) == ([False], "of great length", 0o600)
    with pytest.raises(FileExistsError):
        write_secret(path, "another")
    assert path.read_text() == "of great length"
    assert list(path.parent.iterdir()) == [path], "nothing is left beside it"
