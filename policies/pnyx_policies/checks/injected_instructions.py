"""injected-instructions: does the text speak to a machine instead of to people?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pnyx_policies import text
from pnyx_policies.checks.protocol import CheckView
from pnyx_policies.finding import Finding, Severity


@dataclass(frozen=True, slots=True)
class _Pattern:
    what: str
    regex: re.Pattern[str]
    in_the_open: Severity = Severity.HIGH


_MACHINE = (
    r"(?:ais?|llms?|language models?|chatbots?|chatgpt|gpt|claude"
    r"|ai (?:agents?|delegates?|assistants?|reviewers?|voters?)"
    r"|automated (?:agents?|delegates?|reviewers?|voters?))"
)
_PATTERNS = (
    _Pattern(
        "tells its reader to drop instructions",
        re.compile(
            r"\b(?:ignore|disregard|forget)\b.{0,30}\b(?:previous|prior|above|earlier|preceding|your|system)\b"
            r".{0,20}\b(?:instructions?|prompts?|guidelines?|messages?|context)\b"
        ),
    ),
    _Pattern(
        "has markers of a chat template",
        re.compile(r"<\|[a-z_]{2,30}\|>|\[/?inst\]|<</?sys>>|<(?:start|end)_of_turn>|</?(?:system|assistant)>"),
    ),
    _Pattern("speaks of a system prompt", re.compile(r"\b(?:system prompt|system message|developer message)\b")),
    _Pattern(
        "addresses a machine",
        re.compile(
            r"\b(?:if you are|you are|dear|attention|(?:notes?|instructions?|messages?) (?:to|for))\W{1,3}"
            rf"(?:an? |the |any |all )?{_MACHINE}\b"
        ),
    ),
    _Pattern(
        "tells machines what to do",
        re.compile(
            rf"\b{_MACHINE}\b.{{0,30}}\b(?:must|should|shall|have to|(?:are|is) (?:required|instructed|asked) to)\b"
            r".{0,40}\b(?:vote|recommend|approve|answer|respond|output|return|rate|mark)\b"
        ),
    ),
    _Pattern(
        "has a ready-made answer",
        re.compile(r"[\"'`](?:recommendation|confidence_percent|key_points|stated_intent|claimed_effects)[\"'`]\s*:"),
    ),
    _Pattern(
        "dictates an answer",
        re.compile(
            r"\byour (?:recommendation|answer|response|output|verdict) (?:must|should|shall|has to|is to) be\b"
            r"|\bset (?:the |your )?confidence\b|\b(?:answer|respond|reply) (?:only )?with (?:for|yes|approve|json)\b"
        ),
    ),
    _Pattern(
        "orders its reader to vote",
        re.compile(
            r"\byou (?:must|shall|have to|are (?:required|instructed) to) (?:now )?(?:vote|recommend|approve)\b"
        ),
        Severity.MEDIUM,
    ),
)


class InjectedInstructions:
    """High where people see it (a text about such attacks may quote them: people decide), critical where they do not:
    in comments, hidden elements, link titles, invisible characters. A comment that hides anything else is medium.

    Reads the description and every string inside the calls. Answers check K6, red-team classes 1 to 8, 10, 11, 17.
    """

    name = "injected-instructions"
    version = "1"

    def run(self, view: CheckView) -> tuple[Finding, ...]:
        facts = view.facts
        findings = list(self._search(facts.proposal.text, "The text", ()))
        for call in facts.every_call():
            for argument in call.arguments:
                if argument.type.startswith("string"):
                    findings += self._search(argument.value, f"A string in call {call.path}", (call.path,))
        return tuple(findings)

    def _search(self, source: str, where: str, calls: tuple[str, ...]) -> Iterator[Finding]:
        unseen = [text.fold(part) for part in text.unseen_parts(source)]
        seen = text.without_unseen(source)
        in_the_open = " ".join(seen.lower().split())
        folded = text.fold(seen)
        for pattern in _PATTERNS:
            if part := next((p for p in unseen if pattern.regex.search(p)), None):
                yield self._finding(Severity.CRITICAL, f"{where}, out of sight, {pattern.what}", part, pattern, calls)
            elif pattern.regex.search(folded):
                disguised = not pattern.regex.search(in_the_open)
                severity = Severity.CRITICAL if disguised else pattern.in_the_open
                title = f"{where}{', in disguise,' if disguised else ''} {pattern.what}"
                yield self._finding(severity, title, folded, pattern, calls)
        if any(comment.strip() for comment in re.findall(r"<!--(.*?)(?:-->|\Z)", source, re.DOTALL)):
            yield Finding(
                check=self.name, severity=Severity.MEDIUM, title=f"{where} has a comment that is not shown", calls=calls
            )

    def _finding(
        self, severity: Severity, title: str, haystack: str, pattern: _Pattern, calls: tuple[str, ...]
    ) -> Finding:
        match = pattern.regex.search(haystack)
        evidence = (text.quote(match.group()),) if match else ()
        return Finding(check=self.name, severity=severity, title=title, calls=calls, evidence=evidence)
