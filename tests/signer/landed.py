"""What of a proposal stands on the chain, and who writes there."""

from __future__ import annotations

from pnyx_agents.reviewer import Governed
from pnyx_agents.scribe import ChainScribe
from pnyx_contracts.entry import EntryKind
from pnyx_tools.recorder import Case
from pnyx_tools.signer.witness import entries_about

from .parliament import DirectSigner, Parliament


def own_entries(parliament: Parliament, case: Case) -> list[EntryKind]:
    head = parliament.node.rpc.block().number
    settings = parliament.settings
    return [e.kind for e in entries_about(parliament.node.rpc, settings.log, settings.writer, case.key, 0, head)]


def own_votes(parliament: Parliament, case: Case) -> int:
    topics = [list(parliament.booth.adapter.vote_topics()), bytes(12) + bytes.fromhex(parliament.settings.writer[2:])]
    start, head = case.dossier.proposal.created_block, parliament.node.rpc.block().number
    return len(parliament.node.rpc.logs(start, head, topics, [case.key.governor]))


def scribe_of(parliament: Parliament, signer: DirectSigner) -> ChainScribe:
    booth = parliament.booth
    governors = {parliament.governance.governor: Governed(booth.adapter, booth.profile)}
    return ChainScribe(parliament.writer(signer), governors, parliament.outbox)
