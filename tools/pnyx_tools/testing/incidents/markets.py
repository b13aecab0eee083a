"""Markets: I-15 Atlantis Loans, June 2023; I-20 Sonne, May 2024; and the prices that they go by."""

from __future__ import annotations

from dataclasses import dataclass

from eth_abi.abi import encode

from pnyx_contracts.types import ZERO_ADDRESS
from pnyx_policies.finding import Severity
from pnyx_tools.testing.deploy import TOKEN, Governance, deploy, encode_call
from pnyx_tools.testing.incidents.case import LOOT, Action, Scene, attack, honest, incident, propose, variation

# --- I-15


@dataclass(frozen=True)
class Lending:
    """A market behind a proxy, and somebody who allowed it to take his tokens."""

    dao: Governance
    token: str
    market: str
    user: str

    @classmethod
    def on(cls, dao: Governance) -> Lending:
        user = dao.node.accounts[4]
        token = deploy(dao.node, "PlainToken", user, 1_000 * TOKEN)
        market = deploy(dao.node, "MarketProxy", dao.timelock, deploy(dao.node, "SupplyMarket"))
        dao.node.send(token, encode_call("approve(address,uint256)", market, 2**256 - 1), sender=user)
        return cls(dao, token, market, user)

    def upgrade(self, implementation: str, data: bytes = b"") -> Action:
        return self.market, encode_call("_setImplementation(address,bool,bytes)", implementation, False, data)

    @property
    def taking(self) -> tuple[str, str, int]:
        """What the new code takes: of which token, from whom, how much."""
        return self.token, self.user, 400 * TOKEN


def hidden_upgrade(dao: Governance) -> tuple[Lending, Scene]:
    lending = Lending.on(dao)
    text = "Thank the people who kept the support channels open this year, with a public note on our pages."
    return lending, Scene(dao, propose(dao, text, lending.upgrade(deploy(dao.node, "TakingMarket"))))


def _taking_at_once(dao: Governance) -> Scene:
    lending, code = Lending.on(dao), deploy(dao.node, "TakingMarket")
    text = f"Upgrade the market {lending.market} to the implementation {code}, which is cheaper to use."
    return Scene(
        dao, propose(dao, text, lending.upgrade(code, encode(["address", "address", "uint256"], lending.taking)))
    )


def _taking_directly(dao: Governance) -> Scene:
    """The DAO itself was allowed to take somebody's tokens, for another reason."""
    lending = Lending.on(dao)
    dao.node.send(lending.token, encode_call("approve(address,uint256)", dao.timelock, 2**256 - 1), sender=lending.user)
    text = f"Move 300 PLAIN of the token {lending.token} to {LOOT}, where they are kept safe for everybody."
    take = encode_call("transferFrom(address,address,uint256)", lending.user, LOOT, 300 * TOKEN)
    return Scene(dao, propose(dao, text, (lending.token, take)))


def _honest_upgrade(dao: Governance) -> Scene:
    lending, code = Lending.on(dao), deploy(dao.node, "SupplyMarket")
    text = f"Upgrade the market {lending.market} to the implementation {code}, which is cheaper to use."
    return Scene(dao, propose(dao, text, lending.upgrade(code)))


# --- I-20


