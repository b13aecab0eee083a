"""What a review sees of real attacks before the vote, and of honest proposals.

    python benchmarks/incidents.py [--write]

Plays each case of `pnyx_tools.testing.incidents` on a local chain, and the real proposals of ``PNYX_PROPOSALS`` where
that folder is set, with stand-ins for what they call. Prints docs/incidents.md; ``--write`` writes it. Exits 1 when a
case is not seen as it must be, or a real proposal gets a critical finding.
"""

import argparse
import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pnyx_agents.demo.scenario import Sketch, sketches_from
from pnyx_agents.demo.stage import STAND_IN, TREASURY_WEI
from pnyx_contracts.calldata import decode_calls
from pnyx_policies.finding import Severity
from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.deploy import Governance, deploy_governance
from pnyx_tools.testing.incidents import CASES, Kind, Scene, Seen, play, review, stage

DOCUMENT = Path(__file__).parents[1] / "docs" / "incidents.md"
REAL = "## Real proposals"

INTRODUCTION = """\
# Incidents

This page is made by `python benchmarks/incidents.py --write`; a test keeps it in step. Each case is built on a local
chain by `pnyx_tools.testing.incidents`, reviewed as an agent reviews it while the vote is still to come, and decided by
each [ruleset that ships](rulesets.md), without a language model. The shapes are our own contracts, the texts our own
words; selectors and the order of arguments are those of the incidents where they are known.

[Severities](checks.md): *critical* is hidden or structurally hostile, *high* is powerful and announced. What is
critical is voted against (the observer never votes: it calls people), what is high is held for people.

## Attacks

Variations are ours: the same idea by other functions, in other words, or announced. So are attacks without a number:
shapes that none of these incidents had. What is only low is left out here and below: each of these DAOs is new, with
short delays, and so is who proposes.
"""
HONEST = """
## Honest proposals that come near

None of them may be critical. What is powerful is high, however honest: people decide.
"""
REAL_WORDS = f"""
{REAL}

Proposals of a real DAO, found through `PNYX_PROPOSALS` and not part of this repository. What they call is not on the
local chain: a stand-in says yes to everything there, so their effects are not those of the real contracts. None is
recognised; none may be critical.
"""
MISSING = "They were not played: `PNYX_PROPOSALS` is not set.\n"


@dataclass(frozen=True)
class Row:
    name: str
    what: str
    seen: Seen
    wrong: str = ""

    @property
    def line(self) -> str:
        cells = [self.name, *([self.what] if self.what else []), found(self.seen), decided(self.seen)]
        return f"| {' | '.join(cells)} |"


def found(seen: Seen) -> str:
    """What is worth a look, the worst first."""
    shown = (s for s in reversed(Severity) if s >= Severity.MEDIUM and seen.checks_with(s))
    return "; ".join(f"{s.name.lower()}: {', '.join(sorted(seen.checks_with(s)))}" for s in shown) or "no more than low"


def decided(seen: Seen) -> str:
    """What most rulesets decide, then who decides otherwise."""
    outcomes = {name: outcome.value for name, outcome in seen.outcomes.items()}
    usual = Counter(outcomes.values()).most_common(1)[0][0]
    others = ", ".join(f"{name}: {outcome}" for name, outcome in outcomes.items() if outcome != usual)
    return f"{usual} ({others})" if others else usual


def rebuilt() -> Iterator[tuple[Kind, Row]]:
    with stage() as dao:
        for case in CASES:
            seen = play(dao, case)
            yield (
                case.kind,
                Row(
                    case.name,
                    case.what,
                    seen,
                    "" if case.is_seen_in(seen.by_check) else f"{case.name}: not as it must be",
                ),
            )


def real(folder: Path) -> Iterator[Row]:
    with Anvil() as node:
        dao = deploy_governance(node, treasury_wei=TREASURY_WEI)
        for sub in sorted({file.parent for file in folder.glob("**/*.json")}):
            for sketch in sketches_from(sub):
                seen = review(Scene(dao, opened(dao, sketch), known=sketch.friends))
                is_critical = seen.worst is Severity.CRITICAL
                yield Row(sketch.name, "", seen, f"{sketch.name}: critical" if is_critical else "")


def opened(dao: Governance, sketch: Sketch) -> int:
    for call in (inner for decoded in decode_calls(sketch.calls, dao.node.rpc.chain_id()) for inner in decoded.walk()):
        if call.calldata and not dao.node.rpc.code(call.target):
            dao.node.set_code(call.target, STAND_IN)
    calls = sketch.calls
    values, datas = [call.value_wei for call in calls], [call.calldata for call in calls]
    return dao.propose([call.target for call in calls], values, datas, sketch.description, sender=dao.node.accounts[3])


def table(rows: Sequence[Row]) -> str:
    heads = ["case", *(["proposal"] if rows[0].what else []), "found", "decision"]
    return "\n".join([f"\n| {' | '.join(heads)} |", "|---" * len(heads) + "|", *(row.line for row in rows), ""])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="write docs/incidents.md, too")
    options = parser.parse_args()
    cases = list(rebuilt())
    attacks = [row for kind, row in cases if kind is not Kind.HONEST]
    near = [row for kind, row in cases if kind is Kind.HONEST]
    folder = os.environ.get("PNYX_PROPOSALS")
    honest = list(real(Path(folder))) if folder else []
    document = (
        INTRODUCTION + table(attacks) + HONEST + table(near) + REAL_WORDS + (table(honest) if honest else MISSING)
    )
    print(document, end="")
    if options.write:
        DOCUMENT.write_text(document, encoding="utf-8")
    wrong = [row.wrong for row in (*attacks, *near, *honest) if row.wrong]
    print("\n".join(wrong), end="\n" if wrong else "", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
