"""A parliament that only debates: it reads like an OpenZeppelin governor, and nobody knows how it counts votes."""

from collections.abc import Sequence

from pnyx_contracts.governors import GovernorProfile, OpenZeppelinGovernor, Probe
from pnyx_contracts.selectors import selector_of
from pnyx_contracts.types import ClockMode

NAME = selector_of("name()")
ANSWER = (32).to_bytes(32, "big") + (17).to_bytes(32, "big") + b"Sample Parliament".ljust(32, b"\0")


class Parliament(OpenZeppelinGovernor):
    kind = "parliament"

    def probe_calls(self) -> Sequence[bytes]:
        return (NAME,)

    def recognise(self, probe: Probe) -> GovernorProfile | None:
        if probe.answers.get(NAME) != ANSWER:
            return None
        return GovernorProfile(
            kind=self.kind,
            address=probe.address,
            chain_id=probe.chain_id,
            name="Sample Parliament",
            version="",
            counting_mode="",
            clock_mode=ClockMode.BLOCK,
            token=None,
            timelock=None,
            can_vote=False,  # so the inherited `support_of` refuses every vote
            cannot_vote_because="a parliament only debates",
        )
