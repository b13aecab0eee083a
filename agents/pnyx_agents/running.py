"""A whole agent, from its settings to its last breath."""

from __future__ import annotations

import itertools
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from functools import partial
from typing import NoReturn

from eth_hash.auto import keccak

from pnyx_agents import assembly
from pnyx_agents.brake import Brake
from pnyx_agents.crew import CrewMember, new_name
from pnyx_agents.crier import Crier
from pnyx_agents.crowd import Crowd
from pnyx_agents.daemon import Daemon
from pnyx_agents.engine import Crew, Engine
from pnyx_agents.holds import Holds
from pnyx_agents.keys import key_source
from pnyx_agents.lock import only_instance
from pnyx_agents.logs import set_up_logging
from pnyx_agents.meter import CostMeter
from pnyx_agents.metrics import Metrics
from pnyx_agents.migration import make_workflow_tables
from pnyx_agents.model_alerts import ModelAlerts
from pnyx_agents.observing import Observer
from pnyx_agents.reviewer import Reviewer
from pnyx_agents.scribe import ChainScribe
from pnyx_agents.secret_words import scrub_environment, secrets_of
from pnyx_agents.settings import Settings, WorkSettings
from pnyx_agents.steward import Steward, Times
from pnyx_agents.telling import people_are_told
from pnyx_agents.tracing import NO_TRACES, Tracer
from pnyx_agents.upkeep import Upkeep
from pnyx_agents.vitals import Vitals, serve
from pnyx_agents.watch import Watch, watchlist
from pnyx_contracts.errors import PnyxError, RefusedError, UnreachableError, UsageError
from pnyx_tools.chain import Chain
from pnyx_tools.costs import AnswerBook, CostBook
from pnyx_tools.database import Database
from pnyx_tools.endpoints import Pool
from pnyx_tools.evidence import Vault
from pnyx_tools.follow import Finality, Position, Stream, block_since
from pnyx_tools.journal import Journal
from pnyx_tools.keystore import address_of
from pnyx_tools.notify import Message
from pnyx_tools.quorum import Quorum, reader_of
from pnyx_tools.recorder import Writer
from pnyx_tools.sender import Relay, Sender, SenderSettings
from pnyx_tools.signer.client import SignerPort, Suspendable
from pnyx_tools.signer.payload import Desk
from pnyx_tools.signer.process import SignerProcess, spawn
from pnyx_tools.workers import Roll, SharedTurns

logger = logging.getLogger("pnyx")

LOOK_AT_LOG_EVERY = 5
"""Polls."""

LOOKS_THAT_END = 2
"""In a row: so often must the log say that another writer succeeded."""


def run_agent(settings: Settings, *, json_logs: bool = True, since: str | None = None, only_work: bool = False) -> None:
    """Runs until SIGTERM or SIGINT, then ends the process. Raises `PnyxError` when it cannot start. `since`: a block
    number, or a date in ISO 8601; from there on, proposals count that are over already. `only_work`: never follow.
    """
    settings.require_means()
    set_up_logging(secrets=secrets_of(settings), as_json=json_logs)
    alone = nullcontext() if settings.database else only_instance(assembly.paths(settings).lock)
    with alone:
        with ExitStack() as stack:
            daemon = _assemble(settings, stack, since, only_work=only_work)
            code = _run(daemon, _stop_on_signals())  # until then there is nothing to finish, and a signal ends all
        logger.info("stopped")
        if daemon.crew is not None:
            _hand_over(daemon.crew)
        _leave(code)  # the lock is held to the very end


def _hand_over(crew: CrewMember) -> None:
    """The others need not wait for the lease to end."""
    try:
        crew.roll.leave()
    except PnyxError as error:
        logger.warning("the other workers will wait for this one", extra={"error": str(error)})


def _run(daemon: Daemon, stop: threading.Event) -> int:
    """The exit code. An error is logged here: nobody above could end the process in time."""
    try:
        daemon.run(stop)
    except PnyxError as error:
        logger.error("the daemon cannot go on", extra={"error": str(error)})
        return error.exit_code
    except Exception:
        logger.exception("an error that nobody foresaw")
        return 1
    return 0


