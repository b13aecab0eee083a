"""From settings to parts: here names in ``pnyx.toml`` become objects; those that tell people, in `telling`."""

from __future__ import annotations

import os
import pwd
import secrets
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.metadata import version
from pathlib import Path

from pydantic import SecretStr

from pnyx_agents.analyst import AnalystPort, Meter, ModelAnalyst
from pnyx_agents.hearing import require_about
from pnyx_agents.outline import OutlineAnalyst
from pnyx_agents.reviewer import Governed, Reviewer
from pnyx_agents.settings import SOCKET, GovernorSettings, LogSettings, Settings
from pnyx_agents.settings import SignerSettings as OwnSigner
from pnyx_contracts.decision_log import read_state
from pnyx_contracts.errors import RefusedError, UsageError
from pnyx_contracts.governors import GovernorAdapter
from pnyx_contracts.types import Address
from pnyx_policies.approval import require_word
from pnyx_policies.checks import Check, builtin_checks
from pnyx_policies.configuration import Configuration
from pnyx_policies.dossier import Approval, Dossier
from pnyx_policies.outline import OUTLINE
from pnyx_policies.prompt import templates_hash
from pnyx_tools import plugins
from pnyx_tools.context import ContextTool, builtin_tools
from pnyx_tools.database import Database
from pnyx_tools.detect import detect, questions_of
from pnyx_tools.endpoints import Pool
from pnyx_tools.evidence import DatabaseStore, FolderStore, Mirror, SharedVault, Vault, open_mirrors
from pnyx_tools.evidence.folder import PRIVATE
from pnyx_tools.files import require_own_folder, require_private, write_secret
from pnyx_tools.fork import Fork
from pnyx_tools.journal import batched
from pnyx_tools.model import LangChainModel
from pnyx_tools.pinned import MOST_ANSWERS, PinnedReader
from pnyx_tools.reader import ChainReader, WrongChainError
from pnyx_tools.registration import require_in_force
from pnyx_tools.safe.owners import Owners, Service
from pnyx_tools.safe.reading import read_safe
from pnyx_tools.safe.service import TransactionService
from pnyx_tools.sender import OutboxPort
from pnyx_tools.signer.client import SafeSignerPort, SignerPort, TlsWay, Way
from pnyx_tools.signer.policy import closed
from pnyx_tools.signer.settings import OtherChain, SignerSettings, TlsListening, WriterKind
from pnyx_tools.signer.tls import TlsPlace

SALT_KEY_BYTES = 32

DETECTED_TOGETHER = 50
"""Governors: the code of each is held in memory meanwhile."""


def analysts(
    settings: Settings, meter: Meter | None = None, environ: Mapping[str, str] = os.environ
) -> tuple[AnalystPort, ...]:
    """The committee; without any ``[[model]]`` the outline analyst, which is no language model. `meter` counts what it
    costs; None counts nothing. API keys are in `environ`.
    """
    if not settings.model:
        return (OutlineAnalyst(),)
    if any(model.tools for model in settings.model):
        _require_enabled_tools(settings)
    opened = [LangChainModel(model, environ) for model in settings.model]
    return tuple(ModelAnalyst(model, meter, seat=seat) for model in opened for seat in model.settings.seats)


def _require_enabled_tools(settings: Settings) -> None:
    """A model may call context tools that run, and no others. Raises `UsageError` with the nearest name."""
    enabled = [tool.name for tool in tools(settings)]
    for model in settings.model:
        for name in model.tools:
            if name not in enabled:
                near = get_close_matches(name, enabled, n=1)
                raise UsageError(
                    f"the model {model.model!r} may call {name!r}, which is no enabled context tool; enabled are "
                    f"{', '.join(enabled)}",
                    hint=f"did you mean {near[0]!r}?" if near else "plugins.tools enables the tools of other packages",
                )


def checks(settings: Settings) -> tuple[Check, ...]:
    """The built-in checks, and the plugins that the file names. Raises `UsageError` when one of those has another
    version than the one that is declared.
    """
    found: list[Check] = plugins.enabled("pnyx.checks", settings.policy.checks)
    _require_declared_versions("policy.checks", "check", found, settings.policy.checks)
    return tuple(found)


