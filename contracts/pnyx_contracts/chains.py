"""Which chain a message goes to: known bridges, and the numbers that messaging protocols give to chains.

Sources: the bridges' own lists of deployments (Arbitrum, OP stack, Polygon, zkSync, Scroll, Linea, Gnosis), LayerZero's
endpoint ids, Wormhole's chain ids, Chainlink's CCIP directory, Axelar's chain names. What is not listed stays unknown.
"""

from __future__ import annotations

from types import MappingProxyType

ETHEREUM = 1
OP_MAINNET = 10
BNB = 56
GNOSIS = 100
POLYGON = 137
ZKSYNC = 324
BASE = 8453
ARBITRUM = 42161
NOVA = 42170
CELO = 42220
AVALANCHE = 43114
LINEA = 59144
SCROLL = 534352

NAMES = MappingProxyType(
    {
        ETHEREUM: "Ethereum",
        OP_MAINNET: "OP Mainnet",
        BNB: "BNB Smart Chain",
        GNOSIS: "Gnosis Chain",
        POLYGON: "Polygon PoS",
        ZKSYNC: "ZKsync Era",
        BASE: "Base",
        ARBITRUM: "Arbitrum One",
        NOVA: "Arbitrum Nova",
        CELO: "Celo",
        AVALANCHE: "Avalanche C-Chain",
        LINEA: "Linea",
        SCROLL: "Scroll",
    }
)

_ARBSYS = "0x0000000000000000000000000000000000000064"
OP_MESSENGER = "0x4200000000000000000000000000000000000007"
OP_PASSER = "0x4200000000000000000000000000000000000016"

BRIDGES = MappingProxyType(
    {
        (ARBITRUM, _ARBSYS): ETHEREUM,
        (NOVA, _ARBSYS): ETHEREUM,
        (OP_MAINNET, OP_MESSENGER): ETHEREUM,
        (OP_MAINNET, OP_PASSER): ETHEREUM,
        (BASE, OP_MESSENGER): ETHEREUM,
        (BASE, OP_PASSER): ETHEREUM,
        (GNOSIS, "0x75Df5AF045d91108662D8080fD1FEFAd6aA0bb59"): ETHEREUM,
        (SCROLL, "0x781e90f1c8Fc4611c9b7497C3B47F99Ef6969CbC"): ETHEREUM,
        (LINEA, "0x508Ca82Df566dCD1B0DE8296e70a96332cD644ec"): ETHEREUM,
        (ETHEREUM, "0x4Dbd4fc535Ac27206064B68FfCf827b0A60BAB3f"): ARBITRUM,
        (ETHEREUM, "0xc4448b71118c9071Bcb9734A0EAc55D18A153949"): NOVA,
        (ETHEREUM, "0x25ace71c97B33Cc4729CF772ae268934F7ab5fA1"): OP_MAINNET,
        (ETHEREUM, "0xbEb5Fc579115071764c7423A4f12eDde41f106Ed"): OP_MAINNET,
        (ETHEREUM, "0x866E82a600A1414e583f7F13623F1aC5d58b0Afa"): BASE,
        (ETHEREUM, "0x49048044D57e1C92A77f79988d21Fa8fAF74E97e"): BASE,
        (ETHEREUM, "0xfe5e5D361b2ad62c541bAb87C45a0B9B018389a2"): POLYGON,
        (ETHEREUM, "0x32400084C286CF3E17e7B677ea9583e60a000324"): ZKSYNC,
        (ETHEREUM, "0x6774Bcbd5ceCeF1336b5300fb5186a12DDD8b367"): SCROLL,
        (ETHEREUM, "0xd19d4B5d358258f05D7B411E21A1460D11B0876F"): LINEA,
        (ETHEREUM, "0x4C36d2919e407f0Cc2Ee3c993ccF8ac26d9CE64e"): GNOSIS,
    }
)
"""(chain, contract that takes the message) -> chain that it goes to."""

