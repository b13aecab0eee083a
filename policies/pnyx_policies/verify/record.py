"""Steps 9 to 12: one entry's bundle, and what of it follows from the chain and from the declared configuration."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from eth_hash.auto import keccak
from pydantic import JsonValue, TypeAdapter

from pnyx_contracts.calldata import decode_calls
from pnyx_contracts.decision_log import subject
from pnyx_contracts.entry import Declaration, Entry, EntryKind
from pnyx_contracts.errors import DecodingError, DiffersError, UnreachableError
from pnyx_contracts.interfaces import used
from pnyx_contracts.types import Proposal, Value, to_hex
from pnyx_policies.bundle import Bundle, ChangedBundleError, SwappedBundleError, recompute
from pnyx_policies.configuration import Configuration
from pnyx_policies.decision import Outcome
from pnyx_policies.dossier import Dossier
from pnyx_policies.facts import Grade
from pnyx_policies.prompt import templates_hash
from pnyx_policies.review import review_digest
from pnyx_policies.verify.verdict import About, Step, Verdict, shown

HAS_BUNDLE: Final = frozenset(k for k in EntryKind if k.is_terminal or k is EntryKind.CORRECTION)
"""Kinds whose record root is that of a bundle of their own. A VOID entry names that of the entry that it takes back."""


@dataclass(frozen=True, slots=True)
class Case:
    """One entry with its bundle, and what was read to hold them against."""

    entry: Entry
    about: About
    declaration: Declaration
    """In force when the entry was made."""
    bundle: Bundle
    dossier: Dossier
    """Without the withheld fields: `run` lets no step see those."""
    chain_id: int
    log: str
    sealed: Collection[str] = ()
    """Fields that the configuration in force declares sealed."""

    def run(
        self,
        step: Step,
        needs: tuple[str, ...],
        check: Callable[[Case], Iterator[Verdict]],
        grade: Grade = Grade.DERIVED,
    ) -> Iterator[Verdict]:
        """The verdicts of one step; not proven when the record withholds a field that it needs, and only not
        checkable when the writer declares that it seals it.

        Records come from strangers: one that makes a step fail does not hold, and must not end the check of the others.
        """
        withheld = [name for name in needs if name in self.bundle.withheld]
        undeclared = [name for name in withheld if name not in self.sealed]
        if undeclared:
            yield self.unproven(step, f"the record withholds {', '.join(undeclared)}", grade)
            return
        if withheld:
            yield self.about.not_checkable(step, as_declared(withheld), grade)
            return
        try:
            yield from check(self)
        except UnreachableError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a hostile record provokes
            reason = f"the record cannot be judged: {type(error).__name__}: {error}"
            yield self.about.differs(step, "record", reason=shown(reason), grade=grade)

    def unproven(self, step: Step, because: str, grade: Grade = Grade.DERIVED) -> Verdict:
        return unproven(self.entry, self.about, step, because, grade)


def unproven(entry: Entry, about: About, step: Step, because: str, grade: Grade = Grade.DERIVED) -> Verdict:
    """A decision must show what it rests on. A correction decides nothing, so for it this is only not checkable."""
    say = about.not_proven if entry.kind.is_terminal else about.not_checkable
    return say(step, because, grade)


def as_declared(sealed: Collection[str]) -> str:
    """``ruleset, rules are sealed, as the agent declares``"""
    return f"{', '.join(sealed)} {'is' if len(sealed) == 1 else 'are'} sealed, as the agent declares"


def dossier_of(bundle: Bundle) -> Dossier:
    """The disclosed fields, typed; touching a withheld one raises AttributeError."""
    if not bundle.withheld:
        return bundle.dossier
    return Dossier.model_construct(**{name: _adapter(name).validate_python(v) for name, v in bundle.fields.items()})


@cache
def _adapter(name: str) -> TypeAdapter[Any]:
    return TypeAdapter(Dossier.model_fields[name].rebuild_annotation())


def check_bundle(
    entry: Entry,
    about: About,
    found: Bundle | DiffersError | None,
    owner_of: Callable[[bytes], int | None],
    sealed: Collection[str] = (),
) -> Iterator[Verdict]:
    """Step 9. `found` is what lies under the entry's record root: the bundle, what is wrong with it, or None.
    `sealed` are the fields that the configuration in force declares sealed.

    `owner_of` gives the entry with a record root, so that a bundle that was put in another's place is named.
    """
    match found:
        case None:
            yield about.missing(
                Step.BUNDLE, f"the bundle of the record {to_hex(entry.record_root)}: removed, or withheld"
            )
        case SwappedBundleError():
            owner = owner_of(found.found)
            whose = f"the bundle of entry {owner}" if owner else "a bundle of no entry of this writer"
            yield about.differs(
                Step.BUNDLE,
                "recordRoot",
                expected=entry.record_root,
                seen=found.found,
                reason=f"swapped: this is {whose}",
            )
        case ChangedBundleError():
            yield about.differs(Step.BUNDLE, "; ".join(found.where), reason="changed after it was sealed")
        case DiffersError():
            yield about.differs(Step.BUNDLE, "bundle", reason=found.message)
        case Bundle():
            yield _check_prompt_hash(entry, about, found, sealed)
            if "software" in found.withheld:
                declared = "software" in sealed
                why = as_declared(["software"]) if declared else "the record withholds software; no step needs it"
                yield about.not_checkable(Step.BUNDLE, why, Grade.ATTESTED)


def _check_prompt_hash(entry: Entry, about: About, bundle: Bundle, sealed: Collection[str]) -> Verdict:
    hashed = recompute(bundle).prompt_hash
    if hashed is None and "attempts" in sealed:
        return about.not_checkable(Step.BUNDLE, as_declared(["attempts"]))
    if hashed is None:
        return unproven(entry, about, Step.BUNDLE, "the record withholds what the prompt hash is made of")
    if hashed != entry.prompt_hash:
        reason = "the recorded prompts are not those that the entry binds"
        return about.differs(Step.BUNDLE, "promptHash", expected=entry.prompt_hash, seen=hashed, reason=reason)
    return about.matches(Step.BUNDLE)


def check_header(case: Case) -> Iterator[Verdict]:
    """Step 10. The governor is one that the configuration in force names: else the writer could vote where it pleases,
    and would owe no answer where it does not.
    """
    header, about = case.dossier.header, case.about
    governor = case.dossier.proposal.key.governor
    claims: tuple[tuple[str, object, object], ...] = (
        ("header.chain_id", case.chain_id, header.chain_id),
        ("header.log", case.log, header.log),
        ("header.writer", case.entry.writer, header.writer),
        ("proposal.key", case.entry.subject, subject(case.dossier.proposal.key)),
        ("header.config_hash", case.declaration.config_hash, header.config_hash),
    )
    wrong = [claim for claim in claims if claim[1] != claim[2]]
    for where, expected, seen in wrong:
        silent = where == "header.config_hash"
        reason = "decided under a configuration that was not in force: a silent change" if silent else ""
        yield about.differs(Step.HEADER, where, expected=expected, seen=seen, reason=reason)
    if governor not in case.declaration.governors:
        reason = "the configuration in force does not name this governor"
        yield about.differs(Step.HEADER, "proposal.key.governor", seen=governor, reason=reason)
    elif not wrong:
        yield about.matches(Step.HEADER)


def check_voter(case: Case, configuration: Configuration | None) -> Iterator[Verdict]:
    """Step 10, too: the standing that was judged is the writer's, or its Safe's. With another's, any vote could be
    skipped.
    """
    voter = case.dossier.state.voter
    expected = configuration.safe if configuration and configuration.safe else case.entry.writer
    if voter is None or voter.voter != expected:
        reason = "the record judges the standing of somebody else" if voter else "the record judges nobody's standing"
        yield case.about.differs(
            Step.HEADER, "state.voter.voter", expected=expected, seen=voter.voter if voter else "nobody", reason=reason
        )


def check_configuration(declaration: Declaration, about: About, data: bytes | DiffersError | None) -> tuple[
    Configuration | None, Verdict
]:  # fmt: skip
    """Step 11, once per configuration: its document. `data` is what lies under its hash."""
    step, name = Step.DECLARED_CONFIGURATION, to_hex(declaration.config_hash)
    if data is None:
        return None, about.missing(step, f"the document of the configuration {name}: removed, or withheld")
    if isinstance(data, DiffersError):
        return None, about.differs(step, "configuration", reason=data.message)
    if keccak(data) != declaration.config_hash:
        return None, about.differs(step, "configuration", expected=declaration.config_hash, seen=keccak(data))
    try:
        configuration = Configuration.parse(data)
    except DecodingError as error:
        return None, about.differs(step, "configuration", reason=error.message)
    declared, written = sorted(declaration.governors), sorted(configuration.governors)
    if declared != written:
        return configuration, about.differs(step, "governors", expected=", ".join(declared), seen=", ".join(written))
    return configuration, about.matches(step)


def check_declared(case: Case, configuration: Configuration) -> Iterator[Verdict]:
    """Step 11, for one record: it was made the way that the configuration declares."""
    dossier, about = case.dossier, case.about
    claims: list[tuple[str, object, object]] = [
        ("header.agent", configuration.agent, dossier.header.agent),
        ("header.mode", configuration.mode.value, dossier.header.mode.value),
        ("prompt", configuration.prompt_hash, templates_hash(dossier.prompt)),
        ("ruleset", configuration.ruleset_hash, keccak(dossier.ruleset.encode())),
        ("decision.ruleset_hash", configuration.ruleset_hash, dossier.decision.ruleset_hash),
        ("checks", configuration.checks, {report.check: report.version for report in dossier.checks}),
        ("context", sorted(configuration.tools.items()), dossier.tools(configuration.tools)),
        ("state.known_addresses", configuration.known_addresses, dossier.state.known_addresses),
        ("state.interfaces", used(configuration.interfaces, dossier.calls), dossier.state.interfaces),
        ("state.probes", _texts(configuration.probes), _texts(dossier.state.probes)),
        ("state.prices", _texts(configuration.prices), _texts(dossier.state.prices)),
    ]
    if dossier.opinions or dossier.decision.outcome is not Outcome.SKIP:
        recorded = [opinion.analyst for opinion in dossier.opinions]
        claims.append(("opinions", _texts(configuration.analysts), _texts(recorded)))
    wrong = [claim for claim in claims if claim[1] != claim[2]]
    for where, expected, seen in wrong:
        yield about.differs(
            Step.DECLARED_CONFIGURATION,
            where,
            expected=expected,
            seen=seen,
            reason="not what the configuration declares",
        )
    if not wrong:
        yield about.matches(Step.DECLARED_CONFIGURATION)


def _texts(values: Sequence[Value]) -> list[str]:
    return [value.model_dump_json() for value in values]


def check_proposal(case: Case, announced: Proposal | None, computed_id: int | None) -> Iterator[Verdict]:
    """Step 12. `announced` is what the governor's event says, `computed_id` the id that follows from it (or None)."""
    recorded, about = case.dossier.proposal, case.about
    if announced is None:
        yield about.missing(Step.PROPOSAL, f"the governor announced no proposal {recorded.key} where the record says")
        return
    if computed_id is not None and computed_id != announced.key.proposal_id:
        yield about.differs(
            Step.PROPOSAL, "proposal.key.proposal_id", expected=computed_id, seen=announced.key.proposal_id
        )
        return
    yield about.compare(
        Step.PROPOSAL, "proposal", expected=announced.model_dump(mode="json"), seen=recorded.model_dump(mode="json")
    )


