"""I-2, Tornado Cash, May 2023: code that is voted on, destroyed, made again as other code, and run by delegatecall."""

from __future__ import annotations

from dataclasses import dataclass

from eth_hash.auto import keccak
from eth_utils.address import to_checksum_address

from pnyx_policies.finding import Severity
from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.deploy import TOKEN, Governance, artifact, deploy, encode_call
from pnyx_tools.testing.incidents.case import Action, Scene, incident, propose, variation


def creation_code(contract: str) -> bytes:
    return bytes.fromhex(artifact(contract)["bytecode"][2:])


@dataclass(frozen=True)
class Metamorphic:
    """Code that comes back at the same address: a factory makes a maker by CREATE2, which makes the code by CREATE."""

    node: Anvil
    factory: str

    def make(self, contract: str) -> str:
        self._made(self.factory, encode_call("make(bytes32,bytes)", bytes(32), creation_code("TransientMaker")))
        return self._made(self.maker, encode_call("make(bytes)", creation_code(contract)))

    def destroy(self, made: str) -> None:
        self.node.send(made, encode_call("emergencyStop()"))
        self.node.send(self.maker, encode_call("destroy()"))

    @property
    def maker(self) -> str:
        packed = b"\xff" + bytes.fromhex(self.factory[2:]) + bytes(32) + keccak(creation_code("TransientMaker"))
        return str(to_checksum_address(keccak(packed)[12:]))

    def _made(self, maker: str, data: bytes) -> str:
        (log,) = self.node.send(maker, data)["logs"]
        return str(to_checksum_address("0x" + log["data"][-40:]))


@dataclass(frozen=True)
class Relayers:
    """A vault of the DAO's that runs payloads with its own rights, and the payload of one proposal."""

    made: Metamorphic
    vault: str
    payload: str
    scene: Scene


LIKE_THE_LAST_ONE = "Update the list of relayers. The same logic as in our last proposal about relayers."


def run_by(vault: str, payload: str) -> Action:
    data = encode_call(
        "execTransactionFromModule(address,uint256,bytes,uint8)", payload, 0, encode_call("executeProposal()"), 1
    )
    return vault, data


def relayers(dao: Governance, text: str = LIKE_THE_LAST_ONE) -> Relayers:
    made = Metamorphic(dao.node, deploy(dao.node, "Create2Factory"))
    vault = deploy(dao.node, "ModuleVault", dao.timelock)
    dao.node.set_balance(vault, 5 * TOKEN)
    payload = made.make("RelayerPayload")
    return Relayers(made, vault, payload, Scene(dao, propose(dao, text, run_by(vault, payload))))


def _made_again(dao: Governance) -> Scene:
    shape = relayers(dao)
    shape.made.destroy(shape.payload)
    shape.made.make("HostilePayload")
    return shape.scene


def _gone(dao: Governance) -> Scene:
    shape = relayers(dao)
    shape.made.destroy(shape.payload)
    return shape.scene


def _known_and_steady(dao: Governance) -> Scene:
    vault, payload = deploy(dao.node, "ModuleVault", dao.timelock), deploy(dao.node, "SteadyPayload")
    text = f"Update the list of relayers by running the reviewed payload {payload} from our vault {vault}."
    return Scene(dao, propose(dao, text, run_by(vault, payload)), known={payload: "the reviewed payload"})


CASES = (
    incident(
        "I-2 Tornado Cash 20",
        "runs a payload with the vault's rights, as the last proposal did; the payload can destroy itself",
        lambda dao: relayers(dao).scene,
        Severity.CRITICAL,
        ["code-origin", "delegatecall"],
    ),
    variation(
        "I-2, gone meanwhile",
        "the payload destroyed itself after it was proposed",
        _gone,
        Severity.CRITICAL,
        ["delegatecall", "target-without-code"],
    ),
    variation(
        "I-2, made again",
        "other code came to lie at the payload's address, and takes what the vault has",
        _made_again,
        Severity.CRITICAL,
        ["delegatecall", "text-against-calls"],
    ),
    variation(
        "I-2, known and steady",
        "the operator knows the payload, which cannot destroy itself, and the text names it",
        _known_and_steady,
        Severity.HIGH,
        ["delegatecall"],
    ),
)
