"""Files from strangers: what Python opens, JavaScript opens; what it refuses, JavaScript refuses, at the same places.

Every place of a bundle, a disclosure and a configuration is changed in several ways: so the types of all fields are
compared, and not only those of the vectors.
"""

from __future__ import annotations

import copy
import json
import subprocess
from collections.abc import Callable, Iterator
from importlib.resources import files
from itertools import cycle, islice
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.verify.javascript import VERIFIER, find_node

from pnyx_contracts.canonical import canonical_bytes, parse_json
from pnyx_contracts.errors import DecodingError, PnyxError
from pnyx_policies.bundle import ChangedBundleError, SwappedBundleError, open_bundle
from pnyx_policies.configuration import Configuration
from pnyx_policies.disclosure import ChangedDisclosureError, open_disclosure

VECTORS = json.loads(files("pnyx_contracts").joinpath("vectors/record.json").read_text())
ROOT_OF_BUNDLE = VECTORS["bundles"]["record_root"]
SCRIPT = VERIFIER / "test" / "outcomes.js"

A_HASH = "0x" + "ab" * 32
ODD: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2**53 - 1, 2**32, 256, 101, "", "0", "1", "01", "-1", "1e3", str(2**256 - 1),
    str(2**256), "x" * 41, "x" * 601, "\U0001f600" * 600, "x" * 801, "0x", "0xAB", "0xab", "0x0", A_HASH, A_HASH[:-2],
    A_HASH.upper(),
    "0x5FbDB2315678afecb367f032d93F642f64180aa3", "0x5fbdb2315678afecb367f032d93f642f64180aa3",
    "0x5FbDB2315678afecb367f032d93F642f64180aA3", "for", "against", "hold", "skip", "approve", "reject", "observe",
    "blocknumber", "timestamp", "derived", "transfer", "high", "reverted", [], {}, [1], {"a": 1}, ["x"] * 13,
    {"text": "a"}, {"base64": "/w=="}, {"base64": "YQ=="}, {"base64": "/w="}, {"__proto__": "x"},
)  # fmt: skip
"""What is put into a place: each type of a field takes some of them."""


