"""How much there is to read."""

from pnyx_contracts.governors import GovernorAdapter, GovernorProfile
from pnyx_contracts.types import BlockRef, Proposal, Value
from pnyx_policies.facts import Grade
from pnyx_tools.reader import ChainReader


class Size(Value):
    calls: int
    text_bytes: int


class ProposalSize:
    name = "proposal_size"
    version = "1"
    grade = Grade.DERIVED
    description = "Number of calls and length of the text."

    def run(
        self,
        reader: ChainReader,
        adapter: GovernorAdapter,
        profile: GovernorProfile,
        proposal: Proposal,
        block: BlockRef,
    ) -> Size:
        return Size(calls=len(proposal.calls), text_bytes=len(proposal.description))
