"""A decision for people: what it is, why, what the calls do, who said what. Untrusted text is plain text, never
markup.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from pydantic import ValidationError
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from pnyx_contracts.chains import in_words
from pnyx_contracts.decoded import DecodedCall
from pnyx_contracts.entry import EntryKind
from pnyx_contracts.errors import RefusedError
from pnyx_contracts.guesses import guesses
from pnyx_contracts.types import UINT256_MAX, to_hex
from pnyx_policies.decision import Mode
from pnyx_policies.disclosure import Disclosure
from pnyx_policies.dossier import Dossier
from pnyx_policies.entitlement import Entitlement, entitlement
from pnyx_policies.facts import Holding, Movement, SimulationStatus
from pnyx_policies.finding import Severity
from pnyx_policies.money import TokenAmount, token_amount
from pnyx_policies.text import visible

COLORS = {
    Severity.CRITICAL: "bold red",
    Severity.HIGH: "red",
    Severity.MEDIUM: "yellow",
    Severity.LOW: "cyan",
    Severity.INFO: "dim",
}
LONGEST_TEXT = 1200
LONGEST_DISCLOSED = 20_000


def print_dossier(dossier: Dossier, console: Console) -> None:
    """The one-line reason first, the full story below. What the record withholds is said in its place."""
    console.print(_verdict(dossier))
    for heading, needs, part in (
        ("What it would execute", "calls", calls_tree),
        ("What the simulation saw", "simulation", _simulation),
        ("What the text says (untrusted)", "proposal", lambda d: _plain(d.proposal.text, LONGEST_TEXT)),
        ("What the checks found", "checks", _findings),
        ("What the analysts said (advice, not a decision)", "opinions", _opinions),
        ("What the rules did", "rules", _rules),
        ("What could not be established", "state", _skipped),
    ):
        shown = part(dossier) if _has(dossier, needs) else Text(f"{needs}: withheld from this bundle", style="yellow")
        if shown is not None:
            console.print(Text(f"\n{heading}", style="bold"))
            console.print(shown)


def _has(dossier: Dossier, name: str) -> bool:
    """Whether the record at hand discloses this field."""
    return name in dossier.model_fields_set


def print_disclosure(disclosure: Disclosure, console: Console) -> None:
    """What it opens, as it stands in the record."""
    console.print(Text(f"Opens {', '.join(disclosure.opened)} of the record\n{to_hex(disclosure.record_root)}"))
    parts = [*disclosure.fields.items()]
    for name, items in disclosure.items.items():
        parts += [(f"{name}[{index}]", items.open[index].value) for index in sorted(items.open, key=int)]
    parts += [(f"body {to_hex(name)}", body.decode(errors="replace")) for name, body in disclosure.bodies.items()]
    for heading, value in parts:
        text = value if isinstance(value, str) else json.dumps(value, indent=1, ensure_ascii=False)
        console.print(Text(f"\n{heading}", style="bold"))
        console.print(_plain(text, LONGEST_DISCLOSED))


def _verdict(dossier: Dossier) -> RenderableType:
    """What was decided and why, and what that means for the vote."""
    decision, key = dossier.decision, dossier.proposal.key
    if not _has(dossier, "state"):
        return Text.assemble((decision.outcome.value.upper(), "bold"), f"  {decision.reason}\n{key}")
    try:
        what = entitlement(dossier)
    except RefusedError as error:  # for nobody in particular, or before voting starts
        decided, meaning, entry = decision.outcome.value, f"A preview: {error.message}.", "none"
    else:
        decided = what.vote.value if what.vote else decision.outcome.value
        meaning, entry = _meaning(dossier, what), what.kind.name
    lines = Text.assemble((decided.upper(), "bold"), f"  {decision.reason}\n", f"{meaning}\n")
    lines.append(
        f"decided by {decision.decided_by}; mode {dossier.header.mode.value}; entry {entry}\n"
        f"governor {key.governor} on chain {key.chain_id}, proposal\n{key.proposal_id}",
        style="dim",
    )
    for word in dossier.people.words:
        lines.append(f"\n{visible(word.person)} says {word.verdict}: ", style="bold")
        lines.append(visible(word.comment) or "no comment")
    return lines


def _meaning(dossier: Dossier, what: Entitlement) -> str:
    """What becomes of the vote, for people who know no kinds of entries."""
    words = dossier.people.words
    if what.vote is not None:
        by = "people approved it" if len(words) > 1 else "a person approved it" if words else "the rules decide alone"
        return f"One vote {what.vote.value}: {by}."
    if dossier.people.rejection is not None:
        return "No vote: a person rejected it."
    if dossier.people.expired is not None:
        return "No vote: the wait for people ended without them."
    match what.kind:
        case EntryKind.HOLD if dossier.header.mode is Mode.OBSERVE:
            return "No vote: the agent only observes, and would have asked a person."
        case EntryKind.HOLD:
            return "No vote yet: a person is asked."
        case EntryKind.DECISION:
            return "No vote: the agent only observes."
        case EntryKind.MISSED:
            return "No vote: the vote was over before anything was decided."
        case _:
            return "No vote."


def _plain(text: str, limit: int) -> Text:
    cut = f" [... {len(text) - limit} more characters]" if len(text) > limit else ""
    return Text(visible(text[:limit]) + cut)


def calls_tree(dossier: Dossier) -> Tree:
    """Every call at every depth, with what people need to read it."""
    tree = Tree("", hide_root=True)
    for call in dossier.calls:
        _branch(tree, call, dossier)
    return tree


def _names(dossier: Dossier) -> dict[str, str]:
    """The parts of the DAO that everybody knows, the names that the operator gave, and those of ENS."""
    executor = {dossier.simulation.executor: "the DAO's executor"} if _has(dossier, "simulation") else {}
    given = dossier.state.known_addresses if _has(dossier, "state") else {}
    return {**_ens_names(dossier), **executor, dossier.proposal.key.governor: "the governor", **given}


def _ens_names(dossier: Dossier) -> dict[str, str]:
    """As the review found them, each both ways. None where the record, perhaps a stranger's, has no such result."""
    from pnyx_tools.context.ens_names import EnsNames, EnsNamesTool

    results = dossier.context if _has(dossier, "context") else ()
    found = next((r.result for r in results if r.tool == EnsNamesTool.name), None)
    try:
        names = EnsNames.model_validate(found).names if found is not None else ()
    except ValidationError:
        names = ()
    return {entry.address: f"ENS: {entry.name}" for entry in names}


