"""What a bundle claims, judged by itself: before the chain is asked anything. Pure.

1. The bundle is whole: record root and prompt hash are recomputed from what it holds.
2. It is ours: chain, log, writer, and everything that the declared configuration names: governors, mode, analysts,
   prompt templates, checks, context tools.
3. Its calls are what the proposal's calldata says, with the declared interfaces.
4. Its findings are what the checks say about its facts; none is left out. Only the reports of declared plugin checks,
   whose code is not here, are taken on the daemon's word. Its opinions are those of the declared analysts, in order:
   the requests are what facts and templates render to, the recorded answers give the opinions, none was thrown away.
5. Its decision is what our ruleset says about its facts, findings and opinions.
"""

from __future__ import annotations

from dataclasses import dataclass

from pnyx_contracts.calldata import decode_calls
from pnyx_contracts.decision_log import subject
from pnyx_contracts.errors import RefusedError
from pnyx_contracts.interfaces import used
from pnyx_contracts.types import to_hex
from pnyx_policies.bundle import Bundle, recompute
from pnyx_policies.checks import CheckReport, CheckView, builtin_checks, run_checks
from pnyx_policies.configuration import Configuration
from pnyx_policies.decide import decide
from pnyx_policies.decision import Outcome
from pnyx_policies.dossier import Dossier
from pnyx_policies.entitlement import Entitlement, entitlement
from pnyx_policies.facts import Facts, Grade
from pnyx_policies.prompt import templates_hash
from pnyx_policies.ruleset import Ruleset
from pnyx_policies.verify import About, Status, Step, Verdict
from pnyx_policies.verify.testimony import check_answers, check_prompts
from pnyx_tools.signer.payload import Roots
from pnyx_tools.signer.settings import SignerSettings


@dataclass(frozen=True, slots=True)
class Evidence:
    """A bundle whose claims hold together. `entitled` is what it stands for, if the chain agrees."""

    dossier: Dossier
    subject: bytes
    roots: Roots
    entitled: Entitlement


def read_evidence(settings: SignerSettings, ruleset: Ruleset, data: bytes) -> Evidence:
    """Steps 1 to 5. Raises `RefusedError` or `DecodingError` with what does not hold."""
    roots, bundle = open_whole(data)
    dossier = bundle.dossier
    require_ours(settings, dossier)
    require_declared(settings.configuration, dossier)
    proposal = dossier.proposal
    decoded = decode_calls(proposal.calls, proposal.key.chain_id, settings.configuration.interfaces)
    must_equal("the decoded calls", dossier.calls, decoded)
    must_equal("the interfaces", dossier.state.interfaces, used(settings.configuration.interfaces, decoded))
    must_equal("the findings", dossier.checks, reports_on(dossier, dossier.facts))
    require_said(bundle, dossier)
    require_decided(ruleset, dossier)
    return Evidence(dossier, subject(dossier.proposal.key), roots, entitlement(dossier))


def open_whole(data: bytes) -> tuple[Roots, Bundle]:
    """Step 1. What the bundle says about its own hashes is not believed; a field that is withheld cannot be judged."""
    bundle = Bundle.parse(data)
    recomputed = recompute(bundle)
    if recomputed.differences or recomputed.missing_bodies or recomputed.prompt_hash is None:
        places = ", ".join((*recomputed.differences, *(f"bodies.0x{h.hex()}" for h in recomputed.missing_bodies)))
        raise RefusedError(f"the bundle is not whole: it differs at {places or 'prompt_salt'}")
    return Roots(record_root=recomputed.record_root, prompt_hash=recomputed.prompt_hash), bundle


