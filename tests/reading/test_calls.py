"""How calls look to people: amounts in whole tokens, the other chain, names of ENS, guesses that say that they are."""

from __future__ import annotations

from eth_abi.abi import encode
from eth_hash.auto import keccak
from pydantic import JsonValue

from pnyx_agents.reading.markdown import to_markdown
from pnyx_contracts.selectors import selector_of
from pnyx_contracts.types import UINT256_MAX, ZERO_ADDRESS, Call
from pnyx_policies.context.ens_names import EnsName, EnsNames
from pnyx_policies.facts import Grade, ToolResult
from pnyx_policies.factsheet import amount_in_words
from pnyx_policies.reading.amounts import amount
from pnyx_policies.reading.blocks import Report, Section, line
from pnyx_policies.reading.doing import calls
from pnyx_tools.testing.facts import address_of, call_of, facts_for, holding, proposal_of

ALICE, TOKEN = address_of("alice"), address_of("token")


def shown(call: Call, *, ens: JsonValue = None, known: dict[str, str] | None = None, symbol: str = "USDC") -> str:
    treasury = (holding(TOKEN, 10**9, decimals=6, symbol=symbol),)
    facts = facts_for(proposal_of([call], "# Text"), treasury=treasury, known_addresses=known)
    found = ToolResult(tool=EnsNames.TOOL, version=EnsNames.VERSION, grade=Grade.RE_READ, result=ens)
    blocks = tuple(calls(facts.model_copy(update={"context": (found,)})))
    return to_markdown(Report(line("t"), line("l"), (), (Section("Calls", blocks),))).replace("\\", "")


def test_an_amount_is_also_in_whole_tokens() -> None:
    assert "1.5 USDC" in shown(call_of(TOKEN, "transfer(address,uint256)", ALICE, 1_500_000))


def test_a_symbol_that_is_made_to_deceive_does_not_reach_people() -> None:
    text = shown(call_of(TOKEN, "transfer(address,uint256)", ALICE, 1_500_000), symbol="US\u202eDC")
    assert "1.5 " in text
    assert "\u202e" not in text


def test_an_allowance_without_limit_says_so() -> None:
    text = shown(call_of(TOKEN, "approve(address,uint256)", ALICE, UINT256_MAX))
    assert "any amount of USDC" in text
    assert "token id" not in text
    assert "token id" in shown(call_of(ALICE, "approve(address,uint256)", ALICE, 7))


def test_the_other_chain_is_named() -> None:
    inbox = "0x4Dbd4fc535Ac27206064B68FfCf827b0A60BAB3f"
    ticket = "createRetryableTicket(address,uint256,uint256,address,address,uint256,uint256,bytes)"
    data = call_of(TOKEN, "transfer(address,uint256)", ALICE, 1_500_000).calldata
    text = shown(call_of(inbox, ticket, TOKEN, 0, 0, ALICE, ALICE, 0, 0, data))
    assert "on chain 42161 (Arbitrum One)" in text
    assert "USDC" not in text  # the token there is another one


def test_names_of_ens_stand_beside_addresses_and_below_the_operators() -> None:
    call = call_of(TOKEN, "transfer(address,uint256)", ALICE, 1)
    ens = EnsNames(registry=ALICE, names=(EnsName(address=TOKEN, name="token.eth"),)).model_dump(mode="json")
    assert "(ENS: token.eth)" in shown(call, ens=ens)
    assert "(our token)" in shown(call, ens=ens, known={TOKEN: "our token"})
    assert "ENS" not in shown(call, ens={"names": 7})


def test_an_unknown_call_shows_guesses_as_guesses() -> None:
    borrow = "borrow(address,uint256,uint256,uint16,address)"
    types = ["address", "uint256", "uint256", "uint16", "address"]
    data = selector_of(borrow) + encode(types, [TOKEN, 77, 2, 0, ALICE])
    text = shown(Call(target=TOKEN, value_wei=0, calldata=data))
    assert "unknown call 0x" in text
    assert f"`0x{data[:40].hex()}" in text
    assert borrow in text
    assert "a guess by four bytes" in text
    assert "77" in text
    assert "perhaps" not in shown(call_of(TOKEN, "transfer(address,uint256)", ALICE, 1))


