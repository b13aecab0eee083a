"""`[[price]]` in the file: what is declared of it, and what is wrong with a wrong one."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.commands.test_probes import CONTRACT, FILE

from pnyx_agents.assembly import declared_configuration
from pnyx_agents.settings import parse_settings
from pnyx_contracts.errors import UsageError
from pnyx_policies.asset_prices import PriceOrigin
from pnyx_policies.configuration import Configuration
from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.deploy import Governance, deploy

from .conftest import Pnyx

TOKEN = "0x0000000000000000000000000000000000000007"


def declared(tmp_path: Path, *tables: str) -> Configuration:
    text = FILE + "".join(f"[[price]]\n{table}\n" for table in tables)
    return declared_configuration(parse_settings(text, tmp_path / "pnyx.toml"))


def test_a_price_is_declared_by_where_it_stands(tmp_path: Path) -> None:
    configuration = declared(
        tmp_path,
        f'asset = "coin"\nfeed = "{CONTRACT}"',
        f'asset = "{TOKEN}"\npool = "{CONTRACT}"',
        f'asset = "{CONTRACT}"\ncounts_as = "0.25"',
    )
    assert configuration.prices == (
        PriceOrigin(asset=None, feed=CONTRACT),
        PriceOrigin(asset=TOKEN, pool=CONTRACT),
        PriceOrigin(asset=CONTRACT, fixed=10**18 // 4),
    )
    assert configuration.hash != declared(tmp_path).hash
    assert Configuration.parse(configuration.to_bytes()) == configuration


@pytest.mark.parametrize(
    ("table", "says"),
    [
        (f'asset = "{TOKEN}"', "expected one of feed, pool, counts_as, got none"),
        (f'asset = "{TOKEN}"\nfeed = "{CONTRACT}"\npool = "{CONTRACT}"', "got feed and pool"),
        (f'asset = "coin"\npool = "{CONTRACT}"', "takes a feed"),
        (f'asset = "{TOKEN}"\ncounts_as = 1', "a decimal number in quotes"),
        (f'asset = "{TOKEN}"\ncounts_as = "0"', "more than nothing"),
        (f'asset = "{TOKEN}"\ncounts_as = "0.0000000000000000001"', "at most 18 decimals"),
        (f'asset = "gold"\nfeed = "{CONTRACT}"', "price.0.asset"),
        (f'feed = "{CONTRACT}"', "price.0.asset"),
        (f'asset = "{TOKEN}"\nfeed = "{CONTRACT}"\n[[price]]\nasset = "{TOKEN}"\ncounts_as = "1"', "has two prices"),
        ('asset = "coin"\ncounts_as = "1"\n[[price]]\nasset = "coin"\ncounts_as = "1"', "the coin has two prices"),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, table: str, says: str) -> None:
    with pytest.raises(UsageError) as error:
        declared(tmp_path, table)
    assert says in str(error.value)


def test_doctor_reads_each_of_them(pnyx: Pnyx, node: Anvil, dao: Governance, tmp_path: Path) -> None:
    feed = deploy(node, "PriceFeed", dao.timelock, 2_500 * 10**8, node.rpc.block().timestamp)
    assert pnyx("init", tmp_path, "--rpc", node.url, "--governor", dao.governor, "--name", "tester").code == 0
    file = tmp_path / "pnyx.toml"
    prices = {"coin": feed, dao.token: dao.token, CONTRACT: feed}
    tables = (f'\n[[price]]\nasset = "{asset}"\nfeed = "{place}"\n' for asset, place in prices.items())
    file.write_text(file.read_text() + "".join(tables))
    ended = pnyx("doctor", "-c", file, "--json")
    found = {r["name"]: (r["status"], r["found"]) for r in ended.json if r["name"].startswith("price of")}
    assert found == {
        "price of the coin": ("ok", "2,500 for a whole one"),
        f"price of {dao.token}": ("failed", f"{dao.token} does not answer latestRoundData()"),
        f"price of {CONTRACT}": ("failed", "the token does not say its decimals"),
    }
    assert ended.code == 1
