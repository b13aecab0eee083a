"""What a governor's code tells about the power that it asks for, and its emergency paths."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pnyx_contracts.selectors import selector_of
from pnyx_policies.context import GovernorCode
from pnyx_tools.context import GovernorCodeTool
from pnyx_tools.opcodes import selectors_asked, selectors_in
from pnyx_tools.testing.deploy import Governance, artifact

UNISWAP = Path(__file__).parents[2] / "contracts" / "node_modules" / "@uniswap" / "governance" / "build"
PLACE = "0x0000000000000000000000000000000000c0de00"
FACET = "0x00000000000000000000000000000000000FacE7"
PAST_VOTES = ("getPastVotes(address,uint256)",)
BALANCE = ("balanceOf(address)",)
COMMIT = "emergencyCommit(uint32)"


def code_of(contract: str) -> bytes:
    return bytes.fromhex(str(artifact(contract)["deployedBytecode"])[2:])


def look(dao: Governance, code: bytes) -> GovernorCode:
    """At a governor with this code."""
    dao.node.set_code(PLACE, code)
    profile = dao.profile.model_copy(update={"address": PLACE})
    proposal = dao.proposals[dao.propose([FACET], [len(dao.proposals)], [b""], "# Pay")]
    return GovernorCodeTool().run(dao.node.rpc, dao.adapter, profile, proposal, dao.node.rpc.block())


@pytest.mark.parametrize(
    ("contract", "emergency", "past", "live"),
    [
        ("Governor43Block", (), PAST_VOTES, ()),
        ("Governor4Block", (), PAST_VOTES, ()),
        ("Governor4Timestamp", (), PAST_VOTES, ()),
        ("Governor5Block", (), PAST_VOTES, ()),
        ("Governor5Timestamp", (), PAST_VOTES, ()),
        ("GovernorFractional5", (), PAST_VOTES, ()),
        ("LiveGovernor", (), (), BALANCE),
        ("LiveEmergencyGovernor", (COMMIT,), PAST_VOTES, BALANCE),
        ("SteadyEmergencyGovernor", (COMMIT,), PAST_VOTES, ()),
    ],
)
def test_the_power_that_a_governor_asks_for(
    dao: Governance, contract: str, emergency: tuple[str, ...], past: tuple[str, ...], live: tuple[str, ...]
) -> None:
    found = look(dao, code_of(contract))
    assert (found.codes, found.emergency, found.past, found.live) == ((PLACE,), emergency, past, live)


def test_compounds_governor_as_uniswap_has_it(dao: Governance) -> None:
    """Its published build: `evm.deployedBytecode` of the npm package."""
    built = json.loads((UNISWAP / "GovernorAlpha.json").read_text(encoding="utf-8"))
    found = look(dao, bytes.fromhex(built["evm"]["deployedBytecode"]["object"]))
    assert (found.emergency, found.past, found.live) == ((), ("getPriorVotes(address,uint256)",), ())


def test_a_proxys_code_is_looked_at_too(dao: Governance) -> None:
    """A minimal proxy (EIP-1167)."""
    dao.node.set_code(FACET, code_of("LiveGovernor"))
    found = look(dao, bytes.fromhex(f"363d3d373d3d3d363d73{FACET[2:]}5af43d82803e903d91602b57fd5bf3"))
    assert (found.codes, found.live) == ((PLACE, FACET), BALANCE)


def diamond(selector: bytes, facet: str, place: int = 4) -> bytes:
    """Answers with `facet` where the selector stands at `place` of the calldata (4: as the argument), else with 0; can
    delegate.
    """
    is_it = f"60{place:02x}3560e01c63{selector.hex()}5f0114"
    yes, no = f"5b73{facet[2:]}5f5260205ff3", "5f5f5260205ff3"
    at = len(bytes.fromhex(is_it)) + 3 + len(bytes.fromhex(no))
    return bytes.fromhex(f"{is_it}60{at:02x}57{no}{yes}5bf4")


def test_the_facets_of_a_diamond_that_have_an_emergency_path(dao: Governance) -> None:
    dao.node.set_code(FACET, code_of("LiveGovernor"))
    found = look(dao, diamond(selector_of(COMMIT), FACET))
    assert (found.codes, found.emergency, found.live) == ((PLACE, FACET), (COMMIT,), BALANCE)
    assert look(dao, diamond(selector_of("transfer(address,uint256)"), FACET)).codes == (PLACE,)


def test_what_says_yes_to_everything_is_no_diamond(dao: Governance) -> None:
    found = look(dao, diamond(selector_of("facetAddress(bytes4)"), FACET, place=0))
    assert (found.codes, found.emergency) == ((PLACE,), ())


def test_a_function_that_the_code_has_is_not_one_that_it_asks_for() -> None:
    code = code_of("Governor5Block")
    own = selector_of("getVotes(address,uint256)")
    assert own in selectors_in(code)
    assert own not in selectors_asked(code)
    assert selector_of(PAST_VOTES[0]) not in selectors_in(code)
