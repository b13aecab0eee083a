"""Delegating to a gate and taking power back, with a wallet that forwards to the local chain."""

from __future__ import annotations

import json

import pytest
from eth_abi.abi import decode
from playwright.sync_api import Page, expect

from pnyx_tools.testing.deploy import TOKEN, encode_call

from .conftest import Open, World

WALLET = """
(() => {
  const options = OPTIONS;
  let chain = options.chain;
  const asked = [];
  const forward = async (method, params) => {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
    const headers = { 'content-type': 'application/json' };
    const answer = await (await fetch(options.url, { method: 'POST', body, headers })).json();
    if (answer.error) throw answer.error;
    return answer.result;
  };
  const provider = {
    async request({ method, params = [] }) {
      asked.push({ method, params });
      if (method === 'eth_requestAccounts') return [options.account];
      if (method === 'eth_chainId') return `0x${chain.toString(16)}`;
      if (method === 'wallet_switchEthereumChain') { chain = Number(params[0].chainId); return null; }
      if (options.declines) throw Object.assign(new Error('User rejected the request.'), { code: 4001 });
      const withMargin = (transaction) => ({ ...transaction, gas: '0x61a80' }); // as wallets do
      return forward(method, method === 'eth_sendTransaction' ? params.map(withMargin) : params);
    },
  };
  window.asked = asked;
  if (options.old) { window.ethereum = provider; return; }
  const announce = () => {
    for (const name of options.names) {
      const info = { uuid: name, name, icon: 'https://evil.example/icon.png', rdns: name };
      const detail = Object.freeze({ info, provider: { request: (question) => provider.request(question) } });
      dispatchEvent(new CustomEvent('eip6963:announceProvider', { detail }));
    }
  };
  addEventListener('eip6963:requestProvider', announce);
})();
"""


@pytest.fixture(scope="module")
def gate(world: World) -> str:
    return world.gate().writer


@pytest.fixture
def member(world: World) -> str:
    """Somebody with 5 tokens who delegates to nobody."""
    account = world.node.accounts[8]
    balance = read(world, "balanceOf(address)", account)
    world.node.send(world.dao.token, encode_call("transfer(address,uint256)", account, 5 * TOKEN - balance))
    world.node.send(world.dao.token, encode_call("delegate(address)", "0x" + "00" * 20), sender=account)
    return account


def read(world: World, signature: str, *arguments: str) -> int:
    return int(decode(["uint256"], world.node.rpc.call(world.dao.token, encode_call(signature, *arguments)))[0])


def wallet(world: World, member: str, **options: object) -> str:
    given = {"url": world.node.url, "account": member, "chain": 31337, "old": True, "names": [], **options}
    return WALLET.replace("OPTIONS", json.dumps(given))


def value_of(page: Page, name: str) -> str:
    return page.locator("dl.facts > div", has_text=name).first.locator("dd").inner_text()


def delegate_with(page: Page, title: str) -> None:
    page.get_by_text(title, exact=True).click()
    page.get_by_role("button", name="Send with my wallet").locator("visible=true").click()


def test_delegating_and_taking_back(world: World, gate: str, member: str, open_page: Open) -> None:
    page = open_page(world.place("agent", gate, "delegate"), script=wallet(world, member)).page
    expect(page.locator("dl.facts").first).to_contain_text("10,000")
    page.get_by_role("button", name="Connect a wallet").click()
    expect(page.locator("dl.facts").first).to_contain_text("nobody: your tokens do not vote")
    assert value_of(page, "Your tokens").startswith("5 ")
    page.get_by_text("Delegate to this agent", exact=True).click()
    shown = page.locator("details[open] dl.facts")
    expect(shown).to_contain_text(f"delegate({gate})")
    data = shown.locator("div", has_text="Data").locator("dd").inner_text()
    page.get_by_role("button", name="Send with my wallet").locator("visible=true").click()
    expect(page.get_by_text("You delegate to this agent.")).to_be_visible()
    assert value_of(page, "Power of the agent").startswith("10,005 ")
    assert read(world, "getVotes(address)", gate) == 10_005 * TOKEN
    sent = next(q["params"][0] for q in page.evaluate("asked") if q["method"] == "eth_sendTransaction")
    assert sent == {"from": member, "to": world.dao.token, "value": "0x0", "data": data}
    assert bytes.fromhex(data[2:]) == encode_call("delegate(address)", gate)

    delegate_with(page, "Take your power back and vote yourself")
    expect(page.locator("dl.facts").first).to_contain_text("yourself")
    assert read(world, "getVotes(address)", gate) == 10_000 * TOKEN
    assert read(world, "getVotes(address)", member) == 5 * TOKEN

    delegate_with(page, "Let nobody vote with your tokens")
    expect(page.locator("dl.facts").first).to_contain_text("nobody: your tokens do not vote")
    assert read(world, "getVotes(address)", member) == 0


def test_a_wallet_on_another_chain_is_asked_to_change(world: World, gate: str, member: str, open_page: Open) -> None:
    page = open_page(world.place("agent", gate, "delegate"), script=wallet(world, member, chain=1)).page
    page.get_by_role("button", name="Connect a wallet").click()
    delegate_with(page, "Delegate to this agent")
    expect(page.get_by_text("You delegate to this agent.")).to_be_visible()
    methods = [q["method"] for q in page.evaluate("asked")]
    assert methods.index("wallet_switchEthereumChain") < methods.index("eth_sendTransaction")


def test_a_member_who_declines_sent_nothing(world: World, gate: str, member: str, open_page: Open) -> None:
    page = open_page(world.place("agent", gate, "delegate"), script=wallet(world, member, declines=True)).page
    page.get_by_role("button", name="Connect a wallet").click()
    delegate_with(page, "Delegate to this agent")
    expect(page.get_by_role("alert")).to_have_text("You declined in the wallet. Nothing was sent.")
    assert read(world, "getVotes(address)", gate) == 10_000 * TOKEN


def test_wallets_that_announce_themselves_are_offered(world: World, gate: str, member: str, open_page: Open) -> None:
    script = wallet(world, member, old=False, names=["Fox", "<b>Rabby</b>"])
    page = open_page(world.place("agent", gate, "delegate"), script=script).page
    page.get_by_role("button", name="Connect a wallet").click()
    expect(page.get_by_role("button", name="Fox")).to_be_visible()
    page.get_by_role("button", name="<b>Rabby</b>").click()
    expect(page.locator("dl.facts").first).to_contain_text(member[:10])


def test_without_a_wallet_the_transaction_is_shown(world: World, gate: str, open_page: Open) -> None:
    page = open_page(world.place("agent", gate, "delegate")).page
    page.get_by_role("button", name="Connect a wallet").click()
    expect(page.get_by_role("alert")).to_contain_text("No wallet was found in this browser.")
    expect(page.locator("main")).to_contain_text("0x" + encode_call("delegate(address)", gate).hex())
