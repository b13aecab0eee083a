"""A Chromium that Playwright can drive, on a machine that has never seen one."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, Playwright

ROOT: Final = Path(__file__).parents[1]
PACKED: Final = ROOT / "explorer" / "node_modules" / "@sparticuz" / "chromium"
"""A packed Chromium for Linux on x86-64, from npm. It brings the libraries that small systems lack."""

NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
NOT_FOUND: Final = (
    "no Chromium was found: not in PNYX_CHROMIUM, not in explorer/node_modules, not on PATH. "
    "Try: python3 dev.py setup; or install one (apt-get install chromium) and set PNYX_CHROMIUM to its program"
)

_UNPACK: Final = """
import { readFileSync } from 'node:fs';
import { brotliDecompressSync } from 'node:zlib';
process.stdout.write(brotliDecompressSync(readFileSync(process.argv[1])));
"""


@dataclass(frozen=True, slots=True)
class Chromium:
    program: str
    environment: dict[str, str] = field(default_factory=dict)

    def launch(self, playwright: Playwright) -> Browser:
        environment = {**os.environ, **self.environment}
        return playwright.chromium.launch(executable_path=self.program, args=list(FLAGS), env=environment)


def find_chromium() -> Chromium | None:
    """The named one, else the one of the npm packages, so that everybody has the same, else one on the path."""
    named = os.environ.get("PNYX_CHROMIUM")
    if named:
        return Chromium(named)
    if (PACKED / "bin" / "chromium.br").exists() and os.uname().machine == "x86_64" and os.uname().sysname == "Linux":
        return unpacked(ROOT / ".tools")
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    return Chromium(found) if found else None


def unpacked(tools: Path) -> Chromium:
    """The packed one, unpacked once per version. Tests run side by side, so it appears whole or not at all."""
    version = hashlib.sha256((PACKED / "package.json").read_bytes()).hexdigest()
    folder = tools / f"chromium-{version[:16]}"
    if not folder.exists():
        tools.mkdir(exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix=".chromium-", dir=tools))
        _unpack_into(fresh)
        try:
            fresh.rename(folder)
        except OSError:  # another process was quicker
            shutil.rmtree(fresh)
    environment = {"LD_LIBRARY_PATH": str(folder / "lib")}
    if not Path("/etc/fonts/fonts.conf").exists():
        environment["FONTCONFIG_PATH"] = str(folder / "fonts")
    return Chromium(str(folder / "chromium"), environment)


def _unpack_into(folder: Path) -> None:
    program = folder / "chromium"
    program.write_bytes(_content_of("chromium.br"))
    program.chmod(0o755)
    for archive in ("al2023.tar.br", "fonts.tar.br"):
        with tarfile.open(fileobj=io.BytesIO(_content_of(archive))) as tar:
            tar.extractall(folder, filter="data")


def _content_of(name: str) -> bytes:
    node = shutil.which("node")
    assert node is not None, "no node: run the tests through dev.py"
    command = [node, "--input-type=module", "-e", _UNPACK, str(PACKED / "bin" / name)]
    return subprocess.run(command, check=True, capture_output=True, timeout=120).stdout