def _require_declared_versions(
    where: str, what: str, found: Iterable[Check | ContextTool], declared: Mapping[str, str]
) -> None:
    for plugin in found:
        version = declared.get(plugin.name, plugin.version)
        if plugin.version != version:
            raise UsageError(
                f"{where} names version {version!r} of the {what} {plugin.name!r}, installed is {plugin.version!r}",
                hint=f"install that version, or write the new one into {where} and announce it with `pnyx deploy`",
            )


def tools(settings: Settings) -> tuple[ContextTool, ...]:
    """The built-in context tools, and the plugins that the file names. Raises `UsageError` as `checks` does."""
    found: list[ContextTool] = plugins.enabled("pnyx.tools", settings.plugins.tools)
    _require_declared_versions("plugins.tools", "context tool", found, settings.plugins.tools)
    return tuple(found)


def signer(settings: Settings) -> SignerPort:
    """The way to a signer that runs already: ours behind its socket, or a plugin's. Needs ``[signer]``."""
    own = settings.signer
    assert own is not None
    options = {"way": _way_to_signer(settings, own), **own.options} if own.kind == SOCKET else own.options
    port: SignerPort = plugins.find("pnyx.signers", own.kind).create(options)
    return port


def _way_to_signer(settings: Settings, own: OwnSigner) -> Path | Way:
    if own.listen is not None:
        raise UsageError(
            f"this configuration is a signer's: it listens at {own.listen}",
            hint="the daemon's own says connect instead of listen",
        )
    if own.connect is None or own.tls is None:
        return settings.path(own.socket)
    return TlsWay(TlsPlace.parse(own.connect), settings.tls_files(own.tls))


def declared_configuration(settings: Settings) -> Configuration:
    """What this agent declares about itself; its hash stands in the registration. Loads no plugin: the signer asks."""
    return Configuration(
        agent=settings.agent.name,
        mode=settings.agent.mode,
        governors=tuple(g.address for g in settings.governor),
        analysts=tuple(seat for model in settings.model for seat in model.seats) or (OUTLINE,),
        prompt_hash=templates_hash(),
        ruleset_hash=settings.ruleset().hash,
        checks={check.name: check.version for check in builtin_checks()} | settings.policy.checks,
        tools={tool.name: tool.version for tool in builtin_tools()} | settings.plugins.tools,
        known_addresses=settings.addresses,
        interfaces=settings.interfaces(),
        probes=tuple(probe.probe() for probe in settings.probe),
        prices=tuple(price.origin() for price in settings.price),
        approvers=settings.signer.approvers if settings.signer else (),
        approvals=settings.signer.approvals if settings.signer else 1,
        unsafe_unsigned_approvals=settings.signer is not None and settings.signer.unsafe_unsigned_approvals,
        sealed=settings.evidence.sealed,
        safe=settings.safe.address if settings.safe else None,
        software=f"pnyx {version('pnyx')}",
    )


def govern(reader: ChainReader, settings: Settings, governors: Sequence[GovernorSettings]) -> dict[Address, Governed]:
    """Detects them, in few requests. Raises `UnknownEncodingError` or `UsageError` for the first that is no governor:
    nothing is voted on by guessing.
    """
    adapters: list[GovernorAdapter] = plugins.enabled("pnyx.governors", settings.plugins.governors)
    governed: dict[Address, Governed] = {}
    for some in batched([(governor, _adapters_for(governor, adapters)) for governor in governors], DETECTED_TOGETHER):
        look = PinnedReader(reader, latest_stands=True, most_answers=DETECTED_TOGETHER * MOST_ANSWERS)
        look.ask_ahead([question for governor, those in some for question in questions_of(governor.address, those)])
        for governor, those in some:
            adapter, profile = detect(look, governor.address, those)
            governed[governor.address] = Governed(adapter, profile, governor.start_block, governor.treasury_assets)
    return governed


def require_begun(governor: GovernorSettings, head: int) -> None:
    """`head`: the last block of the chain. Raises `RefusedError` while the governor's first block is still to come."""
    if governor.start_block > head:
        raise RefusedError(
            f"governor {governor.address}: start_block is {governor.start_block}, the chain is at {head}: no proposal "
            "counts until then",
            hint="name the block from which on its proposals are the agent's business",
        )


