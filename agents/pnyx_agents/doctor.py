"""What `pnyx doctor` looks at. Each check says what it found and, when it fails, what to do."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial

from pnyx_agents.assembly import (
    analysts,
    check_chain,
    check_declared,
    check_open,
    checks,
    declared_configuration,
    evidence,
    govern,
    mirrors,
    paths,
    require_begun,
    signer,
    signer_settings,
    tools,
)
from pnyx_agents.compared import compared
from pnyx_agents.examination import Result, certificate_of, followed, money_of, priced, tried, written
from pnyx_agents.keys import key_source
from pnyx_agents.reviewer import Governed
from pnyx_agents.settings import GovernorSettings, Settings
from pnyx_agents.telling import places
from pnyx_contracts.artifacts import artifact
from pnyx_contracts.decision_log import read_gate_account, read_governor_allowed, read_state, read_votes_paused
from pnyx_contracts.entry import WriterState
from pnyx_contracts.errors import PnyxError, RefusedError, UnreachableError, UsageError
from pnyx_contracts.types import Address, to_hex
from pnyx_policies.decision import Mode
from pnyx_tools.atomic import require_atomic
from pnyx_tools.clock import clock_at
from pnyx_tools.database import Database
from pnyx_tools.endpoints import LAG_BLOCKS, Pool
from pnyx_tools.evidence import Mirror
from pnyx_tools.fork import Fork
from pnyx_tools.keystore import open_key
from pnyx_tools.model import ModelSettings
from pnyx_tools.quorum import reader_of
from pnyx_tools.reader import MethodMissingError, WrongChainError
from pnyx_tools.rpc import Rpc
from pnyx_tools.safe.reading import read_safe
from pnyx_tools.sender.delivery import Relay
from pnyx_tools.signer.client import Suspendable
from pnyx_tools.signer.protocol import Identity


def _other_chain(endpoint: Rpc, chain_id: int) -> str:
    found = endpoint.chain_id()
    if found != chain_id:
        raise WrongChainError("chain.other", found, chain_id)
    return f"{found}, where messages are simulated at block {endpoint.block().number}"


class Doctor:
    """Looks at everything that the configuration names; later checks rest on earlier ones."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        chain = settings.chain
        self.reader = Pool.of(chain.rpc) if chain.quorum == 1 else reader_of(chain.rpc, chain.chain_id, chain.quorum)
        self.governed: list[Governed] = []
        self.writer: Address | None = settings.log.writer if settings.log else None
        self.identity: Identity | None = None
        self.key: Address | None = None

    def examine(self) -> Iterator[Result]:
        """All checks, in order; an endpoint that does not answer ends them."""
        first = tried("rpc", lambda: f"block {self.reader.block().number}", "correct chain.rpc, or start the node")
        yield first
        if first.status == "failed":
            return
        yield tried("mode", self._mode, "see docs/running.md")
        mode = self.settings.agent.mode
        if self.settings.agent.delay_seconds and mode is not Mode.AUTONOMOUS and self.settings.safe is None:
            yield Result(
                name="veto time", status="warning", found=f"delay_seconds does nothing in mode {mode.value!r}",
                do="leave it out: no vote is cast there without people",
            )  # fmt: skip
        for url in self.settings.chain.rpc:
            endpoint = Rpc(url)
            yield tried(f"chain id of {endpoint.display_url}", partial(self._chain, endpoint), "correct chain.rpc")
        if len(self.settings.chain.rpc) == 1:
            yield Result(
                name="second endpoint", status="warning", found="none: what one endpoint hides, nobody notices",
                do="name two or more in chain.rpc",
            )  # fmt: skip
        yield from self._other_chains()
        yield from self._simulation()
        yield from self._governors()
        yield from followed("prices", lambda: priced(self.reader, [price.origin() for price in self.settings.price]))
        yield tried("ruleset", self._ruleset, "see docs/rulesets.md")
        yield tried("plugins", self._plugins, "see docs/plugins.md")
        yield tried("data folder", lambda: written(paths(self.settings).data), "make it writable")
        yield tried("database", self._database, "see docs/scaling.md")
        yield tried("evidence folder", self._evidence, "make it writable, or change evidence.folder")
        yield from self._mirrors()
        yield from self._models()
        if self.settings.signer is not None:
            if self.settings.signer.connect is not None and self.settings.signer.tls is not None:
                yield certificate_of(self.settings.tls_files(self.settings.signer.tls))
            yield tried("signer", self._signer, "start it with `pnyx signer`, or name a keystore in [signer]")
            yield from followed("signer balance", self._money)
        if self.settings.log is not None:
            yield tried("decision log", self._log, "pnyx deploy puts one on the chain")
            yield from followed("registration", self._registration)
            if self.settings.safe is not None:
                yield from followed("safe", self._safe)
            yield from followed("voting power", self._power)

    def _chain(self, endpoint: Rpc) -> str:
        check_chain(endpoint, self.settings)
        behind = self.reader.block().number - endpoint.block().number
        return f"{self.settings.chain.chain_id}" + (f", {behind} blocks behind" if behind > LAG_BLOCKS else "")

    def _other_chains(self) -> Iterator[Result]:
        for other in self.settings.chain.other:
            for endpoint in map(Rpc, other.rpc):
                look = partial(_other_chain, endpoint, other.chain_id)
                yield tried(f"chain id of {endpoint.display_url}", look, "correct chain.other")

    def _database(self) -> str:
        database = Database(paths(self.settings).journal)
        try:
            return database.name
        finally:
            database.close()

    def _mode(self) -> str:
        self.settings.require_means()
        on_chain = self.settings.log is not None and self.settings.signer is not None
        who = "the owners of a Safe cast" if self.settings.safe else "a person approves"
        what = {
            Mode.OBSERVE: "decides, never votes",
            Mode.PROPOSE: f"{who} each vote",
            Mode.AUTONOMOUS: "votes when the rules say so",
        }[self.settings.agent.mode]
        return f"{self.settings.agent.mode.value}: {what}{'' if on_chain else '; nothing goes to the chain'}"

    def _ruleset(self) -> str:
        ruleset = self.settings.ruleset()
        return f"{self.settings.policy.ruleset}, rules: {len(ruleset.rules)}, hash 0x{ruleset.hash.hex()}"

    def _simulation(self) -> Iterator[Result]:
        """An empty request may be refused: then the method is there."""
        for method, params in (("eth_simulateV1", [{"blockStateCalls": []}]), ("debug_traceCall", [{}])):
            try:
                self.reader.request(method, [*params, "latest"])
            except MethodMissingError:
                continue
            except PnyxError:
                pass
            yield Result(name="simulation", status="ok", found=method)
            return
        if self.settings.chain.fork:
            yield tried("simulation", partial(self._forked, self.settings.chain.fork), "see docs/checks.md")
            return
        yield Result(
            name="simulation", status="warning",
            found="the node has neither eth_simulateV1 nor debug_traceCall: it cannot simulate",
            do="use a node that has the first (geth, reth, nethermind, anvil), or set chain.fork; rules hold more "
            "without it",
        )  # fmt: skip

    def _forked(self, url: str) -> str:
        block = self.reader.block("latest")
        with Fork(url).at(block):
            return f"on a fork, at block {block.number}"

    def _governors(self) -> Iterator[Result]:
        for governor in self.settings.governor:
            yield tried(f"governor {governor.address}", partial(self._governor, governor), "see docs/governors.md")
        if len(self.settings.chain.rpc) > 1:
            yield from compared([Rpc(url) for url in self.settings.chain.rpc], self.governed)

    def _governor(self, governor: GovernorSettings) -> str:
        governed = govern(self.reader, self.settings, [governor])[governor.address]
        self.governed.append(governed)
        profile = governed.profile
        if not profile.can_vote and self.settings.agent.mode is not Mode.OBSERVE:
            raise PnyxError(
                f"{profile.name}: {profile.cannot_vote_because}", hint="only observe mode makes sense for this governor"
            )
        head = self.reader.block()
        require_begun(governor, head.number)
        timelock = f"timelock {profile.timelock}" if profile.timelock else "no timelock"
        now = clock_at(self.reader, profile, head)
        votes = "" if profile.can_vote else f"; cannot be voted on: {profile.cannot_vote_because}"
        return f"{profile.name} ({profile.kind}, {profile.clock_mode.value} clock at {now}, {timelock}){votes}"

    def _plugins(self) -> str:
        """Made as `pnyx run` makes them, so that what is broken shows here first."""
        parts = {"checks": checks, "context tools": tools, "notifiers": places}
        return ", ".join(f"{what}: {len(make(self.settings))}" for what, make in parts.items())

    def _evidence(self) -> str:
        folder = self.settings.published
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"{folder} cannot be made: {error.strerror}") from None
        return written(folder)

    def _mirrors(self) -> Iterator[Result]:
        try:
            for mirror in mirrors(self.settings):
                yield from followed(f"mirror {mirror.name}", partial(self._mirror, mirror))
        except UsageError as error:
            yield Result(name="mirrors", status="failed", found=error.message, do=error.hint)

    def _mirror(self, mirror: Mirror) -> Iterator[Result]:
        name, missing = f"mirror {mirror.name}", len(mirror.missing())
        if missing:
            yield Result(name=name, status="warning", found=f"{missing} file(s) are not there", do="pnyx publish")
        else:
            yield Result(name=name, status="ok", found="has everything that is in the evidence folder")

    def _models(self) -> Iterator[Result]:
        if not self.settings.model:
            yield Result(name="model", status="ok", found="none: the outline analyst, no language model, advises hold")
            return
        opened = tried(
            "model", lambda: ", ".join(a.describe().seat for a in analysts(self.settings)),
            "set the environment variable that api_key_env names",
        )  # fmt: skip
        yield opened
        if opened.status == "ok":
            for model in self.settings.model:
                yield tried(f"model endpoint {model.describe().name}", partial(_reach, model), "see docs/models.md")

    def _signer(self) -> str:
        assert self.settings.signer is not None
        if self.settings.signer.is_child and not self.settings.path(self.settings.signer.socket).exists():
            key = open_key(key_source(self.settings)).address
            self.key, self.writer = key, self.writer or key
            return f"key {key}; not running, `pnyx run` starts it"
        self.identity = signer(self.settings).identity()
        self.writer = self.identity.writer
        expected = signer_settings(self.settings, self.identity.key_address)
        if self.identity.config_hash != expected.configuration.hash:
            raise PnyxError("the signer was started with another configuration than this file", hint="restart it")
        self.key = self.identity.key_address
        port = signer(self.settings)
        if isinstance(port, Suspendable) and (why := port.standing().held):
            raise PnyxError(f"it signs no votes: {why}", hint="pnyx resume; or whoever paused them on chain")
        return f"key {self.identity.key_address}, writer {self.identity.writer} ({self.identity.writer_kind.value})"

    def _money(self) -> Iterator[Result]:
        if self.key is not None and self.settings.signer is not None:
            enough = self.settings.notifications.gas_votes
            yield from money_of(self.reader, self.key, enough, self.settings.signer.limits)
        for number, url in enumerate(self.settings.sending.relays, start=1):
            yield tried(f"relay {number}", partial(_relay, url), "see docs/sending.md")

    def _log(self) -> str:
        assert self.settings.log is not None
        if artifact("DecisionLog").immutables_of(self.reader.code(self.settings.log.address)) is None:
            raise PnyxError(f"the code at {self.settings.log.address} is not our DecisionLog")
        return self.settings.log.address

    def _registration(self) -> Iterator[Result]:
        assert self.settings.log is not None
        if self.writer is None:
            return
        log, writer = self.settings.log.address, self.writer
        state = self.reader.read(read_state(log, writer))
        if not state.registered:
            yield Result(name="registration", status="failed", found=f"{writer} is not registered", do="pnyx deploy")
            return
        yield tried("registration", partial(self._standing, state), "run the agent of the new writer")
        yield tried("configuration", self._configuration, "pnyx deploy announces a change")
        if self.settings.log.writer is not None:
            yield from self._gate(writer)
        elif self.settings.log.atomic:
            yield tried("atomic account", partial(self._atomic, writer), "pnyx deploy --atomic delegates it")

    def _standing(self, state: WriterState) -> str:
        assert self.settings.log is not None
        assert self.writer is not None
        check_open(self.reader, self.settings.log.address, self.writer)
        return f"{self.writer}, entries so far: {state.seq}"

    def _configuration(self) -> str:
        """Raises when `pnyx run` would refuse it, or when members could not read it."""
        assert self.writer is not None
        check_declared(self.reader, self.settings, self.writer)
        declared = declared_configuration(self.settings).hash
        if evidence(self.settings).get_configuration(declared) is None:
            raise PnyxError(
                f"{to_hex(declared)} is in force, and its file is not in the evidence folder",
                hint="bring it back from a backup: members cannot check decisions without it",
            )
        return f"{to_hex(declared)} is the one in force"

    def _gate(self, gate: Address) -> Iterator[Result]:
        signs = self.reader.read(read_gate_account(gate, "signer"))
        if self.key is not None and signs != self.key:
            yield Result(
                name="gate", status="failed", found=f"its signer is {signs}, the key here is {self.key}",
                do="name the right keystore in [signer]; or the operator announces the new key (announceSigner)",
            )  # fmt: skip
        if self.reader.read(read_votes_paused(gate)):
            yield Result(name="gate", status="failed", found="votes are paused by the guardian", do="ask the guardian")
        for governed in self.governed:
            address = governed.profile.address
            if not self.reader.read(read_governor_allowed(gate, address)):
                yield Result(
                    name="gate", status="failed", found=f"the gate does not allow {address}",
                    do="the operator announces it (announceGovernor), then activates it after the delay",
                )  # fmt: skip

    def _atomic(self, account: Address) -> str:
        assert self.settings.log is not None
        require_atomic(self.reader, account, self.settings.log.address)
        return f"{account} runs AtomicAccount (EIP-7702)"

    def _safe(self) -> Iterator[Result]:
        assert self.settings.safe is not None
        safe = read_safe(self.reader, self.settings.safe.address)
        found = f"{safe.address}, version {safe.version}, {safe.threshold} of {len(safe.owners)} owners sign"
        yield Result(name="safe", status="ok", found=found)
        for caution in safe.cautions:
            do = "what members are told about this Safe should say so"
            yield Result(name="safe", status="warning", found=caution, do=do)
        if self.key in safe.owners:
            yield Result(
                name="safe", status="failed", found=f"the agent's key {self.key} is one of its owners",
                do="take it out: the agent must have no power over the Safe",
            )  # fmt: skip

    def _power(self) -> Iterator[Result]:
        voter = self.settings.safe.address if self.settings.safe else self.writer
        if voter is None or self.settings.agent.mode is Mode.OBSERVE:
            return
        for governed in self.governed:
            adapter, profile = governed.adapter, governed.profile
            now = clock_at(self.reader, profile, self.reader.block())
            power = self.reader.read(adapter.read_voting_power(profile, voter, now - 1))
            status = "ok" if power else "warning"
            yield Result(
                name="voting power", status=status, found=f"{power} in {profile.address}",
                do="" if power else f"delegate to {voter}: without voting power every proposal is skipped",
            )  # fmt: skip


def _relay(url: str) -> str:
    """It is not asked: many answer nothing but transactions."""
    return f"{Relay(url)}"


def _reach(model: ModelSettings) -> str:
    """Asks for the list of models, which costs nothing. Other providers than OpenAI-compatible ones are not asked."""
    import httpx

    if not model.url:
        return "not looked at: only its library knows the address"
    key = os.environ.get(model.key_variable, "") if model.key_variable else ""
    try:
        answer = httpx.get(f"{model.url}/models", headers={"authorization": f"Bearer {key}"} if key else {}, timeout=10)
    except httpx.HTTPError as error:
        raise UnreachableError(f"{model.describe().base_url_host} does not answer: {type(error).__name__}") from None
    if answer.status_code in {401, 403}:
        raise RefusedError(f"the endpoint refuses the key in {model.key_variable}", hint="check the key")
    if answer.status_code == 200 and model.model not in answer.text:
        raise UsageError(f"the endpoint does not list the model {model.model!r}", hint="check [[model]] model")
    return f"{model.describe().base_url_host} answers ({answer.status_code})"
