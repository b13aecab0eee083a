"""`pnyx policy backtest`, as typed: in words, as JSON, as a page; what is wrong is said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pnyx_policies.backtest import BacktestReport
from pnyx_tools.testing.openai_server import OpenAIServer
from pnyx_tools.testing.provider import Provider, Question, Reply, error

from .conftest import Past, Pnyx

NOBODY = "0x" + "11" * 20
LADDER = {"eth_simulateV1", "debug_traceCall"}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the command is typed."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def typed(past: Past, *more: object) -> list[object]:
    return ["policy", "backtest", past.dao.governor, "--rpc", past.node.url, "--upto", "latest", *more]


def test_in_words(seconds: Past, pnyx: Pnyx) -> None:
    ended = pnyx(*typed(seconds, "--ruleset", "guardian", "--ruleset", "steward"))
    assert ended.code == 0, ended.err
    said = " ".join(ended.out.split())
    for words in (
        "10 proposals: 5 passed, 5 defeated, 1 more not tried",
        "voter: assumed: somebody with the voting power 1 (in token units), who has not voted",
        "always for agrees with 5 of 10: 50% (23.66% to 76.34%)",
        "steward 1 takes a side on 5 of 10, agrees with 4 of 5: 80% (37.55% to 96.38%)",
        "always for agrees with 2 of 5: 40% (11.76% to 76.93%) of the same",
        "balanced accuracy 83.33%, correlation 0.6667",
        "hidden-or-hostile against matched 2, decided 2",
        "defeated, hold [small-announced-payment], for [small-announced-payment]: Pay for a fountain",
        "it was canceled when its vote was to open",
        "no language model was asked",
        "Agreement with the outcome is not correctness.",
    ):
        assert words in said, words
    assert "\u202e" not in ended.out


def test_as_json_and_as_a_page(seconds: Past, pnyx: Pnyx, folder: Path) -> None:
    upto = seconds.node.rpc.block().number
    typed_ = ["policy", "backtest", seconds.dao.governor, "--rpc", seconds.node.url, "--upto", upto, "--newest", 3]
    first, again = (pnyx(*typed_, "--html", page, "--json") for page in ("one.html", "two.html"))
    assert first.code == 0, first.err
    assert first.out == again.out
    assert (folder / "one.html").read_bytes() == (folder / "two.html").read_bytes()
    report = BacktestReport.model_validate(first.json)
    assert first.json["format"] == "pnyx.backtest.v1"
    assert len(report.trials) == 3
    assert [tried.name for tried in report.rulesets] == ["guardian"]
    assert sorted(path.name for path in folder.iterdir()) == ["one.html", "two.html"], "nothing else is written"


def test_the_configuration_is_used_and_its_data_are_not_touched(seconds: Past, pnyx: Pnyx, folder: Path) -> None:
    """Its ruleset, names of addresses and models; no salt key, no journal, no cost book."""
    with OpenAIServer() as server:
        model = f'[[model]]\nmodel = "scripted"\nbase_url = "{server.base_url}"\napi_key_env = ""\n'
        model += 'sees = ["facts-alone"]\n'
        (folder / "pnyx.toml").write_text(seconds.configuration(f'[policy]\nruleset = "steward"\n{model}'))
        typed_ = ["policy", "backtest", seconds.dao.governor, "--upto", "latest", "--newest", 2, "--json"]
        silent = pnyx(*typed_).json
        assert (len(server.requests), silent["rulesets"][0]["name"]) == (0, "steward")
        asked = pnyx(*typed_, "--live", "--answers", "answers").json
        assert len(server.requests) == asked["use"]["requests"] == 2
    assert pnyx(*typed_, "--answers", "answers").json == asked
    misspelt = pnyx(*typed_, "--answers", "anwsers")
    assert (misspelt.code, "there is no folder of answers at anwsers" in misspelt.err) == (2, True)
    assert sorted(path.name for path in folder.iterdir()) == ["answers", "pnyx.toml"]


@pytest.mark.parametrize(
    ("more", "code", "words"),
    [
        (["--ruleset", "guardain"], 2, "no ruleset 'guardain'"),
        (["--since", "tomorrow"], 2, "expected a block number or a date, got 'tomorrow'"),
        (["--since", "9999999"], 2, "before it begins at block 9999999"),
        (["--upto", "soon"], 2, "'soon' is no block"),
        (["--newest", "0"], 2, "0 is not in the range"),
        (["--voter", "0x12"], 2, "expected a 20-byte address"),
        (["--live"], 2, "no model is configured"),
        (["--answers", "there"], 2, "no model is configured"),
        (["--html", "no/such/folder.html"], 2, "there is no folder no/such"),
        (["--upto", "9999999"], 3, "does not have block 9999999"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(seconds: Past, pnyx: Pnyx, more: list[str], code: int, words: str) -> None:
    ended = pnyx(*typed(seconds, "--newest", "1", *more))
    assert (ended.code, ended.out) == (code, "")
    assert words in ended.err
    assert "Traceback" not in ended.err


def test_what_is_no_governor(seconds: Past, pnyx: Pnyx) -> None:
    ended = pnyx("policy", "backtest", NOBODY, "--rpc", seconds.node.url)
    assert (ended.code, f"there is no contract at {NOBODY}" in ended.err) == (2, True)
    token = pnyx("policy", "backtest", seconds.dao.token, "--rpc", seconds.node.url, "--json")
    assert (token.code, json.loads(token.err)["error"]) == (1, "UnknownEncodingError")


def test_nobody_is_there(pnyx: Pnyx) -> None:
    ended = pnyx("policy", "backtest", NOBODY, "--rpc", "http://127.0.0.1:1")
    assert (ended.code, ended.out) == (3, "")
    assert (pnyx("policy", "backtest", NOBODY).code, pnyx("policy", "backtest", "0x12").code) == (2, 2)


def test_a_governor_without_a_past(seconds: Past, pnyx: Pnyx) -> None:
    """Nothing was tried, and nothing is claimed."""
    head = seconds.node.mine().number
    ended = pnyx(*typed(seconds, "--since", head, "--html", "empty.html", "--json"))
    assert ended.code == 0, ended.err
    (tried,) = ended.json["rulesets"]
    assert tried["score"]["agreement"] == {"count": 0, "total": 0, "share": None, "low": None, "high": None}
    assert (tried["score"]["balanced_accuracy"], ended.json["trials"]) == (None, [])
    assert pnyx(*typed(seconds, "--since", head)).code == 0


def test_facts_are_asked_for_once(seconds: Past, pnyx: Pnyx, folder: Path) -> None:
    """Another ruleset is tried on what the node told before."""
    questions: list[str] = []

    def listen(question: Question) -> Reply | None:
        questions.append(question["method"])
        return None

    with Provider(seconds.node.url, listen) as node:
        upto = seconds.node.rpc.block().number
        typed_ = ["policy", "backtest", seconds.dao.governor, "--rpc", node.url, "--upto", upto, "--json"]
        plain = pnyx(*typed_, "--ruleset", "steward").json
        assert pnyx(*typed_, "--ruleset", "guardian", "--facts", "facts").code == 0
        first = len(questions)
        assert pnyx(*typed_, "--ruleset", "steward", "--facts", "facts").json == plain
    files = sorted((folder / "facts" / seconds.dao.governor).iterdir())
    assert len(files) == len(plain["trials"]) + 1, "one was cancelled before its vote opened"
    assert "eth_simulateV1" not in questions[first:]
    assert len(questions) - first < first / 4
    files[0].write_text("{}")
    spoilt = pnyx(*typed(seconds, "--facts", "facts"))
    assert (spoilt.code, f"{files[0].name} holds no facts" in spoilt.err) == (2, True), spoilt.err


def test_facts_with_a_gap_are_not_kept(seconds: Past, pnyx: Pnyx, folder: Path) -> None:
    def without(question: Question) -> Reply | None:
        return error(question, -32601, "no such method") if question["method"] in LADDER else None

    with Provider(seconds.node.url, without) as node:
        typed_ = ["policy", "backtest", seconds.dao.governor, "--rpc", node.url, "--upto", "latest", "--newest", 2]
        assert pnyx(*typed_, "--facts", "facts").code == 0
    assert not (folder / "facts").exists()