def _adapters_for(governor: GovernorSettings, enabled: Sequence[GovernorAdapter]) -> Sequence[GovernorAdapter]:
    found = [adapter for adapter in enabled if governor.kind in {None, adapter.kind}]
    if governor.kind is not None and not found:
        raise UsageError(
            f"governor {governor.address}: no enabled adapter has the kind {governor.kind!r}",
            hint="plugins.governors enables one; `pnyx tools` lists what is installed",
        )
    return found


def check_chain(reader: ChainReader, settings: Settings) -> None:
    """The node must serve the chain that the file names. Raises `WrongChainError`: the file may be wrong, or an
    endpoint for a while, and nobody can tell from here.
    """
    found = reader.chain_id()
    if found != settings.chain.chain_id:
        raise WrongChainError("chain.rpc", found, settings.chain.chain_id)


def reviewer(settings: Settings, reader: ChainReader, writer: str | None, meter: Meter | None = None) -> Reviewer:
    """Everything up to the record."""
    check_chain(reader, settings)
    return Reviewer(
        configuration=declared_configuration(settings),
        reader=reader,
        governors=govern(reader, settings, settings.governor),
        ruleset=settings.ruleset(),
        checks=checks(settings),
        analysts=analysts(settings, meter),
        tools=tools(settings),
        log=settings.log.address if settings.log else None,
        writer=writer,
        voter=settings.safe.address if settings.safe else writer,
        salt_key=salt_key(settings.data / "salt.key"),
        known_addresses=settings.addresses,
        fork=Fork(settings.chain.fork) if settings.chain.fork else None,
        others={other.chain_id: Pool.of(other.rpc, other.chain_id) for other in settings.chain.other},
    )


def writer_of(settings: Settings, key_address: str) -> str:
    """The gate, or the signer's own account."""
    return (settings.log.writer if settings.log else None) or key_address


def writer_kind(log: LogSettings) -> WriterKind:
    """Said in the file, never guessed from the chain: an account that lost its code must not vote in another way."""
    if log.atomic:
        return WriterKind.ATOMIC
    return WriterKind.GATE if log.writer else WriterKind.PLAIN_KEY


def check_open(reader: ChainReader, log: str, writer: str) -> None:
    """A writer that another one succeeded writes nothing any more. Raises `RefusedError`."""
    if reader.read(read_state(log, writer)).closed:
        raise closed()


def check_declared(reader: ChainReader, settings: Settings, writer: str) -> None:
    """The writer is open, and this configuration is in force. Raises `RefusedError`."""
    assert settings.log is not None
    log = settings.log
    check_open(reader, log.address, writer)
    require_in_force(reader, log.address, writer, declared_configuration(settings).hash, log.start_block)


def owners(settings: Settings, chain: ChainReader, outbox: OutboxPort, signer: SignerPort) -> Owners | None:
    """Of the Safe that votes. Raises `UsageError` for what is no known Safe, and for a signer that cannot propose."""
    safe = settings.safe
    if safe is None:
        return None
    read_safe(chain, safe.address)
    if safe.service is None:
        return Owners(safe.address, outbox)
    if not isinstance(signer, SafeSignerPort):
        raise UsageError(
            f"the signer plugin {settings.signer and settings.signer.kind!r} proposes nothing to a Safe",
            hint="leave [safe] service out, and hand the owners what `pnyx safe show` gives",
        )
    service = TransactionService(safe.service, safe.service_key)
    return Owners(safe.address, outbox, Service(service, signer, signer.identity().key_address))


def salt_key(path: Path) -> bytes:
    """The master key of the salts: made at first use, kept apart from the bundles, part of the backup."""
    if not path.exists():
        with suppress(FileExistsError):  # by another process of this agent, at the same moment
            write_secret(path, secrets.token_hex(SALT_KEY_BYTES))
    require_private(path, "salt key")
    try:
        key = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except (OSError, ValueError) as error:
        raise UsageError(f"the salt key {path} cannot be read: {type(error).__name__}") from None
    if len(key) != SALT_KEY_BYTES:
        raise UsageError(f"the salt key {path} has {len(key)} bytes, expected {SALT_KEY_BYTES}")
    return key


