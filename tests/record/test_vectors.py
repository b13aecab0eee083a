"""The shipped vectors are current. That JavaScript agrees with them: tests/explorer/parity/test_javascript.py."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from tests.record.make_vectors import file

from pnyx_contracts.canonical import parse_json
from pnyx_contracts.errors import DecodingError
from pnyx_contracts.record import POSITIONS, SEALABLE
from pnyx_contracts.types import to_hex
from pnyx_policies.bundle import Bundle, open_bundle
from pnyx_policies.configuration import REPEATED_BY
from pnyx_policies.disclosure import Disclosure, open_disclosure

ROOT = Path(__file__).resolve().parents[2]
VECTORS = files("pnyx_contracts").joinpath("vectors/record.json")


def shipped() -> dict[str, Any]:
    return json.loads(VECTORS.read_text())


def test_the_shipped_vectors_are_what_the_code_makes() -> None:
    assert VECTORS.read_bytes() == file(), "stale: run `python tests/record/make_vectors.py`"


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


def test_the_format_document_says_what_can_be_sealed_and_with_what() -> None:
    document = (ROOT / "docs/record-format.md").read_text()
    sealing = document[document.index("## 6. Sealing") : document.index("## 7. Disclosures")]
    assert [name for name in SEALABLE if f"`{name}`" not in sealing] == []
    rows = [line.split("|") for line in sealing.splitlines() if line.startswith("| `")]
    told = {name.strip(" `"): row[3].strip(" `") for row in rows for name in row[1].split(",")}
    assert told == REPEATED_BY