def _branch(tree: Tree, call: DecodedCall, dossier: Dossier) -> None:
    names = _names(dossier)
    title = Text(f"{call.path}  ", style="dim")
    if not call.calldata:
        title.append(f"pay {coins(call.value_wei)} to {_named(call.target, names)}")
    else:
        known = call.signature is not None
        title.append(call.signature or f"unknown call {call.selector}", style="bold" if known else "bold yellow")
        title.append(f" on {_named(call.target, names)}")
        if call.value_wei:
            title.append(f" with {coins(call.value_wei)}")
    if call.other_chain:
        where = "ANOTHER CHAIN" if call.chain_id is None else in_words(call.chain_id)
        title.append(f"  on {where}", style="bold yellow")
    if call.delegatecall:
        title.append("  DELEGATECALL", style="bold red")
    branch = tree.add(title)
    counted = token_amount(call)
    for place, argument in enumerate(call.arguments):
        line = f"{argument.name} ({argument.type}) = {visible(argument.value[:200])}"
        if counted is not None and place == counted.place:
            line += _whole(counted, dossier)
        branch.add(Text(line, style="dim"))
    for line in _guessed(call):
        branch.add(Text(line, style="dim italic"))
    if call.note:
        branch.add(Text(visible(call.note), style="italic"))
    for inner in call.inner:
        _branch(branch, inner, dossier)


def _whole(counted: TokenAmount, dossier: Dossier) -> str:
    """In whole tokens, where the token was seen to say what these are. Its symbol is the token's own word."""
    holding = _holding(counted.asset, dossier)
    if holding is None or holding.decimals is None:
        return ""
    if counted.amount == UINT256_MAX:
        return f"  (without limit, {visible(holding.symbol)})"
    return f"  ({decimal(counted.amount, holding.decimals)} {visible(holding.symbol)})"


def _holding(asset: str, dossier: Dossier) -> Holding | None:
    treasury = dossier.state.treasury if _has(dossier, "state") else ()
    return next((holding for holding in treasury if holding.asset == asset), None)


def _guessed(call: DecodedCall) -> Iterator[str]:
    """What published packages have under the selector of an unknown call: for people, and for nothing else."""
    if call.signature is not None or call.inner:
        return
    for guess in guesses(call.calldata):
        fits = "its arguments fit" if guess.arguments is not None else "its arguments are not read"
        yield f"perhaps {guess.signature}: a guess by four bytes, which anyone can match; {fits}"
        yield from (f"  {a.type} {visible(a.value[:200])}" for a in guess.arguments or ())


def _named(address: str, names: dict[str, str]) -> str:
    return f"{address} ({visible(names[address])})" if address in names else address