def signer_settings(settings: Settings, key_address: str) -> SignerSettings:
    """What the signer judges by: read from the operator's file when the signer starts, never sent by the daemon."""
    if settings.log is None or settings.signer is None:
        raise UsageError("the configuration has no [log] or no [signer]", hint="pnyx init shows both")
    own = settings.signer
    fork = own.fork or settings.chain.fork
    return SignerSettings(
        rpc_urls=tuple(map(SecretStr, own.rpc or settings.chain.rpc)),
        rpc_quorum=own.rpc_quorum,
        fork=None if fork is None else SecretStr(fork),
        others=tuple(
            OtherChain(chain_id=other.chain_id, rpc_urls=tuple(map(SecretStr, other.rpc)))
            for other in own.other or settings.chain.other
        ),
        chain_id=settings.chain.chain_id,
        log=settings.log.address,
        start_block=settings.log.start_block,
        writer=writer_of(settings, key_address),
        writer_kind=writer_kind(settings.log),
        configuration=declared_configuration(settings),
        ruleset=settings.signer_ruleset().text,
        treasury_assets=tuple({a for g in settings.governor for a in g.treasury_assets}),
        suspension=own.suspension,
        limits=own.limits,
        socket=settings.path(own.socket),
        users=tuple(map(_user_id, own.users)),
        listen=_listening(settings, own),
        require_locked_memory=own.require_locked_memory,
        memory=signer_memory(settings),
    )


def _user_id(user: str | int) -> int:
    try:
        return user if isinstance(user, int) else pwd.getpwnam(user).pw_uid
    except KeyError:
        raise UsageError(f"[signer] users names {user!r}, which is no user of this machine") from None


def _listening(settings: Settings, own: OwnSigner) -> TlsListening | None:
    if own.listen is None or own.tls is None:
        return None
    place = TlsPlace.parse(own.listen)
    return TlsListening(place=place, files=settings.tls_files(own.tls), peers=own.tls.peers)


def signer_memory(settings: Settings) -> Path:
    return settings.data / "signer.sqlite"


def require_word_counts(settings: Settings, dossier: Dossier, word: Approval) -> None:
    """Raises `RefusedError` when a person's word would not count for the signer now."""
    require_about(dossier, word)
    require_word(dossier, word, declared_configuration(settings), int(time.time()))


def evidence(settings: Settings, database: Database | None = None) -> Vault:
    """The agent's own bundles: whole ones in the data folder, what is published in the evidence folder; and, behind
    both, the database that workers share. `database`: when it is open already.
    """
    private, published = FolderStore(settings.data / "bundles", mode=PRIVATE), FolderStore(settings.published)
    if settings.database is None:
        return Vault(private, published, settings.evidence.sealed)
    shared = DatabaseStore(database or Database(settings.database.url))
    return SharedVault(private, published, shared, settings.evidence.sealed)


def mirrors(settings: Settings) -> tuple[Mirror, ...]:
    """The other places that get what is published. Raises `UsageError` for one that cannot be written to."""
    named = settings.evidence.mirrors
    urls = [place if "://" in place else str(settings.path(place)) for place in named]
    return open_mirrors(FolderStore(settings.published), urls, settings.evidence.options)


@dataclass(frozen=True, slots=True)
class Paths:
    """Where one agent keeps what it must not forget."""

    data: Path
    database: str | None = None
    """URL of a PostgreSQL database; None: files in `data`."""

    @property
    def journal(self) -> str:
        return self.database or f"sqlite:///{self.data / 'journal.sqlite'}"

    @property
    def workflows(self) -> str:
        return self.database or f"sqlite:///{self.data / 'workflows.sqlite'}"

    @property
    def lock(self) -> Path:
        return self.data / "daemon.lock"


def paths(settings: Settings) -> Paths:
    """The data folder, made private when it is not there yet. Whoever writes there decides what the daemon does."""
    try:
        settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"the data folder {settings.data} cannot be made: {error.strerror}") from None
    if not os.access(settings.data, os.W_OK):
        raise UsageError(
            f"the data folder {settings.data} is not writable",
            hint="run this as the user whose agent it is, sudo -u pnyx",
        )
    require_own_folder(settings.data, "data folder")
    return Paths(settings.data, settings.database.url if settings.database else None)
