"""``pnyx explorer`` as a process: what it serves, and what it does not."""

from __future__ import annotations

import re
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit

import httpx
import pytest

ROOT = Path(__file__).parents[2]
LOG = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
NAME = "ab" * 32 + ".json"


@pytest.fixture
def evidence(tmp_path: Path) -> Path:
    folder = tmp_path / "evidence"
    folder.mkdir()
    (folder / NAME).write_text("{}")
    (folder / "secret.txt").write_text("secret")
    (tmp_path / ("cd" * 32 + ".json")).write_text("outside")
    return folder


@pytest.fixture
def served(evidence: Path) -> Iterator[str]:
    """What the command says to open."""
    place = ["--rpc", "http://127.0.0.1:8545", "--log", LOG, "--upto", "latest"]
    command = [sys.executable, "-m", "pnyx_agents", "explorer", "--port", "0", "--evidence", str(evidence), *place]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().removeprefix("Open ").strip()
        process.terminate()


def test_a_browser_that_goes_away_is_no_error(evidence: Path) -> None:
    command = [sys.executable, "-m", "pnyx_agents", "explorer", "--port", "0", "--evidence", str(evidence)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        base = urlsplit(process.stdout.readline().removeprefix("Open ").strip())
        with socket.create_connection((base.hostname, base.port)) as browser:
            browser.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # it resets
            browser.sendall(f"GET /main.js HTTP/1.1\r\nHost: {base.netloc}\r\n\r\n".encode())
        assert httpx.get(f"http://{base.netloc}/").status_code == 200
        process.terminate()
        assert "Traceback" not in process.stderr.read()


def test_it_serves_the_page_and_the_evidence_and_nothing_else(served: str) -> None:
    base, _, place = served.partition("#")
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/", base)
    options = f"evidence={quote(base, safe='')}evidence%2F&upto=latest"
    assert place == f"/http%3A%2F%2F127.0.0.1%3A8545/{LOG}?{options}"
    with httpx.Client(base_url=base) as client:
        page = client.get("/")
        assert page.status_code == 200
        assert 'src="main.js"' in page.text
        assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
        assert page.headers["x-content-type-options"] == "nosniff"
        assert client.get("/worker.js").headers["content-type"].startswith("text/javascript")
        assert client.head("/main.js").content == b""
        assert client.get(f"/evidence/{NAME}").text == "{}"
        outside = "cd" * 32 + ".json"
        for path in (
            "/evidence/",
            "/evidence/secret.txt",
            f"/evidence/../{outside}",
            f"/evidence/%2e%2e/{outside}",
            "/../explorer.py",
            "//etc/passwd",
            f"/evidence/{NAME.upper()}",
            f"/evidence/{'ef' * 32}.json",
        ):
            assert client.get(path).status_code == 404, path
        assert client.post("/").status_code == 501


def test_another_name_for_this_machine_gets_nothing(served: str) -> None:
    base = served.partition("#")[0]
    for host in ("evil.example", "evil.example:80", ""):
        assert httpx.get(f"{base}evidence/{NAME}", headers={"Host": host}).status_code in {400, 421}


def test_the_policy_is_the_one_of_the_page(served: str) -> None:
    page = httpx.get(served.partition("#")[0])
    found = re.search(r'Content-Security-Policy"\s+content="([^"]+)"', page.text)
    assert found is not None
    of_the_page = {part.strip() for part in found.group(1).split(";")}
    of_the_server = {part.strip() for part in page.headers["content-security-policy"].split(";")}
    assert of_the_server - of_the_page == {"frame-ancestors 'none'"}
    assert of_the_page <= of_the_server


def explorer(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pnyx_agents", "explorer", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_what_cannot_be_served_is_one_sentence(served: str, tmp_path: Path) -> None:
    taken = served.partition("#")[0].rstrip("/").rpartition(":")[2]
    ended = explorer("--port", taken)
    assert (ended.returncode, f"port {taken} cannot be used" in ended.stderr) == (2, True)
    ended = explorer("--evidence", str(tmp_path / "nowhere"))
    assert (ended.returncode, "is no folder" in ended.stderr) == (2, True)


def test_the_types_of_the_page_hold() -> None:
    tsc = ROOT / "explorer" / "node_modules" / "typescript" / "bin" / "tsc"
    command = ["node", str(tsc), "--project", str(ROOT / "explorer" / "page")]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=200)
    assert (ended.returncode, ended.stdout) == (0, "")