def void_proposal(case: Case, void: Entry) -> Verdict:
    """Step 12, for a record whose proposal a reorganisation took away: there is nothing to hold it against."""
    reason = f"void: the proposal is gone, and entry {void.seq} takes this one back"
    return case.about.matches(Step.PROPOSAL, reason=reason)


def check_calls(case: Case) -> Iterator[Verdict]:
    """Step 12, too: decoding is pure, so it is done again, with the declared interfaces that the record holds."""
    proposal = case.dossier.proposal
    is_public = "state" not in case.bundle.withheld
    interfaces = case.dossier.state.interfaces if is_public else {}
    decoded = decode_calls(proposal.calls, proposal.key.chain_id, interfaces)
    again: list[JsonValue] = [call.model_dump(mode="json") for call in decoded]
    recorded: list[JsonValue] = [call.model_dump(mode="json") for call in case.dossier.calls]
    if again != recorded and not is_public:  # perhaps a declared interface, which the sealed field holds
        yield from case.run(Step.PROPOSAL, ("state",), check_calls)
        return
    yield case.about.compare(Step.PROPOSAL, "calls", expected=again, seen=recorded)


def check_digest(case: Case) -> Iterator[Verdict]:
    """Step 12, too: the review is bound to the proposal and to the code that it reaches."""
    dossier, about = case.dossier, case.about
    expected = review_digest(dossier.state.governor.profile.kind, dossier.proposal, dossier.state.targets)
    for where, seen in (
        ("state.review_digest", dossier.state.review_digest),
        ("decision.review_digest", dossier.decision.review_digest),
    ):
        if seen != expected:
            yield about.differs(Step.PROPOSAL, where, expected=expected, seen=seen)