def _leave(code: int) -> NoReturn:
    """At once. Threads that wait for a model, a receipt or a person would keep the process for hours; they are left
    where they are, as in a crash, and their workflows go on at the next start.
    """
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _assemble(settings: Settings, stack: ExitStack, since: str | None, *, only_work: bool) -> Daemon:
    """Every part, in the order in which they need each other; `stack` closes them."""
    where = assembly.paths(settings)
    chain_id = settings.chain.chain_id
    chain = Chain.of(settings.chain.rpc, chain_id)
    assembly.check_chain(chain, settings)
    signer, require_signer = stack.enter_context(_signer(settings))
    scrub_environment({model.key_variable for model in settings.model})
    database = Database(where.journal)
    journal = Journal(database)
    _require_begun(settings, chain, journal)
    roll = Roll(database, new_name(), settings.work.lease_seconds) if settings.database else None
    metrics, holds = Metrics(), Holds(journal.held, journal, signer if isinstance(signer, Suspendable) else None)
    if settings.metrics is not None:
        vitals = Vitals(metrics, lambda: holds.reasons, settings.chain.poll_seconds, begun_at=time.time())
        serve(vitals, settings.metrics)
    deciding = chain if settings.chain.quorum == 1 else reader_of(settings.chain.rpc, chain_id, settings.chain.quorum)
    tracer, book = _tracer(settings, stack), CostBook(database)
    meter = CostMeter(book, AnswerBook(database), settings.costs.caps, metrics, tracer)
    reviewer = assembly.reviewer(settings, deciding, signer.identity().writer if signer else None, meter)
    crier = stack.enter_context(people_are_told(settings, journal, reviewer, metrics, roll))
    vault = assembly.evidence(settings, database)
    steward = Steward.of(
        reviewer=reviewer,
        evidence=vault,
        journal=journal,
        scribe=_scribe(settings, chain, journal, reviewer, vault, signer, crier.tell, roll) if signer else None,
        tell=crier.tell,
        heard=ModelAlerts(crier.tell, book.last_answer, time.time).look,
        times=Times(
            delay=settings.agent.delay_seconds,
            margin=settings.agent.vote,
            approvals_end=settings.agent.approvals_end,
            pause=settings.chain.poll_seconds * 5,
        ),
        crowd=Crowd(journal, settings.notifications.holds_of_one, settings.notifications.holds),
        reviews_at_once=settings.work.reviews_at_once,
    )
    make_workflow_tables(journal, where.workflows)
    engine = Engine(
        steward,
        Observer(metrics, tracer),
        database=where.workflows,
        executor_id=roll.me if roll else f"pnyx-{settings.agent.name}",
        judged_by=reviewer.configuration.hash.hex(),
        crew=_crew(settings.work, roll) if roll else None,
    )
    if roll is not None:
        traits = {"agent": settings.agent.name, "salt key": keccak(reviewer.salt_key).hex()}
        roll.join(engine.version, traits)
    return Daemon(
        agent=settings.agent.name,
        reader=deciding,
        governors=reviewer.governors,
        watch=_watch(settings, chain, reviewer, journal, metrics, crier),
        journal=journal,
        engine=engine,
        mirrors=assembly.mirrors(settings),
        metrics=metrics,
        poll_seconds=settings.chain.poll_seconds,
        holds=holds,
        tell=crier.tell,
        clock_says=steward.clock_says,
        require_signer=_requirements(settings, chain, signer, require_signer),
        endpoints=chain.health,
        websocket=settings.chain.websocket,
        since_block=None if since is None else _past_block(chain, since),
        crew=CrewMember(roll, engine, may_lead=not only_work) if roll else None,
        look_after=_upkeep(settings, chain, deciding, signer, journal, holds, crier, metrics).look,
        publish=vault.publish_again if roll else lambda: None,
    )


def _require_begun(settings: Settings, chain: Chain, journal: Journal) -> None:
    """Raises `RefusedError` as `pnyx doctor` finds it. What was followed before is there, however far a node lags."""
    kept = journal.position()
    followed = 0 if kept is None else Position.model_validate_json(kept).head.number
    head = max(followed, chain.block().number)
    for governor in settings.governor:
        assembly.require_begun(governor, head)


def _past_block(chain: Chain, since: str) -> int:
    block, head = block_since(chain, since), chain.block().number
    if block > head:
        raise UsageError(f"--since {since} is later than the last block, {head}", hint="nothing is past since then")
    return block


def _tracer(settings: Settings, stack: ExitStack) -> Tracer:
    if settings.telemetry is None:
        return NO_TRACES
    from pnyx_agents.telemetry import open_telemetry

    tracer = open_telemetry(settings.telemetry.endpoint, settings.telemetry.headers, settings.agent.name)
    stack.callback(tracer.close)
    return tracer


