"""`pnyx review` as a delegate types it, against a real node."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.reading.drawn import of_html, of_markdown

from pnyx_agents.analyst import deliberate
from pnyx_agents.outline import OutlineAnalyst
from pnyx_tools.context import builtin_tools
from pnyx_tools.costs import CostBook, Spent
from pnyx_tools.database import Database
from pnyx_tools.gather import gather_facts
from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.deploy import TOKEN, Governance
from pnyx_tools.testing.openai_server import OpenAIServer

from .conftest import Pnyx


@pytest.fixture(scope="module")
def proposal(node: Anvil, dao: Governance) -> int:
    receiver = node.accounts[6]
    number = dao.propose([receiver] * 2, [TOKEN // 10] * 2, [b""] * 2, f"# [red]Pay\n\nSends 0.2 ETH to {receiver}.")
    dao.advance_to_active(number)
    return number


@pytest.fixture
def review(node: Anvil, dao: Governance, proposal: int, tmp_path: Path) -> list[object]:
    return ["review", dao.governor, proposal, "--rpc", node.url, "-c", tmp_path / "none.toml"]


def test_one_line_first(pnyx: Pnyx, review: list[object]) -> None:
    shown = pnyx(*review)
    assert shown.code == 0
    assert shown.out.startswith("[red]Pay\n\nPays 0.2 ETH to one receiver in 2 payments")
    assert shown.out.endswith("This was a look only: nothing was recorded, nothing was sent.\n")


def test_a_file_is_whole_and_the_same_each_time(pnyx: Pnyx, review: list[object], tmp_path: Path) -> None:
    for form in ("text", "markdown", "html"):
        files = [tmp_path / f"{form}-{number}" for number in (1, 2)]
        for file in files:
            written = pnyx(*review, "--format", form, "--output", file)
            assert (written.code, written.out) == (0, "")
            assert f"written: {file}" in written.err
        assert files[0].read_bytes() == files[1].read_bytes()
        assert str(tmp_path) not in files[0].read_text(encoding="utf-8")
    assert of_html((tmp_path / "html-1").read_text()) == of_markdown((tmp_path / "markdown-1").read_text())
    assert sorted(p.name for p in tmp_path.iterdir() if p.name.startswith(".")) == []


def test_a_file_that_cannot_be_written_is_one_message(pnyx: Pnyx, review: list[object], tmp_path: Path) -> None:
    ended = pnyx(*review, "--output", tmp_path / "no" / "folder.md")
    assert (ended.code, ended.out) == (2, "")
    assert "No such file or directory" in ended.err


def test_a_format_that_there_is_not(pnyx: Pnyx, review: list[object]) -> None:
    ended = pnyx(*review, "--format", "pdf")
    assert (ended.code, "'markdown'" in ended.err) == (2, True)


def test_who_watches_hears_what_it_is_at(dao: Governance, proposal: int) -> None:
    heard: list[str] = []
    facts = gather_facts(
        dao.node.rpc, dao.adapter, dao.profile, dao.proposals[proposal], tools=builtin_tools()[:2], tell=heard.append
    )
    deliberate([OutlineAnalyst(), OutlineAnalyst()], facts, heard.append)
    assert f"reading the governor at block {facts.block.number}" in heard
    assert "simulating 2 actions by eth_simulateV1" in heard
    assert [words.rpartition(" (")[2] for words in heard if words.startswith("looking up")] == ["1 of 2)", "2 of 2)"]
    assert heard[-1] == "asking outline (no language model) (2 of 2)"


def test_the_same_look_is_paid_once_and_leaves_the_agent_its_money(
    pnyx: Pnyx, node: Anvil, dao: Governance, proposal: int, tmp_path: Path
) -> None:
    config = tmp_path / "pnyx.toml"
    with OpenAIServer() as server:
        config.write_text(
            f'[agent]\nname = "looker"\n[chain]\nrpc = "{node.url}"\nchain_id = {node.rpc.chain_id()}\n'
            f'[[governor]]\naddress = "{dao.governor}"\nstart_block = 0\n[costs]\ntokens_per_day = 1\n'
            f'[[model]]\nmodel = "scripted"\nbase_url = "{server.base_url}"\napi_key_env = ""\n'
        )
        looks = [pnyx("review", dao.governor, proposal, "-c", config, "--json").json for _ in range(2)]
        assert len(server.requests) == len(looks[0]["attempts"]) == 2
    assert [attempt["reused"] for attempt in looks[1]["attempts"]] == [True, True]
    assert looks[0]["opinions"] == looks[1]["opinions"]
    assert CostBook(Database(f"sqlite:///{tmp_path}/data/journal.sqlite")).in_a_day() == Spent()
    assert not (tmp_path / "data" / "salt.key").exists()


def test_a_look_without_models_touches_no_data(
    pnyx: Pnyx, node: Anvil, dao: Governance, proposal: int, tmp_path: Path
) -> None:
    config = tmp_path / "pnyx.toml"
    config.write_text(
        f'[agent]\nname = "looker"\n[chain]\nrpc = "{node.url}"\nchain_id = {node.rpc.chain_id()}\n'
        f'[[governor]]\naddress = "{dao.governor}"\nstart_block = 0\n'
    )
    assert pnyx("review", dao.governor, proposal, "-c", config).code == 0
    assert [path.name for path in tmp_path.iterdir()] == ["pnyx.toml"]
