"""A whole agent, from its settings to its last breath."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from pnyx_agents import assembly
from pnyx_agents.daemon import Crier, Daemon
from pnyx_agents.engine import Engine
from pnyx_agents.keys import key_source
from pnyx_agents.lock import only_instance
from pnyx_agents.logs import set_up_logging
from pnyx_agents.metrics import Metrics
from pnyx_agents.reviewer import Reviewer
from pnyx_agents.scribe import ChainScribe
from pnyx_agents.settings import Settings
from pnyx_agents.steward import Steward
from pnyx_contracts.errors import RefusedError
from pnyx_tools.chain import Chain
from pnyx_tools.follow import Finality, Follower
from pnyx_tools.journal import Journal
from pnyx_tools.keystore import address_of
from pnyx_tools.recorder import Writer
from pnyx_tools.rpc import Rpc
from pnyx_tools.sender import Sender, SenderSettings
from pnyx_tools.signer.client import SignerPort
from pnyx_tools.signer.payload import Desk
from pnyx_tools.signer.process import spawn

SECRET_PARTS = ("KEY", "SECRET", "TOKEN", "PASSWORD")


def run_agent(settings: Settings, *, json_logs: bool = True) -> None:
    """Runs until SIGTERM or SIGINT."""
    settings.require_means()
    set_up_logging(secrets=_secrets(settings), as_json=json_logs)
    where = assembly.paths(settings)
    with ExitStack() as stack:
        stack.enter_context(only_instance(where.lock))
        stopped = _stop_on_signals()
        chain = Chain(settings.chain.rpc)
        assembly.check_chain(chain, settings)
        signer = stack.enter_context(_signer(settings))
        scrub_environment({model.key_variable for model in settings.model})
        journal = Journal(where.journal)
        stack.callback(journal.close)
        metrics = Metrics()
        if settings.metrics is not None:
            metrics.serve(settings.metrics)
        crier = Crier(journal, assembly.notifiers(settings), metrics)
        identity = signer.identity() if signer else None
        reviewer = assembly.reviewer(settings, chain, identity.writer if identity else None)
        scribe = _scribe(settings, chain, journal, reviewer, signer) if signer else None
        steward = Steward(
            reviewer=reviewer,
            evidence=assembly.evidence(settings),
            journal=journal,
            scribe=scribe,
            tell=crier.tell,
            delay_seconds=settings.agent.delay_seconds,
            patience_seconds=settings.chain.poll_seconds * 5,
        )
        daemon = Daemon(
            agent=settings.agent.name,
            reader=chain,
            governors=reviewer.governors,
            followers=_followers(settings, chain, reviewer),
            journal=journal,
            engine=Engine(steward, database=where.workflows, executor_id=f"pnyx-{settings.agent.name}"),
            metrics=metrics,
            tell=crier.tell,
            poll_seconds=settings.chain.poll_seconds,
        )
        daemon.run(stopped)


def _stop_on_signals() -> Any:  # noqa: ANN401 - a waiter: a function that returns when it is time to stop
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop.wait


@contextmanager
def _signer(settings: Settings) -> Iterator[SignerPort | None]:
    """The signer: a child with the key when the configuration says where the key is, else one that runs already."""
    if settings.signer is None:
        yield None
    elif settings.signer.is_child:
        source = key_source(settings)
        with spawn(assembly.signer_settings(settings, address_of(source)), source) as child:
            yield child.client
    else:
        yield assembly.signer(settings)


def _scribe(settings: Settings, chain: Chain, journal: Journal, reviewer: Reviewer, signer: SignerPort) -> ChainScribe:
    assert settings.signer is not None
    identity = signer.identity()
    if identity.config_hash != reviewer.configuration.hash:
        raise RefusedError(
            "the signer was started with another configuration than this daemon", hint="restart the signer"
        )
    assembly.check_declared(chain, settings, identity.writer)
    sender = Sender(
        chain,
        signer,
        identity.key_address,
        journal,
        SenderSettings(
            max_fee_per_gas=settings.signer.max_fee_per_gas_wei,
            daily_wei=settings.signer.daily_spend_wei,
            poll_seconds=min(3, settings.chain.poll_seconds),
        ),
    )
    desk = Desk(writer_kind=identity.writer_kind, writer=identity.writer, log=identity.log)
    return ChainScribe(Writer(chain, sender, desk), reviewer.governors)


def _followers(settings: Settings, chain: Chain, reviewer: Reviewer) -> dict[str, Follower]:
    second = Rpc(settings.chain.second_rpc) if settings.chain.second_rpc else None
    finality: Finality = "finalized" if settings.chain.confirmations is None else settings.chain.confirmations
    return {
        address: Follower(
            chain, governed.adapter, governed.profile, start_block=governed.start_block, finality=finality,
            second_reader=second,
        )
        for address, governed in reviewer.governors.items()
    }  # fmt: skip


def scrub_environment(needed: Collection[str]) -> None:
    """Takes secrets that this process does not need out of its environment: it talks to models and runs plugins."""
    for name in list(os.environ):
        if name not in needed and any(part in name.upper() for part in SECRET_PARTS):
            del os.environ[name]


def _secrets(settings: Settings) -> list[str]:
    """Strings that must not show in a log line: keys from the environment, the parts of URLs that carry keys."""
    urls = [settings.chain.rpc, settings.chain.second_rpc or "", settings.signer.rpc or "" if settings.signer else ""]
    named = [value for name, value in os.environ.items() if any(part in name.upper() for part in SECRET_PARTS)]
    return named + [url for url in urls if "@" in url or url.count("/") > 3]