def _simulation(dossier: Dossier) -> RenderableType:
    simulation, names = dossier.simulation, _names(dossier)
    if simulation.status is SimulationStatus.SKIPPED:
        return Text(f"skipped: {simulation.why_skipped}", style="yellow")
    parts: list[RenderableType] = [
        Text(f"{simulation.status.value}, as executed by {simulation.executor} (the DAO's executor)")
    ]
    parts += [Text(f"call {r.path} reverts: {visible(r.error)}", style="red") for r in simulation.results if r.error]
    parts += [
        Text(f"the code of {_named(run.code, names)} by itself reverts: {visible(run.error)}", style="red")
        for run in simulation.delegated
        if run.error
    ]
    parts += [Text(f"{_movement(m, dossier)}") for m in simulation.all_movements]
    parts += [
        Text(f"{c.kind}: {visible(c.subject)} {visible(c.detail)} in {_named(c.contract, names)}")
        for c in simulation.all_changes
    ]  # fmt: skip
    return Group(*parts)


def _movement(movement: Movement, dossier: Dossier) -> str:
    names = _names(dossier)
    sender, recipient = _named(movement.sender, names), _named(movement.recipient, names)
    if movement.kind == "transfer":
        return f"{_amount(movement, dossier)} go from {sender} to {recipient}"
    return f"{_amount(movement, dossier)} of {sender} may be taken by {recipient}"


def _amount(movement: Movement, dossier: Dossier) -> str:
    if movement.asset is None:
        return coins(movement.amount)
    if movement.token_id is not None:
        return f"token {movement.token_id} of {movement.asset}"
    holding = _holding(movement.asset, dossier)
    if holding is None or holding.decimals is None:
        return f"{movement.amount} units of {movement.asset}"
    return f"{decimal(movement.amount, holding.decimals)} {visible(holding.symbol)} ({movement.asset})"


def coins(wei: int) -> str:
    """An amount of the chain's coin for people, exact: ``40 coins (40000000000000000000 wei)``."""
    return f"{decimal(wei, 18)} coins ({wei} wei)"


def decimal(units: int, decimals: int) -> str:
    """Exact decimal text of an amount in smallest units."""
    whole, fraction = divmod(units, 10**decimals)
    return f"{whole:,}" + (f".{fraction:0{decimals}d}".rstrip("0") if fraction else "")


def _findings(dossier: Dossier) -> RenderableType:
    quiet = sum(not r.findings and not r.skipped for r in dossier.checks)
    if quiet == len(dossier.checks):
        return Text(f"nothing: {quiet} checks ran", style="dim")
    findings = sorted((f for report in dossier.checks for f in report.findings), key=lambda f: -f.severity)
    table = Table("severity", "check", "finding", show_edge=False)
    for finding in findings:
        text = Text(visible(finding.title))
        if finding.detail:
            text.append(f"\n{visible(finding.detail)}", style="dim")
        table.add_row(Text(finding.severity.name.lower(), style=COLORS[finding.severity]), finding.check, text)
    for report in dossier.checks:
        if report.skipped:
            table.add_row(Text("skipped", style="yellow"), report.check, Text(visible(report.skipped)))
    return Group(table, Text(f"{quiet} of {len(dossier.checks)} checks found nothing", style="dim"))


def _opinions(dossier: Dossier) -> RenderableType:
    parts: list[RenderableType] = []
    for opinion in dossier.opinions:
        who = opinion.analyst.name
        if opinion.analysis is None:
            parts.append(Text(f"{who}: no analysis, {visible(opinion.failure)}", style="yellow"))
            continue
        analysis = opinion.analysis
        advice = f"{analysis.recommendation.value}, {analysis.confidence_percent} % confident"
        parts.append(Text.assemble((f"{who}: ", "bold"), visible(analysis.summary), f" Advice: {advice}."))
        parts += [Text(f"  - {visible(p.claim)}", style="dim") for p in analysis.key_points]
        parts += [Text(f"  ! {r.level.value}: {visible(r.text)}") for r in analysis.risks]
    return Group(*parts)


def _rules(dossier: Dossier) -> RenderableType | None:
    if not dossier.rules:
        return None
    grid = Table.grid(padding=(0, 1))
    for rule in dossier.rules:
        decided = rule.rule == dossier.decision.decided_by
        words = Text.assemble((rule.rule, "bold"), f" (then {rule.then}) ", visible(rule.explanation))
        words.stylize("" if decided else "dim")
        grid.add_row("→" if decided else "", words)
    return grid


def _skipped(dossier: Dossier) -> RenderableType | None:
    if not dossier.state.skipped:
        return None
    return Group(*(Text(f"{s.step}: {visible(s.why)}", style="yellow") for s in dossier.state.skipped))
