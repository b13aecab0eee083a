"""Rulesets: both verifiers read the same texts, and both refuse one that is not whole."""

from __future__ import annotations

import json
import subprocess

import pytest
from tests.explorer.parity.test_parity_files import outcomes
from tests.verify.javascript import VERIFIER, find_node

from pnyx_contracts.types import Vote
from pnyx_policies.extending import RulesetFile, load
from pnyx_policies.ruleset import Ruleset
from pnyx_policies.rulesets import shipped_ruleset, shipped_rulesets

OWN = r"""
name = "own \"quoted\" \u00e4\\"
version = "1"
extends = "guardian"

[limits]
min_voting_power = "340_282_366_920_938_463_463_374_607_431_768_211_456"

[addresses]
payees = ["0x91c32893216de3ea0a55abb9851f581d4503d39b"]

[[rule]]
id = "pay"
because = "Pays, it says: \"C:\\new\" \U0001F600"
when = ["outflow.recipients within [payees]", "outflow.native <= 10 ETH"]
then = "for"
"""
READ = """
import { parseRuleset } from "./ruleset.js";
const { limits, rules } = parseRuleset(process.argv[1]);
console.log(JSON.stringify({ limits: Object.values(limits).map(String), rules }));
"""


def whole(text: str) -> Ruleset:
    return load(RulesetFile(text, "own.toml"), lambda name, _: RulesetFile(shipped_ruleset(name), name))


@pytest.mark.parametrize("text", [OWN, *map(shipped_ruleset, shipped_rulesets())], ids=["own", *shipped_rulesets()])
def test_a_ruleset_is_the_same_in_both(text: str) -> None:
    ours = whole(text)
    done = subprocess.run(
        [find_node(), "--input-type=module", "-e", READ, ours.text], cwd=VERIFIER, capture_output=True, text=True,
        timeout=60, check=True,
    )  # fmt: skip
    theirs = json.loads(done.stdout)
    assert theirs["limits"] == [str(getattr(ours.limits, name)) for name in type(ours.limits).__slots__]
    assert [(r["id"], r["because"], r["then"]) for r in theirs["rules"]] == [
        (r.id, r.because, r.then) for r in ours.rules
    ]
    assert [r["model"] for r in theirs["rules"]] == [
        r.model and {
            "allow": [v.value for v in Vote if v in r.model.allow],
            "minConfidencePercent": r.model.min_confidence_percent,
            "minAgreeing": r.model.min_agreeing,
        }
        for r in ours.rules
    ]  # fmt: skip


def test_one_that_is_not_whole_is_refused_by_both() -> None:
    assert outcomes("ruleset", [whole(OWN).text]) == [["opens", ""]]
    assert outcomes("ruleset", [OWN]) == [["differs", ""]]
