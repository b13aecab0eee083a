"""The member's check. Pure: `pnyx_tools.verifier` reads the chain and the evidence and feeds these steps.

What is checked, for one decision log and then for each writer in it:

 1. Log code: the contract at the log's address is our DecisionLog, byte for byte.
 2. Registration: the writer registered once, in this log on this chain, and its genesis binds what it declared there; a
    successor's first entry commits to the last head of its predecessor, whose last entry names it.
 3. Entries: numbered from 1 without a gap, and none after another writer took this one's place; folded one after
    another they give the head in the log's state.
 4. Configuration: every change was announced, and its notice was over before it came into force.
 5. Writer: a vote gate that our factory made, with our code, which never voted while it was paused; or a plain key,
    which can only declare; or an account of EIP-7702, and which code it runs.
 6. Votes: every vote of the writer, in any contract, or of its Safe follows exactly one VOTE entry that says the same.
 7. Announced votes: every VOTE entry has its vote, or a VOID entry from when the vote could not land any more. No VOID
    entry takes back what is about a proposal that is there.
 8. Completeness: every proposal that the writer answers for has an entry from before its vote closed, its own or, where
    it left the proposal open, its successor's.
 9. Bundle: the evidence is there and hashes to the record root and the prompt hash of its entry.
10. Header: the record was made for this chain, log, writer and configuration, and judges the standing of this writer,
    or of its Safe.
11. Declared configuration: its document hashes to what stands on chain; prompt templates, ruleset, checks, context
    tools, analysts with their parameters, known addresses and mode of the record are those that it declares.
12. Proposal: the record holds what the governor announced; the id follows from the content, the decoded calls follow
    from the calldata.
13. State: governor, voting power, code and balances, read again at the pinned block, are those in the record; the
    code is still the same right before the entry.
14. Simulation: run again at the pinned block, the actions do what the record says.
15. Context: the built-in tools, run again at the pinned block, answer what the record says. They search the past as far
    as the record's own search went; one that ended early, because a node showed no more, is named.
16. Findings: the declared checks, run again on the recorded facts, find the same.
17. Prompts: rendered again from facts and templates, they are the messages in the recorded requests.
18. Answers: the recorded responses, parsed again, give the recorded opinions.
19. Decision: the ruleset, run again on the recorded facts, findings and opinions, decides the same, also with what
    the record says could not be known and can be.
20. Entry: its kind and its action are what the decision, the mode and a person's word entitle to, and the word counts.

Every step gives verdicts (`Verdict`): a status, and a grade that says how far it can be relied on. What no step can
show: that a model was really asked, and that it really gave the recorded answer. A response is only as true as its
operator.
"""

from pnyx_policies.verify.verdict import (
    About,
    ChainsReport,
    Report,
    Status,
    Step,
    Tier,
    Verdict,
    Verdicts,
    WriterReport,
)

__all__ = ["About", "ChainsReport", "Report", "Status", "Step", "Tier", "Verdict", "Verdicts", "WriterReport"]