@dataclass(frozen=True)
class Listing:
    """A new market, and what a DAO does to list it. `owner` decides in comptroller and market."""

    comptroller: str
    market: str
    model: str
    oracle: str

    @classmethod
    def on(cls, dao: Governance, owner: str, oracle: str | None = None) -> Listing:
        names = ("Comptroller", "MarketToken")
        comptroller, market = (deploy(dao.node, name, owner) for name in names)
        return cls(comptroller, market, deploy(dao.node, "Rewards"), oracle or deploy(dao.node, "SimpleOracle"))

    @property
    def steps(self) -> tuple[Action, ...]:
        return (
            (self.market, encode_call("_setReserveFactor(uint256)", TOKEN // 5)),
            (self.market, encode_call("_setInterestRateModel(address)", self.model)),
            (self.comptroller, encode_call("_setPriceOracle(address)", self.oracle)),
            (self.comptroller, encode_call("_supportMarket(address)", self.market)),
            self.collateral,
        )

    @property
    def collateral(self) -> Action:
        return self.comptroller, encode_call("_setCollateralFactor(address,uint256)", self.market, 35 * TOKEN // 100)

    @property
    def text(self) -> str:
        return (
            f"List the new market {self.market} in the comptroller {self.comptroller}: reserve factor 20%, interest "
            f"rate model {self.model}, price oracle {self.oracle}, then support, then a collateral factor of 35%."
        )


def separate_operations(dao: Governance) -> Scene:
    """Each step an operation of its own in another timelock, where anybody may execute them in any order."""
    timelock = deploy(dao.node, "Timelock4", 0, [dao.timelock], ["0x" + "00" * 20], dao.node.accounts[0])
    listing = Listing.on(dao, timelock)
    signature = "schedule(address,uint256,bytes,bytes32,bytes32,uint256)"
    schedule = [
        (timelock, encode_call(signature, target, 0, data, bytes(32), place.to_bytes(32, "big"), 172_800))
        for place, (target, data, *_) in enumerate(listing.steps)
    ]
    return Scene(dao, propose(dao, listing.text, *schedule))


def _listed(dao: Governance) -> Scene:
    listing = Listing.on(dao, dao.timelock)
    return Scene(dao, propose(dao, listing.text, *listing.steps))


def _supplied(dao: Governance, listing: Listing) -> Scene:
    """What is supplied first goes to the DAO itself."""
    mint = (listing.market, encode_call("mint(uint256)", 1_000 * TOKEN))
    text = f"{listing.text} Before that the DAO supplies 1,000 tokens to the market, which stay there."
    return Scene(dao, propose(dao, text, *listing.steps[:-1], mint, listing.collateral))


# --- whose price it is


def _posted(dao: Governance, poster: str) -> Scene:
    """The oracle has a price of the market already, as an honest one would. Without a poster, anybody posts."""
    listing = Listing.on(dao, dao.timelock, deploy(dao.node, "PostedOracle", poster))
    post = encode_call("setUnderlyingPrice(address,uint256)", listing.market, TOKEN)
    dao.node.send(listing.oracle, post, sender=None if poster == ZERO_ADDRESS else poster)
    return _supplied(dao, listing)


def _pool(dao: Governance, contract: str, *arguments: object) -> str:
    """A pool that holds 40 of one token and 100 of another."""
    tokens = [deploy(dao.node, "PlainToken", dao.node.accounts[0], 10_000 * TOKEN) for _ in range(2)]
    pool = deploy(dao.node, contract, *tokens, *arguments)
    for token, amount in zip(tokens, (40, 100), strict=True):
        dao.node.send(token, encode_call("transfer(address,uint256)", pool, amount * TOKEN))
    return pool


def _reserves_of_now(dao: Governance) -> Scene:
    pool = _pool(dao, "PairPool")
    dao.node.send(pool, encode_call("sync()"))
    return _supplied(dao, Listing.on(dao, dao.timelock, deploy(dao.node, "PairOracle", pool)))


def _average(dao: Governance) -> Scene:
    pool = _pool(dao, "TickPool", 100)
    dao.node.increase_time(4_000)
    return _supplied(dao, Listing.on(dao, dao.timelock, deploy(dao.node, "AverageOracle", pool)))


def _in_use(dao: Governance) -> Scene:
    listing = Listing.on(dao, dao.timelock)
    dao.node.send(listing.market, encode_call("mint(uint256)", 50_000 * TOKEN), sender=dao.node.accounts[4])
    text = f"Set the collateral factor of the market {listing.market} to 35% in the comptroller {listing.comptroller}."
    return Scene(dao, propose(dao, text, listing.collateral))


CASES = (
    incident(
        "I-15 Atlantis Loans",
        "thanks by its text; a market gets code that takes from everybody who allowed it to",
        lambda dao: hidden_upgrade(dao)[1],
        Severity.CRITICAL,
        ["code-upgrade"],
    ),
    variation(
        "I-15, announced, taking at once",
        "an announced upgrade whose initialiser takes a user's tokens",
        _taking_at_once,
        Severity.HIGH,
        ["code-upgrade", "others-money"],
    ),
    variation(
        "I-15, without an upgrade",
        "the DAO uses an allowance of its own; the text names amount and receiver, not whose tokens they are",
        _taking_directly,
        Severity.HIGH,
        ["others-money"],
    ),
    honest(
        "a market is upgraded",
        "the announced upgrade of a market, and nobody's tokens move",
        _honest_upgrade,
        Severity.HIGH,
        ["code-upgrade"],
    ),
    incident(
        "I-20 Sonne",
        "a new market in five operations that anybody may execute in any order; nobody supplied anything yet",
        separate_operations,
        Severity.HIGH,
        ["new-market"],
    ),
    variation(
        "I-20, in one proposal",
        "the same steps, one after another; nobody supplied anything",
        _listed,
        Severity.HIGH,
        ["new-market"],
    ),
    honest(
        "a market with supply",
        "the same steps, and the DAO supplies before the collateral factor",
        lambda dao: _supplied(dao, Listing.on(dao, dao.timelock)),
        Severity.HIGH,
        ["governor-settings"],
    ),
    attack(
        "a price that anybody sets",
        "a market with supply is listed, all as announced; anybody can set the price that its oracle gives",
        lambda dao: _posted(dao, ZERO_ADDRESS),
        Severity.CRITICAL,
        ["price-source"],
    ),
    attack(
        "a price that one key sets",
        "the same, and one account without code sets the price",
        lambda dao: _posted(dao, dao.node.accounts[6]),
        Severity.HIGH,
        ["price-source"],
    ),
    attack(
        "the price of this moment",
        "the same, and the price is what a small pool holds right now",
        _reserves_of_now,
        Severity.HIGH,
        ["price-source"],
    ),
    honest(
        "the price of half an hour",
        "the same, and the price is a pool's average",
        _average,
        Severity.HIGH,
        ["governor-settings"],
    ),
    honest("a market in use", "the collateral factor of a market with supply", _in_use, Severity.LOW),
)
