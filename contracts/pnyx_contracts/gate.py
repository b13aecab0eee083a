"""What a gate's guardian and operator do, as `contracts/src/IVoteGate.sol` has it. Pure."""

from __future__ import annotations

from enum import Enum

from pnyx_contracts.selectors import call_data


class GateAct(Enum):
    """The words of `pnyx safe gate`."""

    PAUSE = "pause"
    RESUME = "resume"
    ANNOUNCE_SIGNER = "announce-signer"
    ACTIVATE_SIGNER = "activate-signer"
    ANNOUNCE_GOVERNOR = "announce-governor"
    FORBID_GOVERNOR = "forbid-governor"
    ACTIVATE_GOVERNOR = "activate-governor"

    @property
    def by(self) -> str:
        """The account of the gate that alone can do it; empty where everybody can."""
        return _ACTS[self][0]

    @property
    def takes_account(self) -> bool:
        """Whether it is about a signer, or a governor."""
        return "address" in _ACTS[self][1]

    def encode(self, account: str | None = None) -> bytes:
        """Calldata for the gate. `account` where one is taken."""
        _, signature, flags = _ACTS[self]
        return call_data(signature, *([account] if self.takes_account else []), *flags)


_ACTS: dict[GateAct, tuple[str, str, tuple[bool, ...]]] = {
    GateAct.PAUSE: ("guardian", "pauseVotes()", ()),
    GateAct.RESUME: ("guardian", "unpauseVotes()", ()),
    GateAct.ANNOUNCE_SIGNER: ("operator", "announceSigner(address)", ()),
    GateAct.ACTIVATE_SIGNER: ("", "activateSigner()", ()),
    GateAct.ANNOUNCE_GOVERNOR: ("operator", "announceGovernor(address,bool)", (True,)),
    GateAct.FORBID_GOVERNOR: ("operator", "announceGovernor(address,bool)", (False,)),
    GateAct.ACTIVATE_GOVERNOR: ("", "activateGovernor(address)", ()),
}
