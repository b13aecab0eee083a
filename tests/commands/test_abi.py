"""`pnyx abi`, against explorers on this machine that answer as the real ones do, and otherwise."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from pnyx_agents.settings import load_settings
from pnyx_tools.testing.serving import Answer, Asked, HttpServer

from .conftest import Pnyx

VAULT = "0x00000000000000000000000000000000000000A1"
PROXY = "0x00000000000000000000000000000000000000b2"
ABI = [{"type": "function", "name": "harvest", "inputs": [{"type": "address", "name": "keeper"}]}]
KEY = "a-key-that-nobody-sees"


class Explorer(HttpServer):
    """Answers with what `says` gives; remembers what was asked."""

    says: Callable[[Asked], Answer]

    def answer(self, asked: Asked) -> Answer:
        self.asked = asked.path
        return self.says(asked)


@pytest.fixture
def explorer() -> Iterator[Explorer]:
    with Explorer() as server:
        yield server


@pytest.fixture
def config(tmp_path: Path) -> Callable[..., Path]:
    def write(**decoding: str) -> Path:
        lines = "\n".join(f"{name} = {json.dumps(value)}" for name, value in decoding.items())
        file = tmp_path / "pnyx.toml"
        file.write_text(
            '[agent]\nname = "a"\n[chain]\nrpc = "http://127.0.0.1:1"\nchain_id = 5\n'
            f'[[governor]]\naddress = "{PROXY}"\nstart_block = 0\n[decoding]\n{lines}\n'
        )
        return file

    return write


def etherscan(result: object, status: str = "1") -> Callable[[Asked], Answer]:
    return lambda _: Answer.of({"status": status, "message": "OK", "result": result})


def test_sourcifys_abi_is_written_and_names_calls(pnyx: Pnyx, explorer: Explorer, config: Callable[..., Path]) -> None:
    explorer.says = lambda _: Answer.of({"abi": ABI, "match": "exact_match"})
    file = config(abis="abis", sourcify=explorer.url)
    ended = pnyx("abi", VAULT, "--config", file, "--json")
    assert ended.code == 0, ended.err
    assert ended.json["functions"] == ["harvest(address keeper)"]
    assert explorer.asked == f"/v2/contract/5/{VAULT}?fields=abi"
    (functions,) = load_settings(file).interfaces().values()
    assert list(functions.values()) == ["harvest(address keeper)"]


def test_etherscans_abi_of_a_proxys_code(pnyx: Pnyx, explorer: Explorer, config: Callable[..., Path]) -> None:
    explorer.says = etherscan(json.dumps(ABI))
    file = config(abis="abis", etherscan=f"{explorer.url}/v2/api", etherscan_key=KEY)
    ended = pnyx("abi", VAULT, "--as", PROXY, "--config", file)
    assert ended.code == 0, ended.err
    assert "on the word of Etherscan" in ended.out
    asked = parse_qs(urlsplit(explorer.asked).query)
    assert (asked["chainid"], asked["action"], asked["address"], asked["apikey"]) == (["5"], ["getabi"], [VAULT], [KEY])
    assert list(load_settings(file).interfaces()) == [PROXY]


NOT_VERIFIED = "Contract source code not verified"


@pytest.mark.parametrize(
    ("says", "code", "words"),
    [
        (etherscan(NOT_VERIFIED, "0"), 1, "no configured explorer has an ABI"),
        (etherscan(f"Invalid API Key {KEY}", "0"), 3, "refuses"),
        (etherscan("[1]"), 1, "calls an ABI is none"),
        (etherscan("{}"), 1, "is no list"),
        (etherscan(7), 3, "gives no ABI"),
        (lambda _: Answer(b"<html>", 502), 3, "HTTP 502"),
        (lambda _: Answer(is_reset=True), 3, "does not answer"),
        (lambda _: Answer(b"", 302, {"location": "http://127.0.0.1:1/"}), 3, "HTTP 302"),
    ],
)
def test_what_is_no_abi_writes_no_file(
    pnyx: Pnyx, explorer: Explorer, config: Callable[..., Path], says: Callable[[Asked], Answer], code: int, words: str
) -> None:
    explorer.says = says
    file = config(abis="abis", etherscan=explorer.url, etherscan_key=KEY)
    ended = pnyx("abi", VAULT, "--config", file)
    assert (ended.code, words in ended.err, KEY in ended.err + ended.out) == (code, True, False), ended.err
    assert not (file.parent / "abis").exists()


def test_the_second_explorer_is_asked_what_the_first_does_not_know(
    pnyx: Pnyx, explorer: Explorer, config: Callable[..., Path]
) -> None:
    known = etherscan(json.dumps(ABI))
    explorer.says = lambda asked: Answer.of({}, 404) if "/v2/contract" in asked.path else known(asked)
    ended = pnyx("abi", VAULT, "--config", config(abis="abis", sourcify=explorer.url, etherscan=explorer.url))
    assert ended.code == 0, ended.err


def test_a_file_that_is_there_is_kept(pnyx: Pnyx, explorer: Explorer, config: Callable[..., Path]) -> None:
    file = config(abis="abis", sourcify=explorer.url)
    kept = file.parent / "abis" / f"{VAULT}.json"
    kept.parent.mkdir()
    kept.write_text("[]")
    ended = pnyx("abi", VAULT, "--config", file)
    assert (ended.code, "there already" in ended.err, kept.read_text()) == (2, True, "[]")


@pytest.mark.parametrize("decoding", [{}, {"abis": "abis"}, {"sourcify": "http://127.0.0.1:1"}])
def test_without_folder_or_explorer_nothing_is_asked(
    pnyx: Pnyx, config: Callable[..., Path], decoding: dict[str, str]
) -> None:
    ended = pnyx("abi", VAULT, "--config", config(**decoding))
    assert (ended.code, "needs a folder" in ended.err) == (2, True)