def outcomes(kind: str, texts: list[str], root: str = ROOT_OF_BUNDLE) -> list[list[str]]:
    questions = "".join(json.dumps({"kind": kind, "root": root, "text": text}) + "\n" for text in texts)
    done = subprocess.run(
        [find_node(), str(SCRIPT)], input=questions, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


def outcome(open_: Callable[[bytes], Any], text: str) -> list[str]:
    try:
        open_(text.encode())
    except SwappedBundleError:
        return ["swapped", ""]
    except ChangedBundleError as error:
        unreadable = any(place.startswith("bundle") for place in error.where)
        return ["malformed", ""] if unreadable else ["changed", "; ".join(error.where)]
    except ChangedDisclosureError as error:
        return ["changed", "; ".join(error.where)]
    except DecodingError:
        return ["malformed", ""]
    return ["opens", ""]


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inside:
        yield from places(item, (*path, key))


def changed_at(whole: Any, path: tuple[Any, ...], change: Callable[[Any, Any], None]) -> str:
    """Canonical text of a copy, in which `change` was called with the owner of a place and the key in it."""
    changed = copy.deepcopy(whole)
    owner = changed
    for key in path[:-1]:
        owner = owner[key]
    change(owner, path[-1])
    return canonical_bytes(changed).decode()


def put(value: Any) -> Callable[[Any, Any], None]:
    return lambda owner, key: owner.__setitem__(key, value)


def drop(owner: Any, key: Any) -> None:
    del owner[key]


def repeat(owner: Any, key: Any) -> None:
    if isinstance(owner, list):
        owner.append(owner[key])
    else:
        owner["stranger"] = owner[key]


def changes(text: str, odd_ones: int) -> list[str]:
    """Each place with some odd values in turn, left out, and with a stranger beside it."""
    whole, odd = json.loads(text), cycle(ODD)
    found = [text]
    for path in list(places(whole))[1:]:
        ways = [put(value) for value in islice(odd, odd_ones)]
        found += [changed_at(whole, path, way) for way in (*ways, drop, repeat)]
    return found


def assert_same(kind: str, texts: list[str], open_: Callable[[bytes], Any], kinds: set[str]) -> None:
    ours, theirs = [outcome(open_, text) for text in texts], outcomes(kind, texts)
    differing = [(o, t, text[:3000]) for o, t, text in zip(ours, theirs, texts, strict=True) if o != t]
    assert differing == []
    assert {code for code, _ in ours} == kinds, "the changes do not reach every way to be refused"


@pytest.mark.parametrize(("number", "odd_ones"), [(0, 3), (1, 1)], ids=["public", "sealed"])
def test_bundles(number: int, odd_ones: int) -> None:
    texts = changes(VECTORS["bundles"]["opens"][number]["text"], odd_ones)
    root = bytes.fromhex(ROOT_OF_BUNDLE[2:])
    assert_same("bundle", texts, lambda data: open_bundle(root, data), {"opens", "malformed", "changed"})


@pytest.mark.parametrize("number", [1, 3])
def test_disclosures(number: int) -> None:
    texts = changes(VECTORS["disclosures"]["opens"][number]["text"], 3)
    assert_same("disclosure", texts, open_disclosure, {"opens", "malformed", "changed"})


def test_configurations() -> None:
    fields = json.loads(VECTORS["bundles"]["opens"][0]["text"])["fields"]
    analyst = fields["opinions"][0]["analyst"]
    configuration = Configuration(
        agent="a", mode=fields["header"]["mode"], governors=(fields["header"]["log"],), analysts=(analyst,),
        prompt_hash=A_HASH, ruleset_hash=A_HASH, checks={"outflow": "1"}, tools={"voting_power": "1"},
        known_addresses={fields["header"]["log"]: "Safe"}, approvers=(fields["header"]["log"],),
        probes=tuple(fields["state"]["probes"]), prices=tuple(fields["state"]["prices"]),
        sealed=("attempts", "checks", "rules"), software="pnyx 0.1.0",
    )  # fmt: skip
    texts = changes(configuration.to_bytes().decode(), len(ODD))
    assert_same("configuration", texts, Configuration.parse, {"opens", "malformed"})


json_texts = st.one_of(
    st.text(alphabet='{}[]",:\\u0123456789abcdefDC-+.eE truefalsnl\n\t\x00\x1f\ud800', max_size=40),
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**54), 2**54) | st.floats() | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    ).map(lambda value: json.dumps(value, ensure_ascii=False)),
)


@settings(max_examples=8)
@given(st.lists(json_texts.filter(lambda text: not any("\ud800" <= c <= "\udfff" for c in text)), max_size=400))
def test_json_that_can_be_read_in_two_ways(texts: list[str]) -> None:
    """Many texts in one process: starting one takes longer than reading them."""

    def opens(text: str) -> str:
        try:
            parse_json(text.encode())
        except PnyxError:
            return "malformed"
        return "opens"

    assert [code for code, _ in outcomes("json", texts)] == [opens(text) for text in texts]


@pytest.mark.parametrize(
    ("text", "opens"),
    [
        ("[" * 100 + "]" * 100, True),
        ("[" * 101 + "]" * 101, False),
        ("[" + "0," * 499_998 + "0]", True),
        ("[" + "0," * 499_999 + "0,0]", False),
        ("{" + ",".join(f'"{n}":0' for n in range(10_000)) + "}", True),
        ("{" + ",".join(f'"{n}":0' for n in range(10_001)) + "}", False),
    ],
    ids=["deep", "too deep", "many values", "too many values", "many keys", "too many keys"],
)
def test_limits_are_the_same(text: str, opens: bool) -> None:
    ((code, _),) = outcomes("json", [text])
    assert (code == "opens") is opens
    if opens:
        parse_json(text.encode())
    else:
        with pytest.raises(DecodingError):
            parse_json(text.encode())
