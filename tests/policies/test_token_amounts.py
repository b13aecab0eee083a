"""Which argument of a call counts which token."""

from __future__ import annotations

import pytest

from pnyx_contracts.calldata import decode_calls
from pnyx_contracts.decoded import Argument, DecodedCall
from pnyx_policies.money import TokenAmount, token_amount
from pnyx_policies.prompt import render
from pnyx_tools.testing.facts import address_of, call_of, facts_for, holding, proposal_of

ALICE, TOKEN, PERMIT2, VAULT = map(address_of, ("alice", "token", "permit2", "vault"))


def decoded(signature: str, *arguments: object, target: str = TOKEN) -> DecodedCall:
    (call,) = decode_calls((call_of(target, signature, *arguments),), 1)
    return call


@pytest.mark.parametrize(
    ("call", "amount"),
    [
        (decoded("transfer(address,uint256)", ALICE, 7), TokenAmount(TOKEN, 1, 7)),
        (decoded("transferFrom(address,address,uint256)", VAULT, ALICE, 7), TokenAmount(TOKEN, 2, 7)),
        (decoded("decreaseAllowance(address,uint256)", ALICE, 7), TokenAmount(TOKEN, 1, 7)),
        (decoded("burn(uint256)", 7), TokenAmount(TOKEN, 0, 7)),
        (decoded("recoverFunds(address,address,uint256)", TOKEN, ALICE, 7, target=VAULT), TokenAmount(TOKEN, 2, 7)),
        (
            decoded("approve(address,address,uint160,uint48)", TOKEN, ALICE, 7, 1, target=PERMIT2),
            TokenAmount(TOKEN, 2, 7),
        ),
        (decoded("safeTransferFrom(address,address,uint256)", VAULT, ALICE, 7), None),
        (decoded("setApprovalForAll(address,bool)", ALICE, True), None),
        (decoded("withdraw(uint256,address,address)", 7, ALICE, VAULT, target=VAULT), None),
        (decoded("setDelay(uint256)", 7), None),
    ],
    ids=lambda value: value.name if isinstance(value, DecodedCall) else "",
)
def test_the_amount_and_its_token(call: DecodedCall, amount: TokenAmount | None) -> None:
    assert token_amount(call) == amount


def test_an_amount_on_another_chain_is_of_no_token_here() -> None:
    message = decoded(
        "sendTxToL1(address,bytes)", TOKEN, call_of(TOKEN, "transfer(address,uint256)", ALICE, 7).calldata
    )
    assert message.inner[0].name == "transfer"
    assert token_amount(message.inner[0]) is None


@pytest.mark.parametrize("value", ["", "-1", "\u0661", "9" * 5_000, "many"])
def test_a_strangers_record_with_another_amount_is_no_error(value: str) -> None:
    call = decoded("transfer(address,uint256)", ALICE, 7)
    forged = (call.arguments[0], Argument(name="amount", type="uint256", value=value))
    assert token_amount(call.model_copy(update={"arguments": forged})) is None
    assert token_amount(call.model_copy(update={"arguments": ()})) is None


def test_the_facts_say_it_in_whole_tokens_where_the_token_says_what_these_are() -> None:
    call = call_of(TOKEN, "transfer(address,uint256)", ALICE, 1_500_000)
    for treasury, words in (((holding(TOKEN, 10**9, decimals=6, symbol="USDC"),), True), ((), False)):
        facts = facts_for(proposal_of([call], "# Pay"), treasury=treasury)
        assert ('1500000 units (= 1.5 "USDC")' in render(facts)[1].content) is words
