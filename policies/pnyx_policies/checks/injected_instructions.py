"""injected-instructions: does the text speak to a machine instead of to people?"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pnyx_policies import text
from pnyx_policies.checks.protocol import CheckView
from pnyx_policies.commands import PATTERNS, Pattern
from pnyx_policies.disguise import Reading, encoded_words, parted, readings
from pnyx_policies.finding import Finding, Severity
from pnyx_policies.strangers import Words, strange_words

_COMMENT = re.compile(r"<!--(.*?)(?:-->|\Z)", re.DOTALL)


class InjectedInstructions:
    """High where people see it (a text about such attacks may quote them: people decide), critical where they do not:
    in comments, hidden elements, link titles, invisible characters, look-alike letters, encodings. Words there that
    only say how to judge it are high. A comment or an encoding that hides anything else is medium.

    Reads the description, every string and every readable byte inside the calls, and what contracts and tools said:
    names, symbols, errors, results. Those may be a third party's, so they are never more than high.
    Finds the usual words (`commands`), in the disguises that `disguise` knows; persuasion without a command it does not
    find. Answers check K6, red-team classes 1 to 8, 10 to 12, 14 to 17, 27, 28, 30.
    """

    name = "injected-instructions"
    version = "2"

    def run(self, view: CheckView) -> tuple[Finding, ...]:
        return tuple(finding for words in strange_words(view.facts) for finding in self._search(words))

    def _search(self, words: Words) -> Iterator[Finding]:
        unseen = [part for hidden in text.unseen_parts(words.text) for part in _all_readings(hidden)]
        seen = text.without_unseen(words.text)
        read = f"{seen}\n{parted(seen)}"
        in_the_open, folded, disguised = " ".join(read.lower().split()), text.fold(read), tuple(readings(seen))
        for pattern in PATTERNS:
            if part := next((p for p in unseen if pattern.regex.search(p)), None):
                yield self._command(words, pattern.out_of_sight, "out of sight", part, pattern)
            elif pattern.in_the_open is not None and pattern.regex.search(folded):
                is_open = pattern.regex.search(in_the_open) is not None
                severity = pattern.in_the_open if is_open else pattern.out_of_sight
                yield self._command(words, severity, "" if is_open else "in disguise", folded, pattern)
            elif reading := next((r for r in disguised if _is_told_by(r, pattern)), None):
                yield self._command(words, pattern.out_of_sight, reading.how, reading.text, pattern)
        yield from self._hidden_words(words, encoded_words(seen))

    def _hidden_words(self, words: Words, encoded: tuple[Reading, ...]) -> Iterator[Finding]:
        if any(comment.strip() for comment in _COMMENT.findall(words.text)):
            yield self._finding(words, Severity.MEDIUM, f"{words.where} has a comment that is not shown")
        if encoded:
            title = f"{words.where} has words {encoded[0].how}, which people do not read"
            yield self._finding(words, Severity.MEDIUM, title, encoded[0].text)

    def _command(self, words: Words, severity: Severity, how: str, haystack: str, pattern: Pattern) -> Finding:
        match = pattern.regex.search(haystack)
        title = f"{words.where}{f', {how},' if how else ''} {pattern.what}"
        return self._finding(words, severity, title, match.group() if match else "")

    def _finding(self, words: Words, severity: Severity, title: str, evidence: str = "") -> Finding:
        return Finding(
            check=self.name,
            severity=severity if words.is_authors else min(severity, Severity.HIGH),
            title=title,
            calls=words.calls,
            evidence=(text.quote(evidence),) if evidence else (),
        )


def _is_told_by(reading: Reading, pattern: Pattern) -> bool:
    """What anybody may say in the open stands in every reading of the letters; what is decoded was hidden."""
    return (pattern.in_the_open is not None or reading.is_decoded) and pattern.regex.search(reading.text) is not None


def _all_readings(hidden: str) -> Iterator[str]:
    yield text.fold(hidden)
    yield from (reading.text for reading in readings(hidden))
