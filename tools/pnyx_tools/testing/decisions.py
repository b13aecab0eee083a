"""Decisions end to end on a local node, from the real parts, without daemon, signer or key file.

    agent = LocalAgent(node, log, [governance], FolderStore(folder), RULESET)
    agent.register()                         # or agent.register_atomic(), or agent.make_gate()
    agent.act(governance, proposal_id)       # facts, opinions, checks, decision, bundle, entry, vote

For tests of whatever reads a log, and for plugin authors. Each step is a method of its own, so that a test can be
dishonest between two of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from eth_hash.auto import keccak

from pnyx_contracts.decision_log import (
    encode_activate,
    encode_announce,
    encode_gate_note,
    encode_gate_vote,
    encode_record,
    encode_register,
    read_state,
    subject,
    vote_action,
)
from pnyx_contracts.entry import Declaration, EntryKind
from pnyx_contracts.interfaces import Interfaces
from pnyx_contracts.record import record_key
from pnyx_contracts.types import ProposalKey, Vote
from pnyx_policies.analysis import Analyst, Opinion
from pnyx_policies.asset_prices import PriceOrigin
from pnyx_policies.bundle import Bundle, seal, withhold
from pnyx_policies.checks import CheckView, builtin_checks, run_checks
from pnyx_policies.configuration import Configuration
from pnyx_policies.decide import decide
from pnyx_policies.decision import Mode
from pnyx_policies.dossier import (
    NOBODY,
    Approval,
    Attempt,
    Dossier,
    Expired,
    Header,
    People,
    Software,
    State,
)
from pnyx_policies.entitlement import Entitlement, entitlement
from pnyx_policies.facts import Facts
from pnyx_policies.outline import OUTLINE, outline
from pnyx_policies.probes import Probe
from pnyx_policies.prompt import templates, templates_hash
from pnyx_policies.ruleset import Ruleset
from pnyx_tools.context import ContextTool, OwnLog
from pnyx_tools.evidence import FolderStore
from pnyx_tools.gather import BUILTIN_TOOLS, gather_facts
from pnyx_tools.reader import ChainReader
from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.deploy import DAY, Gate, Governance, delegate_account, deploy_gate
from pnyx_tools.testing.safe import LocalSafe


class Said(Protocol):
    """What analysts said, as `pnyx_agents.analyst.deliberate` returns it."""

    @property
    def opinions(self) -> tuple[Opinion, ...]: ...

    @property
    def attempts(self) -> tuple[Attempt, ...]: ...

    @property
    def bodies(self) -> Mapping[bytes, bytes]: ...


@dataclass(frozen=True, slots=True)
class Outlined:
    """The outline of the facts: no model, no requests."""

    opinions: tuple[Opinion, ...]
    attempts: tuple[Attempt, ...] = ()
    bodies: Mapping[bytes, bytes] = field(default_factory=dict)


def ask_outline(facts: Facts) -> Said:
    return Outlined((Opinion(analyst=OUTLINE, analysis=outline(facts)),))


@dataclass(frozen=True, slots=True)
class Sealed:
    """A decision that is ready to be written."""

    dossier: Dossier
    bundle: Bundle


class LocalAgent:
    """One writer of one log. `key` is an unlocked account of the node, the second one unless told otherwise."""

    def __init__(
        self,
        node: Anvil,
        log: str,
        governances: Sequence[Governance],
        evidence: FolderStore,
        ruleset: str,
        *,
        key: str | None = None,
        mode: Mode = Mode.AUTONOMOUS,
        analysts: tuple[Analyst, ...] = (OUTLINE,),
        ask: Callable[[Facts], Said] = ask_outline,
        tools: Sequence[ContextTool] = BUILTIN_TOOLS,
        evidence_uri: str = "",
        known_addresses: Mapping[str, str] | None = None,
        interfaces: Interfaces | None = None,
        probes: tuple[Probe, ...] = (),
        prices: tuple[PriceOrigin, ...] = (),
        reader: ChainReader | None = None,
        approvers: tuple[str, ...] = (),
        approvals: int = 1,
        unsafe_unsigned_approvals: bool = False,
        sealed: tuple[str, ...] = (),
        safe: LocalSafe | None = None,
    ) -> None:
        self.node = node
        self.reader = reader or node.rpc
        """What it sees proposals through."""
        self.log = log
        self.governances = {governance.governor: governance for governance in governances}
        self.evidence = evidence
        self.ruleset = Ruleset.parse(ruleset, "local agent")
        self.key = key or node.accounts[1]
        self.writer = self.key
        self.gate: Gate | None = None
        self.safe = safe
        """Votes for the writer, when there is one."""
        self.is_atomic = False
        self.mode = mode
        self.evidence_uri = evidence_uri
        self.known_addresses = dict(known_addresses or {})
        self.interfaces = interfaces or {}
        self.probes = probes
        self.prices = prices
        self.approvers = approvers
        self.approvals = approvals
        self.unsafe_unsigned_approvals = unsafe_unsigned_approvals
        self.sealed = sealed
        self._analysts = analysts
        self._ask = ask
        self._tools = tools
        self._sealed = 0

    # Configuration

    @property
    def configuration(self) -> Configuration:
        return Configuration(
            agent="local",
            mode=self.mode,
            governors=tuple(self.governances),
            analysts=self._analysts,
            prompt_hash=templates_hash(),
            ruleset_hash=self.ruleset.hash,
            checks={check.name: check.version for check in builtin_checks()},
            tools={tool.name: tool.version for tool in self._tools},
            known_addresses=self.known_addresses,
            interfaces=self.interfaces,
            probes=self.probes,
            prices=self.prices,
            approvers=self.approvers,
            approvals=self.approvals,
            unsafe_unsigned_approvals=self.unsafe_unsigned_approvals,
            sealed=self.sealed,
            safe=self.safe.address if self.safe else None,
            software="pnyx under test",
        )

    @property
    def declaration(self) -> Declaration:
        return Declaration(
            config_hash=self.configuration.hash, governors=tuple(self.governances), evidence_uri=self.evidence_uri
        )

    def register(self, notice_seconds: int = DAY) -> None:
        """The key itself becomes the writer (members see DECLARED). It is its own operator."""
        self.evidence.put_configuration(self.configuration)
        self._send(self.log, encode_register(self.key, notice_seconds, self.declaration))

    def register_atomic(self, notice_seconds: int = DAY) -> None:
        """As `register`, and the key's account runs `AtomicAccount` (members see ATOMIC)."""
        self.register(notice_seconds)
        delegate_account(self.node, self.key, self.log)
        self.is_atomic = True

    def make_gate(self, factory: str | None = None) -> Gate:
        """A gate becomes the writer (members see ENFORCED), the key is its signer and its operator."""
        self.evidence.put_configuration(self.configuration)
        self.gate = deploy_gate(
            self.node, signer=self.key, operator=self.key, governors=list(self.governances),
            config_hash=self.configuration.hash, evidence_uri=self.evidence_uri, log=self.log, factory=factory,
        )  # fmt: skip
        self.writer = self.gate.address
        return self.gate

    def change(self, ruleset: str, wait_seconds: int = DAY) -> None:
        """Another ruleset, the honest way: announced, and in force after the notice."""
        self.ruleset = Ruleset.parse(ruleset, "local agent")
        self.evidence.put_configuration(self.configuration)
        self._send(self.log, encode_announce(self.writer, self.next_seq(), self.declaration))
        self.node.increase_time(wait_seconds)
        self._send(self.log, encode_activate(self.writer, self.next_seq()))

    # One decision

    def facts(self, governance: Governance, proposal_id: int) -> Facts:
        return gather_facts(
            self.reader,
            governance.adapter,
            governance.profile,
            governance.proposals[proposal_id],
            voter=self.safe.address if self.safe else self.writer,
            own_log=OwnLog(self.log, self.writer),
            tools=self._tools,
            known_addresses=self.known_addresses,
            interfaces=self.interfaces,
            probes=self.probes,
            prices=self.prices,
        )

    def conclude(self, facts: Facts, said: Said, people: People = NOBODY) -> Dossier:
        reports = run_checks(builtin_checks(), CheckView(facts, said.opinions))
        judged = decide(self.ruleset, facts, reports, said.opinions)
        return Dossier(
            header=Header(
                agent="local", mode=self.mode, chain_id=facts.proposal.key.chain_id, log=self.log, writer=self.writer,
                config_hash=self.configuration.hash,
            ),
            proposal=facts.proposal,
            calls=facts.calls,
            state=State.of(facts),
            simulation=facts.simulation,
            context=facts.context,
            prompt=templates(),
            attempts=said.attempts,
            opinions=said.opinions,
            checks=reports,
            ruleset=self.ruleset.text,
            rules=judged.rules,
            decision=judged.decision,
            people=people,
            software=Software(pnyx="under test", python="3"),
        )  # fmt: skip

    def seal(self, dossier: Dossier, bodies: Mapping[bytes, bytes] | None = None) -> Sealed:
        """Sealed and stored, as before every entry. Salts are the same on every run of a test."""
        self._sealed += 1
        nonce = keccak(f"nonce {self._sealed}".encode())
        bundle = seal(dossier, bodies or {}, record_key(keccak(b"master"), subject(dossier.proposal.key), nonce))
        self.evidence.put_bundle(withhold(bundle, self.sealed))
        return Sealed(dossier, bundle)

    def review(
        self, governance: Governance, proposal_id: int, *words: Approval, expired: Expired | None = None
    ) -> Sealed:
        """Everything up to the stored bundle."""
        facts = self.facts(governance, proposal_id)
        said = self._ask(facts)
        return self.seal(self.conclude(facts, said, People(words=words, expired=expired)), said.bodies)

    def act(self, governance: Governance, proposal_id: int) -> Sealed:
        """The whole way of one proposal."""
        sealed = self.review(governance, proposal_id)
        self.write(governance, sealed)
        return sealed

    # Writing

    def write(self, governance: Governance, sealed: Sealed, entitled: Entitlement | None = None) -> None:
        """The entry that the dossier entitles to, and its vote: in one transaction; with a plain key, one by one."""
        what = entitled or entitlement(sealed.dossier)
        if what.vote is None:
            self.enter(sealed.dossier.proposal.key, what.kind, sealed.bundle.record_root, sealed.bundle.prompt_hash)
            return
        support = governance.adapter.support_of(governance.profile, what.vote)
        if self.gate is not None or self.is_atomic:
            self._vote_with_entry(sealed, support)
            return
        key = sealed.dossier.proposal.key
        self.enter(key, EntryKind.VOTE, sealed.bundle.record_root, sealed.bundle.prompt_hash, vote_action(support))
        self.cast(governance, key, what.vote, sealed.dossier.decision.reason)

    def enter(
        self, key: ProposalKey, kind: EntryKind, record_root: bytes, prompt_hash: bytes, action: bytes = bytes(32)
    ) -> None:
        """One entry alone."""
        words = (self.next_seq(), kind, subject(key), prompt_hash, record_root, action)
        if self.gate is None:
            self._send(self.log, encode_record(*words))
        else:
            self._send(self.writer, encode_gate_note(*words))

    def cast(self, governance: Governance, key: ProposalKey, vote: Vote, reason: str = "") -> None:
        """The vote alone: of a plain key, or of the Safe, whose owners sign it."""
        if self.safe is None:
            governance.vote(key.proposal_id, vote, self.key, reason)
            return
        call = governance.adapter.encode_vote(governance.profile, key.proposal_id, vote, reason)
        self.safe.act(call.to, call.data)

    def next_seq(self) -> int:
        return self.node.rpc.read(read_state(self.log, self.writer)).seq + 1

    def _vote_with_entry(self, sealed: Sealed, support: int) -> None:
        bundle, dossier = sealed.bundle, sealed.dossier
        data = encode_gate_vote(
            self.next_seq(), dossier.proposal.key, support, bundle.prompt_hash, bundle.record_root,
            dossier.decision.reason,
        )  # fmt: skip
        self._send(self.writer, data)

    def _send(self, to: str, data: bytes) -> dict[str, Any]:
        return self.node.send(to, data, sender=self.key)