def require_ours(settings: SignerSettings, dossier: Dossier) -> None:
    """Step 2: the place."""
    header, key = dossier.header, dossier.proposal.key
    must_equal("the chain", header.chain_id, settings.chain_id)
    must_equal("the proposal's chain", key.chain_id, settings.chain_id)
    must_equal("the log", header.log, settings.log)
    must_equal("the writer", header.writer, settings.writer)
    must_equal("the voter", dossier.state.voter and dossier.state.voter.voter, settings.voter)
    must_equal("the known addresses", dossier.state.known_addresses, settings.configuration.known_addresses)
    must_equal("the probes", dossier.state.probes, settings.configuration.probes)
    must_equal("the places of prices", dossier.state.prices, settings.configuration.prices)
    must_equal("the governor that was read", dossier.state.governor.profile.address, key.governor)
    if key.governor not in settings.configuration.governors:
        raise RefusedError(
            f"governor {key.governor} is not on this signer's list",
            hint="announce a configuration with it if the agent should vote there, then restart the signer",
        )


def require_declared(configuration: Configuration, dossier: Dossier) -> None:
    """Step 2: the declared configuration."""
    header = dossier.header
    must_equal("the agent", header.agent, configuration.agent)
    must_equal("the mode", header.mode, configuration.mode)
    must_equal("the configuration", header.config_hash, configuration.hash)
    must_equal("the checks", sorted((r.check, r.version) for r in dossier.checks), sorted(configuration.checks.items()))
    must_equal("the context tools", dossier.tools(configuration.tools), sorted(configuration.tools.items()))
    must_equal("the prompt templates", templates_hash(dossier.prompt), configuration.prompt_hash)
    if dossier.opinions or dossier.decision.outcome is not Outcome.SKIP:
        must_equal("the analysts", tuple(o.analyst for o in dossier.opinions), configuration.analysts)


def reports_on(dossier: Dossier, facts: Facts) -> tuple[CheckReport, ...]:
    """What the built-in checks say about `facts`, in the dossier's order; other reports as the dossier has them.

    Raises `RefusedError` when the dossier has no report of a built-in check: the signer's are the least that must run.
    """
    own = {r.check: r for r in run_checks(builtin_checks(), CheckView(facts, dossier.opinions))}
    missing = sorted(own.keys() - {report.check for report in dossier.checks})
    if missing:
        raise RefusedError(f"the bundle has no report of these checks: {', '.join(missing)}")
    return tuple(own.get(report.check, report) for report in dossier.checks)


@dataclass(frozen=True, slots=True)
class _Testimony:
    about: About
    dossier: Dossier
    bundle: Bundle

    def unproven(self, step: Step, because: str, grade: Grade = Grade.DERIVED) -> Verdict:
        return self.about.not_proven(step, because, grade)


def require_said(bundle: Bundle, dossier: Dossier) -> None:
    """Step 4: the verifier's own judgement on prompts and answers. An analyst that is neither a language model nor ours
    cannot be judged; it is declared, and its advice counts as a model's does.
    """
    said = _Testimony(About(dossier.header.writer or ""), dossier, bundle)
    for verdict in (*check_prompts(said), *check_answers(said)):
        unrendered = verdict.step is Step.PROMPTS and verdict.status is Status.NOT_CHECKABLE
        if verdict.status.is_problem or verdict.status is Status.NOT_PROVEN or unrendered:
            raise RefusedError(
                f"the opinions do not follow from what was recorded: {verdict.step.name.lower()} {verdict}"
            )


def require_decided(ruleset: Ruleset, dossier: Dossier) -> None:
    """Step 5."""
    must_equal("the ruleset", dossier.decision.ruleset_hash, ruleset.hash)
    must_equal("the ruleset's text", dossier.ruleset, ruleset.text)
    judged = decide(ruleset, dossier.facts, dossier.checks, dossier.opinions)
    must_equal("the decision", dossier.decision, judged.decision)
    must_equal("the rules' outcomes", dossier.rules, judged.rules)


def must_equal(what: str, found: object, expected: object) -> None:
    """Raises `RefusedError` that shows both sides, shortened."""
    if found != expected:
        raise RefusedError(f"{what} in the bundle differs: it says {_shown(found)}, expected {_shown(expected)}")


def _shown(value: object) -> str:
    text = to_hex(value) if isinstance(value, bytes) else str(value)
    return text if len(text) <= 300 else f"{text[:300]}..."