def test_what_32_and_4_bytes_stand_for_is_said_beside_them() -> None:
    proposer = keccak(b"PROPOSER_ROLE")
    assert f"`role = 0x{proposer.hex()}` · PROPOSER_ROLE" in shown(
        call_of(TOKEN, "grantRole(bytes32,address)", proposer, ALICE)
    )
    text = shown(
        call_of(
            TOKEN, "revokeFunction(bytes32,address,bytes4)", b"MANAGER".ljust(32, b"\0"), ALICE, b"\x09\x5e\xa7\xb3"
        )
    )
    assert "· “MANAGER”" in text
    assert "`selector = 0x095ea7b3` · approve(address,uint256)" in text


def test_a_hash_that_is_no_known_role_stays_alone() -> None:
    text = shown(call_of(TOKEN, "grantRole(bytes32,address)", b"\x11" * 32, ALICE))
    assert f"`role = 0x{'11' * 32}`\n" in text


def test_arguments_that_are_known_addresses_have_their_names() -> None:
    text = shown(call_of(TOKEN, "transfer(address,uint256)", ALICE, 1), known={ALICE: "the gardeners"})
    assert f"`to = {ALICE}` · the gardeners" in text


def test_bytes_that_are_decoded_below_are_not_shown_twice() -> None:
    inner = call_of(TOKEN, "transfer(address,uint256)", ALICE, 1_500_000).calldata
    text = shown(call_of(ALICE, "execute(address,uint256,bytes)", TOKEN, 0, inner))
    assert "`data`: 68 bytes, decoded below" in text
    assert inner.hex() not in text


def test_a_call_with_nothing_in_it() -> None:
    assert f"nothing to `{ALICE}`" in shown(call_of(ALICE))
    assert "**unknown call** on" in shown(Call(target=TOKEN, value_wei=0, calldata=b"\xa9\x05"))


def test_on_another_chain_an_address_is_somebody_elses_and_the_coin_another() -> None:
    portal = "0x866E82a600A1414e583f7F13623F1aC5d58b0Afa"
    relay = "sendMessage(address,bytes,uint32)"
    text = shown(call_of(portal, relay, ALICE, b"", 1, value_wei=10**18), known={ALICE: "the gardeners"})
    assert f"pay 1 ETH to `{ALICE}` on chain 8453 (Base)" in text
    assert f"`{ALICE}` (the gardeners)" not in text
    inbox = call_of(TOKEN, "forwardMessage(uint256,address,uint256,bytes)", 137, ALICE, 1, b"\1")
    assert "on chain 137 (Polygon PoS)" in shown(inbox)


def test_more_decimals_than_make_sense_hide_no_number() -> None:
    facts = facts_for(
        proposal_of([call_of(TOKEN, "transfer(address,uint256)", ALICE, 10**20)], "# Text"),
        treasury=(holding(TOKEN, 10**30, decimals=255, symbol="USDC"),),
    )
    assert "".join(piece.shown for piece in amount(facts, TOKEN, 10**20)) == f"{10**20:,} units of token {TOKEN}"
    shown_ = to_markdown(Report(line("t"), line("l"), (), (Section("Calls", tuple(calls(facts))),)))
    assert "0.000" not in shown_
    assert amount_in_words(facts, TOKEN, 10**20, 20) == f"{10**20} units"


def test_what_a_wrapper_leaves_at_zero_is_told_together() -> None:
    safe = "execTransaction(address,uint256,bytes,uint8,uint256,uint256,uint256,address,address,bytes)"
    inner = call_of(TOKEN, "transfer(address,uint256)", ALICE, 1).calldata
    text = shown(call_of(ALICE, safe, TOKEN, 0, inner, 0, 0, 0, 9, ZERO_ADDRESS, ZERO_ADDRESS, b"\1"))
    assert "- `value, operation, safeTxGas, baseGas, gasToken, refundReceiver` = 0\n" in text
    assert "`gasPrice = 9`" in text
    assert "`newDelay = 0`" in shown(call_of(ALICE, "updateDelay(uint256)", 0))
