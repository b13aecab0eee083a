"""Two workers of one agent on one database, and their signer, started and watched as one program.

Whoever is killed is reported, and started again by the next launch; the others go on meanwhile.
"""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pnyx_tools.testing.faults.killing import Trouble
from pnyx_tools.testing.faults.launching import Running, Start

SIGNER: Final = ("signer", "signer.toml")
MEMBERS: Final = {"signer": SIGNER, "first": ("run", "pnyx.toml"), "second": ("run", "pnyx.toml")}
"""Command and configuration of each. Either of the two may lead."""


@dataclass
class Team:
    """A `Launch`: starts who does not run."""

    start: Start
    members: dict[str, Running] | None = None

    def __call__(self, folder: Path, trouble: Trouble) -> Running:
        members = self.members = self.members or {}
        for name, (command, config) in MEMBERS.items():
            if name not in members or members[name].code() is not None:
                members[name] = self.start(folder, trouble, command, config)
                if name == "signer":
                    _wait_for(folder / "signer" / "signer.sock", members[name])
        return _Together(members)


def _wait_for(place: Path, signer: Running) -> None:
    """Until it answers there, or ended: a worker that finds none ends at once."""
    while signer.code() is None:
        with socket.socket(socket.AF_UNIX) as peer:
            try:
                peer.connect(str(place))
            except OSError:
                time.sleep(0.05)
            else:
                return


@dataclass(frozen=True, slots=True)
class _Together:
    members: dict[str, Running]

    @property
    def pid(self) -> int:
        return self.members["first"].pid

    def code(self) -> int | None:
        """The worst of those that ended, as soon as one of them did not end well; 0 when all ended well."""
        codes = [member.code() for member in self.members.values()]
        failed = [code for code in codes if code is not None and code != 0]
        if failed:
            return min(failed)
        return None if None in codes else 0

    def kill(self) -> None:
        for member in self.members.values():
            member.kill()

    def stop(self) -> None:
        for member in self.members.values():
            if member.code() is None:
                member.stop()