def _upkeep(
    settings: Settings, chain: Chain, deciding: Pool | Quorum, signer: SignerPort | None, journal: Journal,
    holds: Holds, crier: Crier, metrics: Metrics,
) -> Upkeep:  # fmt: skip
    wishes = settings.notifications
    return Upkeep(
        reader=chain,
        position=journal.position,
        signer_is_silent=lambda: holds.unknown,
        key=signer.identity().key_address if signer else None,
        untold=crier.ledger.counts,
        places=[place.name for place in crier.places],
        outvoted=lambda: chain.outvoted() | deciding.outvoted(),
        tell=crier.tell,
        metrics=metrics,
        least_votes=wishes.gas_votes,
        behind_seconds=None if wishes.behind_minutes is None else wishes.behind_minutes * 60,
    )


def _crew(work: WorkSettings, roll: Roll) -> Crew:
    return Crew(roll.require_there, work.reviews_at_once, work.reviews_in_all, work.tasks_per_minute)


def _stop_on_signals() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


@contextmanager
def _signer(settings: Settings) -> Iterator[tuple[SignerPort | None, Callable[[], None]]]:
    """The signer: a child with the key when the configuration says where the key is, else one that runs already.

    And what raises when it is gone for good: a signer apart may come back, a child will not.
    """
    if settings.signer is None:
        yield None, lambda: None
    elif settings.signer.is_child:
        with _spawned(settings) as child:
            yield child.client, partial(_require_running, child)
    else:
        yield assembly.signer(settings), lambda: None


def _spawned(settings: Settings) -> SignerProcess:
    """In a function of its own, so that the password is not kept in this process."""
    source = key_source(settings)
    return spawn(assembly.signer_settings(settings, address_of(source)), source)


def _requirements(
    settings: Settings, chain: Chain, signer: SignerPort | None, require_signer: Callable[[], None]
) -> Callable[[], None]:
    """What is asked at each poll; of the chain less often."""
    writer = signer.identity().writer if signer else None
    polls, looks_that_said_no = itertools.count(), 0

    def require() -> None:
        nonlocal looks_that_said_no
        require_signer()
        if settings.log is None or writer is None or next(polls) % LOOK_AT_LOG_EVERY:
            return
        try:
            assembly.check_open(chain, settings.log.address, writer)
            looks_that_said_no = 0
        except RefusedError:  # one answer may be a lie
            looks_that_said_no += 1
            if looks_that_said_no == LOOKS_THAT_END:
                raise
        except PnyxError:  # an endpoint that fails, or talks nonsense, is asked again soon
            pass

    return require


def _require_running(signer: SignerProcess) -> None:
    if not signer.is_running():
        raise UnreachableError("the signer ended by itself", hint="its last log lines say why; start the agent again")


def _scribe(
    settings: Settings,
    chain: Chain,
    journal: Journal,
    reviewer: Reviewer,
    vault: Vault,
    signer: SignerPort,
    tell: Callable[[Message], None],
    roll: Roll | None,
) -> ChainScribe:
    assert settings.signer is not None
    identity = signer.identity()
    if identity.config_hash != reviewer.configuration.hash:
        raise RefusedError(
            "the signer was started with another configuration than this daemon",
            hint="what both declare (mode, rules, models, approvers) must be the same; then restart who was wrong",
        )
    assembly.check_declared(chain, settings, identity.writer)
    limits = settings.signer.limits
    sender = Sender(
        chain,
        Brake(signer, journal.held),
        identity.key_address,
        journal,
        SenderSettings(
            max_fee_per_gas=limits.max_fee_per_gas,
            vote_wei=limits.max_spend_wei,
            daily_wei=limits.daily_wei,
            poll_seconds=min(3, settings.chain.poll_seconds),
            replace_after_seconds=settings.sending.replace_after_seconds,
            public_after_blocks=settings.sending.public_after_blocks,
        ),
        relays=tuple(Relay(url) for url in settings.sending.relays),
        tell=tell,
        turns=SharedTurns(roll, identity.key_address) if roll else None,
    )
    desk = Desk(identity.writer_kind, identity.writer, identity.log, identity.safe)
    owners = assembly.owners(settings, chain, journal, signer)
    writer = Writer(reviewer.reader, sender, desk, _finality(settings), owners)
    return ChainScribe(writer, reviewer.governors, journal, vault.bundle)


def _watch(
    settings: Settings,
    chain: Chain,
    reviewer: Reviewer,
    journal: Journal,
    metrics: Metrics,
    crier: Crier,
) -> Watch:
    watched = watchlist(reviewer.governors)
    return Watch(
        reader=chain,
        council=chain.council,
        watchlist=watched,
        stream=Stream(
            chain, watched.topics, watched.addresses, finality=_finality(settings), council=chain.council
        ),
        journal=journal,
        metrics=metrics,
        tell=crier.tell,
    )  # fmt: skip


def _finality(settings: Settings) -> Finality:
    return "finalized" if settings.chain.confirmations is None else settings.chain.confirmations
