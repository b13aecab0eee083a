"""`[[probe]]` in the file: what is declared of it, and what is wrong with a wrong one."""

from __future__ import annotations

from pathlib import Path

import pytest

from pnyx_agents.assembly import declared_configuration
from pnyx_agents.settings import parse_settings
from pnyx_contracts.errors import UsageError
from pnyx_policies.probes import Each, Expectation, Probe
from pnyx_tools.testing.deploy import encode_call

CONTRACT = "0x0000000000000000000000000000000000000009"
FILE = """
[agent]
name = "tester"
[chain]
rpc = "http://127.0.0.1:1"
chain_id = 1
[[governor]]
address = "0x0000000000000000000000000000000000000001"
start_block = 1
"""


def file(**settings: str) -> str:
    written = {"name": '"price"', "contract": f'"{CONTRACT}"', "call": '"latest()"'} | settings
    return FILE + "[[probe]]\n" + "\n".join(f"{name} = {value}" for name, value in written.items())


def test_a_probe_is_declared_as_the_call_that_is_made(tmp_path: Path) -> None:
    call = '"f(address,uint256,bytes4,bool,string)"'
    arguments = f'["{CONTRACT}", "100_000", "0x01020304", true, "x"]'
    text = file(call=call, arguments=arguments, expect='"within 2.5%"', word="1")
    (probe,) = declared_configuration(parse_settings(text, tmp_path / "pnyx.toml")).probes
    data = encode_call("f(address,uint256,bytes4,bool,string)", CONTRACT, 100_000, b"\1\2\3\4", True, "x")
    assert probe == Probe(
        name="price", contract=CONTRACT, calldata=data, expect=Expectation.NEAR, most_move=250, word=1
    )


def test_a_probe_for_each_member_of_a_list(tmp_path: Path) -> None:
    other = "0x0000000000000000000000000000000000000008"
    text = file(call='"f(uint256,address)"', arguments='[7, "each"]', each='"all()"', each_of=f'"{other}"')
    (probe,) = declared_configuration(parse_settings(text, tmp_path / "pnyx.toml")).probes
    assert probe.each == Each(contract=other, calldata=encode_call("all()"), argument=1)
    member = bytes(12) + bytes.fromhex(CONTRACT[2:])
    assert probe.calldata_for(member) == encode_call("f(uint256,address)", 7, CONTRACT)
    own = file(call='"f(bytes32)"', arguments='["each"]', each='"all()"')
    (probe,) = declared_configuration(parse_settings(own, tmp_path / "pnyx.toml")).probes
    assert (probe.each and probe.each.contract, probe.calldata_for(member)[4:]) == (CONTRACT, member)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"expect": '"the best"'}, "within 5%"),
        ({"expect": '"near"'}, "within 5%"),
        ({"call": '"f(address"'}, "getUnderlyingPrice"),
        ({"call": '"f(address)"'}, "takes 1 arguments, here are 0"),
        ({"call": '"f(address)"', "arguments": '["0x12"]'}, "type address"),
        ({"call": '"f(uint8)"', "arguments": "[256]"}, "not those of"),
        ({"call": '"f(uint256[])"', "arguments": '["1"]'}, "not those of"),
        ({"name": '""'}, "at least 1 character"),
        ({"name": '"derived: price"'}, "are taken"),
        ({"each": '"all()"'}, "one argument 'each'"),
        ({"each": '"all()"', "call": '"f(address,address)"', "arguments": '["each", "each"]'}, "one argument 'each'"),
        ({"each": '"all(address)"', "call": '"f(address)"', "arguments": '["each"]'}, "takes 1 arguments"),
        ({"each": '"all"', "call": '"f(address)"', "arguments": '["each"]'}, 'each: expected for example "getAll'),
        ({"each": '"all()"', "call": '"f(string)"', "arguments": '["each"]'}, "are addresses, uint256 or bytes32"),
        ({"each": '"all()"', "call": '"f()"', "arguments": '["each"]'}, "here is no argument"),
        ({"each_of": f'"{CONTRACT}"'}, "each_of goes with each"),
        ({"call": '"f(address)"', "arguments": '["each"]'}, "type address"),
    ],
)
def test_a_wrong_probe_is_told(tmp_path: Path, settings: dict[str, str], says: str) -> None:
    with pytest.raises(UsageError, match="1 problem") as error:
        parse_settings(file(**settings), tmp_path / "pnyx.toml")
    assert says in error.value.message


def test_two_probes_of_one_name_could_not_be_told_apart(tmp_path: Path) -> None:
    twice = file() + "\n" + file().removeprefix(FILE)
    with pytest.raises(UsageError, match="two are called 'price'"):
        parse_settings(twice, tmp_path / "pnyx.toml")