FAR_SIDES = MappingProxyType(
    {
        (ETHEREUM, "0x25ace71c97B33Cc4729CF772ae268934F7ab5fA1"): OP_MESSENGER,
        (ETHEREUM, "0x866E82a600A1414e583f7F13623F1aC5d58b0Afa"): OP_MESSENGER,
        (OP_MAINNET, OP_MESSENGER): "0x25ace71c97B33Cc4729CF772ae268934F7ab5fA1",
        (OP_MAINNET, OP_PASSER): "0xbEb5Fc579115071764c7423A4f12eDde41f106Ed",
        (BASE, OP_MESSENGER): "0x866E82a600A1414e583f7F13623F1aC5d58b0Afa",
        (BASE, OP_PASSER): "0x49048044D57e1C92A77f79988d21Fa8fAF74E97e",
        (ARBITRUM, _ARBSYS): "0x8315177aB297bA92A06054cE80a67Ed4DBd7ed3a",
        (NOVA, _ARBSYS): "0xC1Ebd02f738644983b6C4B2d440b8e77DdE276Bd",
        (ETHEREUM, "0x4C36d2919e407f0Cc2Ee3c993ccF8ac26d9CE64e"): "0x75Df5AF045d91108662D8080fD1FEFAd6aA0bb59",
        (GNOSIS, "0x75Df5AF045d91108662D8080fD1FEFAd6aA0bb59"): "0x4C36d2919e407f0Cc2Ee3c993ccF8ac26d9CE64e",
        (ETHEREUM, "0x6774Bcbd5ceCeF1336b5300fb5186a12DDD8b367"): "0x781e90f1c8Fc4611c9b7497C3B47F99Ef6969CbC",
        (SCROLL, "0x781e90f1c8Fc4611c9b7497C3B47F99Ef6969CbC"): "0x6774Bcbd5ceCeF1336b5300fb5186a12DDD8b367",
        (ETHEREUM, "0xd19d4B5d358258f05D7B411E21A1460D11B0876F"): "0x508Ca82Df566dCD1B0DE8296e70a96332cD644ec",
        (LINEA, "0x508Ca82Df566dCD1B0DE8296e70a96332cD644ec"): "0xd19d4B5d358258f05D7B411E21A1460D11B0876F",
        (ETHEREUM, "0xfe5e5D361b2ad62c541bAb87C45a0B9B018389a2"): "0x8397259c983751DAf40400790063935a11afa28a",
    }
)
"""(chain, contract that takes the message) -> contract that makes the call on the other chain."""
OUTBOXES = MappingProxyType(
    {
        "0x8315177aB297bA92A06054cE80a67Ed4DBd7ed3a": "0x0B9857ae2D4A3DBe74ffE1d7DF045bb7F96E4840",
        "0xC1Ebd02f738644983b6C4B2d440b8e77DdE276Bd": "0xD4B80C3D7240325D18E645B49e6535A3Bf95cc58",
    }
)
"""Bridge of an Arbitrum chain on L1 -> the contract there that knows who sends."""

LAYERZERO = MappingProxyType(
    {
        30101: ETHEREUM,
        30102: BNB,
        30106: AVALANCHE,
        30109: POLYGON,
        30110: ARBITRUM,
        30111: OP_MAINNET,
        30125: CELO,
        30145: GNOSIS,
        30165: ZKSYNC,
        30175: NOVA,
        30183: LINEA,
        30184: BASE,
        30214: SCROLL,
    }
)
WORMHOLE = MappingProxyType(
    {
        2: ETHEREUM,
        4: BNB,
        5: POLYGON,
        6: AVALANCHE,
        14: CELO,
        23: ARBITRUM,
        24: OP_MAINNET,
        25: GNOSIS,
        30: BASE,
        34: SCROLL,
        38: LINEA,
    }
)
CCIP = MappingProxyType(
    {
        5009297550715157269: ETHEREUM,
        3734403246176062136: OP_MAINNET,
        11344663589394136015: BNB,
        4051577828743386545: POLYGON,
        15971525489660198786: BASE,
        4949039107694359620: ARBITRUM,
        6433500567565415381: AVALANCHE,
    }
)
AXELAR = MappingProxyType(
    {
        "ethereum": ETHEREUM,
        "optimism": OP_MAINNET,
        "binance": BNB,
        "polygon": POLYGON,
        "base": BASE,
        "arbitrum": ARBITRUM,
        "avalanche": AVALANCHE,
    }
)
"""In lower case: Axelar's names come in both."""

LARGEST_ID = 2**53 - 1
"""Records hold no larger integer, and no chain has one: EIP-2294 sets a lower bound still."""

ALIAS_OFFSET = 0x1111000000000000000000000000000000001111


def in_words(chain_id: int) -> str:
    """``chain 42161 (Arbitrum One)``, without the name where none is known."""
    return f"chain {chain_id} ({NAMES[chain_id]})" if chain_id in NAMES else f"chain {chain_id}"
