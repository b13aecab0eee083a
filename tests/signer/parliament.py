"""A governance system, a decision log, a writer and a signer, all real; only the analyst is silent."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_utils.address import to_checksum_address
from pydantic import SecretStr

from pnyx_contracts.decision_log import read_state, subject
from pnyx_contracts.entry import Declaration, EntryKind, WriterState
from pnyx_contracts.record import record_key
from pnyx_contracts.types import Vote, to_hex
from pnyx_policies.analysis import Opinion
from pnyx_policies.approval import answer_in, answered
from pnyx_policies.bundle import Bundle, seal
from pnyx_policies.checks import CheckView, builtin_checks, run_checks
from pnyx_policies.configuration import Configuration
from pnyx_policies.decide import decide
from pnyx_policies.decision import Mode
from pnyx_policies.dossier import NOBODY, Approval, Dossier, Expired, Header, People, Software, State
from pnyx_policies.facts import Facts
from pnyx_policies.outline import OUTLINE, outline
from pnyx_policies.prompt import templates, templates_hash
from pnyx_policies.ruleset import Ruleset
from pnyx_tools.chain import Chain
from pnyx_tools.context import OwnLog, builtin_tools
from pnyx_tools.deployment import Wish, carry_out, plan
from pnyx_tools.follow import Finality
from pnyx_tools.gather import gather_facts
from pnyx_tools.recorder import Case, Writer
from pnyx_tools.rpc import Rpc
from pnyx_tools.safe.owners import Owners, Service, WaitsForOwnersError
from pnyx_tools.safe.service import TransactionService
from pnyx_tools.sender import Sender, SenderSettings
from pnyx_tools.signer.keys import LocalKey
from pnyx_tools.signer.memory import Memory
from pnyx_tools.signer.notary import Notary
from pnyx_tools.signer.payload import Desk
from pnyx_tools.signer.protocol import (
    Identity,
    NotYetError,
    SignBallot,
    Signed,
    SignedSafeTx,
    SignEntry,
    SignRequest,
    SignSafeTx,
    SignVote,
    Ticket,
)
from pnyx_tools.signer.settings import Limits, SignerSettings, WriterKind
from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.deploy import DAY, Governance, deploy_gate, deploy_governance, deploy_log
from pnyx_tools.testing.outbox import MemoryOutbox
from pnyx_tools.testing.safe import LocalSafe, deploy_safe
from pnyx_tools.voter import Booth, Voted, vote

from .moments import QuickClock

GWEI = 10**9
FRIEND = str(to_checksum_address("0x00000000000000000000000000000000000f00d1"))
STRANGER = str(to_checksum_address("0x000000000000000000000000000000000000bad1"))

RULES = """\
name = "signer-tests"
version = "1"

[limits]
min_blocks_left = 3

[[rule]]
id = "hostile"
because = "Something here is hidden or hostile."
when = ["findings.critical > 0"]
then = "against"

[[rule]]
id = "powerful"
because = "Power changes hands: people decide."
when = ["findings.high > 0"]
then = "hold"

