"""How a decision looks to people: amounts in whole tokens, the other chain, and guesses that say that they are."""

from __future__ import annotations

from io import StringIO

from eth_abi.abi import encode
from rich.console import Console

from pnyx_agents.readable import calls_tree
from pnyx_contracts.selectors import selector_of
from pnyx_contracts.types import UINT256_MAX, Call
from pnyx_policies.dossier import Dossier, State
from pnyx_policies.facts import Grade, ToolResult
from pnyx_tools.context.ens_names import EnsName, EnsNames
from pnyx_tools.testing.facts import address_of, call_of, facts_for, holding, proposal_of

ALICE, TOKEN = address_of("alice"), address_of("token")


def shown(call: Call, *, ens: object = None, known: dict[str, str] | None = None) -> str:
    facts = facts_for(proposal_of([call], "# Text"), treasury=(holding(TOKEN, 10**9, decimals=6, symbol="US\u202eDC"),))
    dossier = Dossier.model_construct(
        proposal=facts.proposal,
        calls=facts.calls,
        state=State.model_construct(treasury=facts.treasury, known_addresses=known or {}),
        simulation=facts.simulation,
        context=(ToolResult(tool="ens_names", version="1", grade=Grade.RE_READ, result=ens),),
    )
    out = StringIO()
    Console(file=out, width=300).print(calls_tree(dossier))
    return out.getvalue()


def test_an_amount_is_also_in_whole_tokens_under_a_cleaned_symbol() -> None:
    text = shown(call_of(TOKEN, "transfer(address,uint256)", ALICE, 1_500_000))
    assert "amount (uint256) = 1500000  (1.5 US" in text
    assert "\u202e" not in text


def test_an_allowance_without_limit_says_so() -> None:
    assert "without limit" in shown(call_of(TOKEN, "approve(address,uint256)", ALICE, UINT256_MAX))


def test_the_other_chain_is_named() -> None:
    inbox = "0x4Dbd4fc535Ac27206064B68FfCf827b0A60BAB3f"
    ticket = "createRetryableTicket(address,uint256,uint256,address,address,uint256,uint256,bytes)"
    data = call_of(TOKEN, "transfer(address,uint256)", ALICE, 1_500_000).calldata
    text = shown(call_of(inbox, ticket, TOKEN, 0, 0, ALICE, ALICE, 0, 0, data))
    assert "on chain 42161 (Arbitrum One)" in text
    assert "1.5 US" not in text  # the token there is another one


def test_names_of_ens_stand_beside_addresses_and_below_the_operators() -> None:
    call = call_of(TOKEN, "transfer(address,uint256)", ALICE, 1)
    ens = EnsNames(registry=ALICE, names=(EnsName(address=TOKEN, name="token.eth"),)).model_dump(mode="json")
    assert f"on {TOKEN} (ENS: token.eth)" in shown(call, ens=ens)
    assert f"on {TOKEN} (our token)" in shown(call, ens=ens, known={TOKEN: "our token"})
    assert f"on {TOKEN}\n" in "\n".join(line.rstrip() for line in shown(call, ens={"names": 7}).splitlines())


def test_an_unknown_call_shows_guesses_as_guesses() -> None:
    borrow = "borrow(address,uint256,uint256,uint16,address)"
    types = ["address", "uint256", "uint256", "uint16", "address"]
    data = selector_of(borrow) + encode(types, [TOKEN, 77, 2, 0, ALICE])
    text = shown(Call(target=TOKEN, value_wei=0, calldata=data))
    assert "unknown call 0x" in text
    assert f"perhaps {borrow}: a guess" in text
    assert "uint256 77" in text
    assert "perhaps" not in shown(call_of(TOKEN, "transfer(address,uint256)", ALICE, 1))
