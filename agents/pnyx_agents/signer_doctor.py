"""What `pnyx doctor` looks at in the file of a signer that runs apart: what `pnyx signer` needs, and nothing else. Such
a file holds no model's key, and its machine none of the daemon's folders.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from pnyx_agents.assembly import check_chain, declared_configuration, signer_memory, signer_settings
from pnyx_agents.examination import Result, certificate_of, followed, money_of, tried
from pnyx_agents.keys import key_source, require_key
from pnyx_agents.settings import Settings
from pnyx_contracts.errors import DiffersError, PnyxError, UsageError
from pnyx_contracts.governors import builtin_adapters
from pnyx_contracts.types import to_hex
from pnyx_tools.keystore import open_key
from pnyx_tools.quorum import reader_of
from pnyx_tools.rpc import Rpc
from pnyx_tools.signer.client import SignerClient
from pnyx_tools.signer.hardening import lock_memory
from pnyx_tools.signer.settings import SignerSettings
from pnyx_tools.signer.tls import server_context
from pnyx_tools.signer.witness import Witness


class SignerDoctor:
    """Later checks rest on earlier ones."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.own = require_key(settings)
        self.urls = self.own.rpc or settings.chain.rpc
        self.key = ""

    def examine(self) -> Iterator[Result]:
        """All checks, in order. Without a key, an endpoint or a place there is nothing more to look at."""
        yield (key := tried("key", self._key, "name a keystore, or another key, in [signer]"))
        if self.own.require_locked_memory:
            yield self._locked_memory()
        endpoints = [self._endpoint(url) for url in self.urls]
        yield from endpoints
        if len(self.urls) == 1:
            yield Result(
                name="second endpoint", status="warning", found="none: what one endpoint makes up, the signer believes",
                do="name two or more in [signer] rpc, others than the daemon's, and set rpc_quorum",
            )  # fmt: skip
        yield tried("ruleset", self._ruleset, "see docs/rulesets.md")
        yield tried("memory", self._memory, "make the data folder writable for the signer's user")
        if key.status == "ok" and any(endpoint.status == "ok" for endpoint in endpoints):
            yield from followed("signer", self._on_chain)

    def _key(self) -> str:
        self.key = open_key(key_source(self.settings)).address
        return self.key

    def _locked_memory(self) -> Result:
        """Only a hint: the limits of this shell are not those of the signer's unit."""
        why_not = lock_memory()
        if not why_not:
            return Result(name="locked memory", status="ok", found="memory can be locked")
        do = "LimitMEMLOCK=infinity in the signer's unit, or `ulimit -l unlimited`"
        return Result(name="locked memory", status="warning", found=f"not in this shell: {why_not}", do=do)

    def _endpoint(self, url: str) -> Result:
        endpoint = Rpc(url)

        def chain() -> str:
            check_chain(endpoint, self.settings)
            return str(self.settings.chain.chain_id)

        return tried(f"chain id of {endpoint.display_url}", chain, "correct [signer] rpc, or start the node")

    def _ruleset(self) -> str:
        ruleset, declared = self.settings.signer_ruleset(), declared_configuration(self.settings).ruleset_hash
        if ruleset.hash != declared:
            raise UsageError(
                f"it has the hash {to_hex(ruleset.hash)}, the declared configuration names {to_hex(declared)}",
                hint="give the signer the ruleset that was declared, or announce the new one first",
            )
        return f"{ruleset.name}, rules: {len(ruleset.rules)}, hash {to_hex(ruleset.hash)}"

    def _memory(self) -> str:
        file = signer_memory(self.settings)
        place = file if file.exists() else _first_there(file.parent)
        if not os.access(place, os.W_OK):
            raise UsageError(f"{place} is not writable")
        return str(file)

    def _on_chain(self) -> Iterator[Result]:
        judged_by = signer_settings(self.settings, self.key)
        reader = reader_of(self.urls, judged_by.chain_id, judged_by.rpc_quorum)
        witness = Witness(judged_by, self.key, reader, builtin_adapters())
        kind = f"{judged_by.writer} ({judged_by.writer_kind.value})"
        yield tried("writer", partial(_said, witness.check_place, kind), "name the right key, log and writer")
        in_force = f"{to_hex(judged_by.configuration.hash)} is the one in force"
        yield tried("configuration", partial(_said, witness.check_in_force, in_force), "pnyx deploy announces a change")
        yield tried("door", partial(_door, judged_by), "see docs/signer.md")
        if judged_by.listen is not None:
            yield certificate_of(judged_by.listen.files)
        else:
            yield tried("process", partial(self._process, judged_by), "restart it")
        yield from money_of(reader, self.key, self.settings.notifications.gas_votes, self.own.limits)

    def _process(self, judged_by: SignerSettings) -> str:
        """Whether one runs, and by this file."""
        if not judged_by.socket.exists():
            return "not running: `pnyx signer` starts it"
        client = SignerClient(judged_by.socket)
        identity = client.identity()
        if (identity.key_address, identity.config_hash) != (self.key, judged_by.configuration.hash):
            raise DiffersError("the signer that runs was started with another key or configuration than this file")
        if why := client.standing().held:
            raise PnyxError(f"it signs no votes: {why}", hint="pnyx resume; or whoever paused them on chain")
        return f"runs at {judged_by.socket}"


def _said(check: Callable[[], None], words: str) -> str:
    check()
    return words


def _door(judged_by: SignerSettings) -> str:
    if judged_by.listen is not None:
        server_context(judged_by.listen.files)
        return f"{judged_by.listen.place}, for {', '.join(judged_by.listen.peers)}"
    folder = _first_there(judged_by.socket.parent)
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        raise UsageError(f"{folder} is no folder that can be written: the socket cannot be made there")
    users = ", ".join(map(str, judged_by.users))
    return f"{judged_by.socket}" + (f", for the users {users} beside its own" if users else ", for its own user")


def _first_there(folder: Path) -> Path:
    """The folder, or the nearest one above it that exists."""
    return next(place for place in (folder, *folder.parents) if place.exists())