[[rule]]
id = "small-payment"
because = "A small payment to somebody known."
when = ["outflow.share < 2%", "outflow.unknown_recipients is 0", "calls.unknown is 0"]
then = "for"
"""


class DirectSigner:
    """A notary in this process, in place of the socket."""

    def __init__(self, notary: Notary) -> None:
        self.notary = notary
        self.signed: list[Signed] = []

    def identity(self) -> Identity:
        return self.notary.identity()

    def sign(self, request: SignRequest) -> Signed:
        signed = self.notary.answer(request)
        assert isinstance(signed, Signed)
        self.signed.append(signed)
        return signed

    def sign_safe_tx(self, request: SignSafeTx) -> SignedSafeTx:
        signed = self.notary.answer(request)
        assert isinstance(signed, SignedSafeTx)
        return signed


@dataclass
class Parliament:
    """Everything that one test of the signer needs."""

    node: Anvil
    governance: Governance
    key: LocalKey
    secret: bytes
    settings: SignerSettings
    folder: Path
    safe: LocalSafe | None = None
    """Holds the voting power, when there is one."""
    clock: QuickClock = field(default_factory=QuickClock)
    outbox: MemoryOutbox = field(default_factory=MemoryOutbox)
    _opened: list[Memory] = field(default_factory=list)
    _titles: Iterator[int] = field(default_factory=itertools.count)

    # --- the daemon's side -------------------------------------------------------------------------------------------

    @property
    def chain(self) -> Chain:
        return Chain.of([self.node.url])

    @property
    def booth(self) -> Booth:
        return Booth(self.governance.adapter, self.governance.profile)

    def open(self, *, call: bytes = b"", to: str = FRIEND, value: int | None = None, text: str = "") -> int:
        """A proposal that is open for votes: by default a small payment to a friend, announced as such, and another
        one than those before.
        """
        count = next(self._titles)
        value = 10**15 + (count + 1) * 10**12 if value is None else value
        title = f"# Pay a friend {count}\n\nPay {value / 10**18:f} ETH to {to}."
        number = self.governance.propose([to], [value], [call], text or title)
        self.governance.advance_to_active(number)
        return number

    def facts(self, proposal_id: int) -> Facts:
        governance, settings = self.governance, self.settings
        return gather_facts(
            self.node.rpc,
            governance.adapter,
            governance.profile,
            governance.proposals[proposal_id],
            voter=settings.voter,
            own_log=OwnLog(settings.log, settings.writer),
            known_addresses=settings.configuration.known_addresses,
        )

    def dossier(
        self,
        proposal_id: int,
        *,
        words: Sequence[Any] = (),
        expired: Expired | None = None,
        ruleset: str = RULES,
        ask: Callable[[Facts], Any] | None = None,
    ) -> Dossier:
        """What an honest daemon writes. `words` are made from the dossier without them, `ask` makes opinions."""
        configuration, settings = self.settings.configuration, self.settings
        facts = self.facts(proposal_id)
        said = ask(facts) if ask else None
        opinions, attempts = (said.opinions, said.attempts) if said else (outlined(facts), ())
        reports = run_checks(builtin_checks(), CheckView(facts, opinions))
        rules = Ruleset.parse(ruleset, "test")
        judged = decide(rules, facts, reports, opinions)
        made = Dossier(
            header=Header(
                agent=configuration.agent,
                mode=configuration.mode,
                chain_id=settings.chain_id,
                log=settings.log,
                writer=settings.writer,
                config_hash=configuration.hash,
            ),
            proposal=facts.proposal,
            calls=facts.calls,
            state=State(
                block=facts.block,
                review_digest=facts.review_digest,
                governor=facts.governor,
                voter=facts.voter,
                targets=facts.targets,
                treasury=facts.treasury,
                known_addresses=facts.known_addresses,
                skipped=facts.skipped,
            ),
            simulation=facts.simulation,
            context=facts.context,
            prompt=templates(),
            attempts=attempts,
            opinions=opinions,
            checks=reports,
            ruleset=ruleset,
            rules=judged.rules,
            decision=judged.decision,
            people=NOBODY,
            software=Software(pnyx="0.1.0", python="3.11"),
        )
        return made.model_copy(update={"people": heard(*(word(made) for word in words), expired=expired)})

    def case(self, dossier: Dossier) -> Case:
        return Case.of(sealed(dossier))

    def writer(
        self, signer: Any = None, chain: Any = None, finality: Finality = 1, service: str = "", **limits: Any
    ) -> Writer:
        """`service`: URL of a transaction service where votes are proposed to the owners of the Safe."""
        chain = chain or self.chain
        wishes = {
            "max_fee_per_gas": 400 * GWEI,
            "vote_wei": 10**18,
            "daily_wei": 10**18,
            "poll_seconds": 5,
            "replace_after_seconds": 60,
        }
        signer = signer or self.signer()
        sender = Sender(
            chain,
            signer,
            self.key.address,
            self.outbox,
            SenderSettings(**{**wishes, **limits}),
            self.clock,
        )
        settings = self.settings
        safe = settings.configuration.safe
        proposing = Service(TransactionService(service), signer, self.key.address) if service else None
        owners = Owners(safe, self.outbox, proposing) if safe else None
        desk = Desk(settings.writer_kind, settings.writer, settings.log, safe)
        return Writer(chain, sender, desk, finality, owners)

    def vote(self, case: Case, writer: Writer | None = None) -> Voted:
        """As the engine does it: what is not ready yet is asked again, here after the next block."""
        writer = writer or self.writer()
        for _ in range(20):
            try:
                return vote(writer, self.booth, case)
            except WaitsForOwnersError:
                raise
            except NotYetError:
                self.node.mine()
        raise AssertionError("never ready")

    # --- the signer's side -------------------------------------------------------------------------------------------

    def signer(self, settings: SignerSettings | None = None) -> DirectSigner:
        """A signer that was just started: it knows what its memory file knows."""
        self.close()
        memory = Memory(self.settings.memory)
        self._opened.append(memory)
        used = settings or self.settings
        notary = Notary(used, self.key, Rpc(self.node.url, chain_id=used.chain_id), memory, self.clock.now)
        notary.check_place()
        return DirectSigner(notary)

    def close(self) -> None:
        while self._opened:
            self._opened.pop().close()

    def land(self, signed: Signed) -> dict[str, Any]:
        """Sends it, and waits for the block that holds it; the receipt."""
        self.chain.send_raw(signed.raw)
        for _ in range(100):
            receipt = self.chain.receipt(signed.transaction_hash)
            if receipt is not None:
                return receipt
            time.sleep(0.02)
        raise AssertionError("not mined")

    # --- requests, as a daemon makes them ----------------------------------------------------------------------------

    def state(self) -> WriterState:
        return self.node.rpc.read(read_state(self.settings.log, self.settings.writer))

    def ticket(self, **parts: Any) -> Ticket:
        honest = {"gas_limit": 300_000, "max_fee_per_gas": 20 * GWEI, "max_priority_fee_per_gas": GWEI}
        return Ticket(**{"nonce": self.node.rpc.nonce(self.key.address), **honest, **parts})

    def ask_vote(self, dossier: Dossier, **parts: Any) -> SignRequest:
        """For the vote: through the gate, or the entry that announces it."""
        if self.settings.writer_kind is WriterKind.PLAIN_KEY:
            return self.ask_entry(dossier, EntryKind.VOTE, **parts)
        return SignVote(**{**self._parts(dossier), **parts})

    def ask_entry(self, dossier: Dossier, kind: EntryKind, **parts: Any) -> SignEntry:
        return SignEntry(**{**self._parts(dossier), "kind": kind, **parts})

    def ask_ballot(self, dossier: Dossier, entry_transaction: bytes, **parts: Any) -> SignBallot:
        asked = {"bundle": text(dossier), "entry_transaction": entry_transaction, "ticket": self.ticket()}
        return SignBallot(**{**asked, **parts})

    def _parts(self, dossier: Dossier) -> dict[str, Any]:
        return {"bundle": text(dossier), "expected_seq": self.state().seq + 1, "ticket": self.ticket()}


def outlined(facts: Facts) -> tuple[Opinion, ...]:
    """What the declared analyst says."""
    return (Opinion(analyst=OUTLINE, analysis=outline(facts)),)


def sealed(dossier: Dossier, bodies: Mapping[bytes, bytes] | None = None) -> Bundle:
    """Always the same salts, so that the same dossier has the same root."""
    return seal(dossier, bodies or {}, record_key(b"\x05" * 32, subject(dossier.proposal.key), b"\x06" * 32))


def text(dossier: Dossier, bodies: Mapping[bytes, bytes] | None = None) -> str:
    return sealed(dossier, bodies).to_bytes().decode()


def found_parliament(
    node: Anvil,
    folder: Path,
    *,
    kind: WriterKind,
    version: Any = 5,
    clock: Any = "block",
    mode: Mode = Mode.AUTONOMOUS,
    ruleset: str = RULES,
    safe_version: str = "",
) -> Parliament:
    """Deploys all of it and gives the writer most of the voting power; or a Safe, of three owners of whom two sign."""
    secret = bytes(Account.create().key)
    key = LocalKey(secret)
    node.set_balance(key.address, 10**18)
    node.impersonate(key.address)
    governance = deploy_governance(node, version=version, clock=clock, powers={})
    safe = deploy_safe(node, safe_version) if safe_version else None
    configuration = Configuration(
        agent="tester",
        mode=mode,
        governors=(governance.governor,),
        analysts=(OUTLINE,),
        prompt_hash=templates_hash(),
        ruleset_hash=Ruleset.parse(ruleset, "test").hash,
        checks={check.name: check.version for check in builtin_checks()},
        tools={tool.name: tool.version for tool in builtin_tools()},
        known_addresses={FRIEND: "a friend"},
        safe=safe.address if safe else None,
        software="pnyx 0.1.0",
    )
    declaration = Declaration(config_hash=configuration.hash, governors=configuration.governors, evidence_uri="")
    if kind is WriterKind.GATE:
        gate = deploy_gate(node, signer=key.address, governors=[governance.governor], config_hash=configuration.hash)
        log, writer = gate.log, gate.address
    else:
        log, writer = deploy_log(node), key.address
        wish = Wish(
            log=log, kind=kind, signer=key.address, operator=node.accounts[0], notice_seconds=DAY, delay_seconds=DAY,
            declaration=declaration,
        )  # fmt: skip
        chain = Chain.of([node.url])
        carry_out(chain, plan(chain, wish, key.address), Account.from_key(secret), lambda _: None)
    governance.give_power(safe.address if safe else writer, 500_000)
    settings = SignerSettings(
        rpc_urls=(SecretStr(node.url),),
        chain_id=node.rpc.chain_id(),
        log=log,
        writer=writer,
        writer_kind=kind,
        configuration=configuration,
        ruleset=ruleset,
        limits=Limits(max_gas=500_000, max_fee_per_gas=400 * GWEI, max_spend_wei=10**18, daily_wei=10**18),
        socket=folder / "run" / "signer.sock",
        memory=folder / "memory.db",
    )
    return Parliament(node, governance, key, secret, settings, folder, safe)


def heard(*words: Approval, expired: Expired | None = None) -> People:
    return People(words=words, expired=expired)


def approve(person: str = "Ada", *, expires_at: int = 1_900_000_000, vote: Vote | None = None, **parts: Any) -> Any:
    """An approval for whatever a dossier decided."""

    def made(dossier: Dossier) -> Approval:
        verdict = parts.get("verdict", "approve")
        word = answered(
            dossier, person=person, verdict=verdict, vote=vote and vote.value, expires_at=expires_at,
        )  # fmt: skip
        return word.model_copy(update=parts)

    return made


def signed(by: LocalAccount, **parts: Any) -> Any:
    """The same by a person with a key, as a wallet signs it."""

    def made(dossier: Dossier) -> Approval:
        word = approve(**{"person": by.address, **parts})(dossier)
        signature = by.sign_typed_data(full_message=answer_in(dossier, word).typed_data).signature
        return word.model_copy(update={"signature": to_hex(bytes(signature))})

    return made
