"""hidden-characters: does the text hold what its readers cannot see?"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pnyx_policies import text
from pnyx_policies.checks.protocol import CheckView
from pnyx_policies.finding import Finding, Severity
from pnyx_policies.strangers import Words, strange_words
from pnyx_policies.text import Hidden, HiddenKind

_RUN = 2
"""One stray variation selector is an accident of an editor, a run of them carries bytes."""

_INSIDE = re.compile(r"[0-9A-Za-z]")


class HiddenCharacters:
    """Critical: characters that change what people read (overrides), carry a message past them (tags, runs of
    selectors) or split a number. Look-alike letters are high, other invisible characters and letters under stacks of
    marks medium, words in mathematical or circled letters low.

    Emoji, flags, Arabic and Indic joiners are fine. Reads what injected-instructions reads; what a third party can have
    written is never more than high. Answers check K6, red-team classes 9 to 14.
    """

    name = "hidden-characters"
    version = "2"

    def run(self, view: CheckView) -> tuple[Finding, ...]:
        findings = [finding for words in strange_words(view.facts) for finding in self._search(words)]
        if not _is_utf8(view.facts.proposal.description):
            title = "The description is not valid UTF-8: readers see it differently"
            findings.append(Finding(check=self.name, severity=Severity.MEDIUM, title=title))
        return tuple(findings)

    def _search(self, words: Words) -> Iterator[Finding]:
        shown = words.text
        for kind, found in _by_kind(shown).items():
            first = found[0].index
            yield self._finding(
                words,
                _severity(shown, kind, found),
                f"{text.count(len(found), 'time')} a {kind.value}",
                tuple(dict.fromkeys(h.name for h in found)),
                f"First: ...{text.quote(shown[max(first - 20, 0) : first + 20])}...",
            )
        for severity, what, examples in (
            (Severity.HIGH, "words mix Latin letters with look-alikes", text.mixed_script_words(shown)),
            (Severity.HIGH, "words of look-alike letters alone", text.borrowed_words(shown)),
            (Severity.MEDIUM, "letters under a stack of marks", text.stacked_marks(shown)),
            (Severity.LOW, "words in letters of another style", text.styled_words(shown)),
        ):
            if examples:
                evidence = tuple(text.quote(example, 40) for example in examples)
                yield self._finding(words, severity, f"{len(examples)} {what}", evidence)

    def _finding(
        self, words: Words, severity: Severity, title: str, evidence: tuple[str, ...], detail: str = ""
    ) -> Finding:
        return Finding(
            check=self.name,
            severity=severity if words.is_authors else min(severity, Severity.HIGH),
            title=f"{words.where} has {title}",
            detail=detail,
            calls=words.calls,
            evidence=evidence[:8],
        )


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def _by_kind(shown: str) -> dict[HiddenKind, list[Hidden]]:
    kinds: dict[HiddenKind, list[Hidden]] = {}
    for hidden in text.hidden_characters(shown):
        if hidden.index or hidden.character != "\ufeff":  # a byte order mark at the very start is an editor's habit
            kinds.setdefault(hidden.kind, []).append(hidden)
    return kinds


def _severity(shown: str, kind: HiddenKind, found: list[Hidden]) -> Severity:
    match kind:
        case HiddenKind.BIDI_OVERRIDE | HiddenKind.TAG:
            return Severity.CRITICAL
        case HiddenKind.BIDI:
            return Severity.LOW if text.has_right_to_left(shown) else Severity.HIGH
        case HiddenKind.VARIATION:
            return Severity.CRITICAL if len(found) >= _RUN else Severity.MEDIUM
        case HiddenKind.ZERO_WIDTH | HiddenKind.FILLER:
            return Severity.CRITICAL if any(_splits_a_number(shown, h.index) for h in found) else Severity.MEDIUM
        case HiddenKind.CONTROL:
            return Severity.MEDIUM


def _splits_a_number(shown: str, index: int) -> bool:
    """Between two digits, or inside hex: two readers would read two amounts or addresses."""
    before, after = shown[max(index - 1, 0) : index], shown[index + 1 : index + 2]
    return bool(_INSIDE.fullmatch(before) and _INSIDE.fullmatch(after)) and (before.isdigit() or after.isdigit())
