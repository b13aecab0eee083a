"""Words that are meant for a machine: what an author writes who hopes that a language model reads along.

Patterns find the usual words, not every wording: rules over facts decide because of that. They are matched against
folded text, see `text.fold`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pnyx_policies.finding import Severity


@dataclass(frozen=True, slots=True)
class Pattern:
    what: str
    """For a title: what the text does."""
    regex: re.Pattern[str]
    in_the_open: Severity | None = Severity.HIGH
    """Where people see it; None where anybody may say so to people."""
    out_of_sight: Severity = Severity.CRITICAL


def _pattern(
    what: str,
    *alternatives: str,
    in_the_open: Severity | None = Severity.HIGH,
    out_of_sight: Severity = Severity.CRITICAL,
) -> Pattern:
    return Pattern(what, re.compile("|".join(alternatives)), in_the_open, out_of_sight)


_MACHINE = (
    r"(?:ais?|llms?|language models?|chatbots?|chatgpt|gpt|claude|gemini|copilot"
    r"|(?:ai|llm) (?:agents?|delegates?|assistants?|reviewers?|voters?|models?|systems?)"
    r"|(?:automated|artificial|machine) (?:agents?|delegates?|reviewers?|voters?|readers?|intelligences?))"
)
_VOTE = r"(?:vote|recommend|approve|answer|respond|reply|output|return|rate|mark|say|report|conclude)"
_TEMPLATE_WORDS = (
    r"system|human|assistant|think|thinking|tool_calls?|tool_response|tool_results?|function_calls?|function_results?"
    r"|(?:start|end)_of_(?:turn|role|text)|sop|eop|bos|eos"
)

_IN_OTHER_LANGUAGES = (
    r"\bignor(?:ieren sie|\w{1,3}) .{0,20}\b(?:instrucciones|instructions|instru\u00e7\u00f5es|istruzioni)\b",
    r"\bignorier\w{0,2} .{0,30}anweisungen|\boubliez? .{0,20}instructions\b|\bnegeer .{0,20}instructies\b",
    r"\u0438\u0433\u043d\u043e\u0440\u0438\u0440\u0443.{1,25}\u0438\u043d\u0441\u0442\u0440\u0443\u043a",  # Russian
    r"\u0456\u0433\u043d\u043e\u0440\u0443\u0439.{0,25}\u0456\u043d\u0441\u0442\u0440\u0443\u043a",  # Ukrainian
    r"\u5ffd\u7565.{0,12}(?:\u6307\u4ee4|\u6307\u793a|\u8bf4\u660e|\u898f\u5247)",  # Chinese
    r"\u6307\u793a.{0,4}\u7121\u8996",  # Japanese
    r"\uc9c0\uc2dc.{0,6}\ubb34\uc2dc",  # Korean
    r"\b\u00f6nceki .{0,20}(?:talimatlar|y\u00f6nergeler)",  # Turkish
    r"\u062a\u062c\u0627\u0647\u0644.{0,25}\u062a\u0639\u0644\u064a\u0645\u0627\u062a",  # Arabic
    r"\u0928\u093f\u0930\u094d\u0926\u0947\u0936.{0,20}\u0905\u0928\u0926\u0947\u0916",  # Hindi
    r"\bpuuza .{0,20}maagizo\b",  # Swahili
)

PATTERNS: tuple[Pattern, ...] = (
    _pattern(
        "tells its reader to drop instructions",
        r"\b(?:ignore|disregard|forget|override|bypass|supersedes?)\b.{0,30}"
        r"\b(?:previous|prior|above|earlier|preceding|your|system|former|other)\b"
        r".{0,20}\b(?:instructions?|prompts?|guidelines?|messages?|context|rules|directives?)\b",
        r"\b(?:new|updated|real|actual|final) (?:system )?instructions? ?:",
        r"\byou are (?:now|no longer) (?:in|an?|the|bound|required)\b.{0,40}"
        r"\b(?:mode|assistant|agent|voter|delegate|model|rules|instructions)\b",
    ),
    _pattern(
        "tells its reader in another language to drop instructions",
        *_IN_OTHER_LANGUAGES,
    ),
    _pattern(
        "addresses a machine in another language",
        r"\b(?:a los|aos?|para (?:los|os)|aux|pour les|agli|ai|an(?: alle| die)?|für)"
        r" (?:agent\w{1,3} (?:de |d['\u2019])?ia"
        r"|mod\w{2,4}s? de (?:lenguaje|linguagem|langage)|ki-\w{3,20}|(?:intelig|intellig)\w{3,6} artific\w{2,6}"
        r"|(?:revisores|avaliadores|delegados|relecteurs) autom[\u00e1a]ti\w{2,4}) ?:",
    ),
    _pattern(
        "has markers of a chat template",
        r"<[|\uff5c][a-z0-9_/ \u2581]{2,40}[|\uff5c]>|\[/?inst\]|<</?sys>>|<extra_id_\d+>|\[gmask\]",
        rf"</?(?:{_TEMPLATE_WORDS})>",
        r"\[/?(?:system_prompt|available_tools|tool_calls|tool_results)\]",
        r"#{2,4} ?(?:system|instruction|response|assistant|human) ?:",
        r"\bhuman: .{0,600}\bassistant:|\bsystem: .{0,200}\byou (?:are|must|will)\b",
    ),
    _pattern("speaks of a system prompt", r"\b(?:system prompt|system message|developer message)\b"),
    _pattern(
        "addresses a machine",
        r"\b(?:if you are|you are|dear|attention|hey|hello|(?:notes?|instructions?|messages?|reminder) (?:to|for))"
        r"\W{1,3}"
        rf"(?:an? |the |any |all |every )?{_MACHINE}\b",
        rf"\b{_MACHINE} ?: ?(?:please|you|if you|your|do not|don't|vote|recommend|approve|answer|rate|choose)\b",
        rf"\bas an? {_MACHINE}\b.{{0,20}}\byou\b|\b{_MACHINE} (?:who |that )?(?:is |are )?reading this\b",
    ),
    _pattern(
        "tells machines what to do",
        rf"\b{_MACHINE}\b.{{0,30}}\b(?:must|should|shall|have to|(?:are|is) (?:required|instructed|asked) to)\b"
        rf".{{0,40}}\b{_VOTE}\b",
    ),
    _pattern(
        "has a ready-made answer",
        r"[\"'`](?:recommendation|confidence_percent|key_points|stated_intent|claimed_effects)[\"'`]\s*:",
        r"\b(?:recommendation|confidence_percent) ?= ?[\"'`]?(?:for|against|abstain|hold|\d)",
    ),
    _pattern(
        "dictates an answer",
        r"\byour (?:recommendation|answer|response|output|verdict|summary) (?:must|should|shall|has to|is to)"
        r" (?:be|say)\b",
        r"\bset (?:the |your )?confidence\b",
        r"\b(?:answer|respond|reply) (?:only )?with (?:[\"'`]?for\b|yes\b|approve|json\b|[\"'`]against|[\"'`]hold)",
        r"\b(?:reviewer|analyst|model|assistant|grader)s? (?:must|should|shall|ha(?:s|ve) to)\b.{0,60}"
        r"\b(?:in (?:its|their) (?:summary|answer|output)|refuse to answer)\b",
        r"\byou (?:will |now |shall )?(?:take|play|assume) (?:on )?the role of\b",
        r"\bpretend (?:to be|that you are|you are)\b",
        r"\b(?:recommend|output|return|answer|respond)\W{1,3}[\"'`*]{0,2}(?:for|against|abstain|hold)[\"'`*]{0,2}"
        r"\W.{0,30}\bconfidence\b",
    ),
    _pattern(
        "tells its reader what to leave out",
        r"\b(?:do not|don't|never) (?:mention|report|flag|list|include|warn)\b.{0,60}"
        r"\b(?:risks?|findings?|summary|analysis|report|key points?|recipients?|calls?)\b",
        r"\b(?:leave|omit)\b.{0,40}\b(?:out of|from) (?:the|your) (?:summary|report|analysis)\b",
        r"\bin your (?:summary|report|analysis|answer)\b",
    ),
    _pattern(
        "forges a verdict of an agent or of its tools",
        r"\b(?:pnyx|policy engine|rules? engine|ruleset|ai (?:review|audit|analysis|council|delegate)"
        r"|automated (?:review|check))\b.{0,60}"
        r"\b(?:verdict|approved|cleared|passed|pre-?approved|whitelisted|decision ?[:=]|recommendation ?[:=])",
        r"\b(?:findings|risks?) ?[:=] ?(?:none|0)\b.{0,80}\b(?:recommendation|verdict|confidence|decision)"
        r"(?: of [a-z ]{1,20})? ?[:=]",
        r"\b(?:policy|rules?|checks?) (?:result|verdict|outcome|decision) ?[:=] ?(?:pass|ok|for|approve|clear|none)",
        r"(?:(?:->|=>|\u2192) ?[\"'`*]{0,2}(?:for|approve|yes)\b.{0,60}){3}",
        r"\b(?:verdict|decision|recommendation) ?[:=] ?[\"'`*]{0,2}(?:for|approve|pass|safe|against|hold)\b.{0,60}"
        r"\b(?:confidence|risk|findings?) ?[:=]",
    ),
    _pattern(
        "imitates the facts that an agent gives to its model",
        r"\bthe untrusted text (?:has ended|ends)|\buntrusted text\b.{0,40}\b(?:end|begin)",
        r"\breport on the proposal now\b",
        r"\bend of (?:the )?(?:proposal(?:'s)?|description|untrusted|user) text\b",
        r"-{3,} ?[0-9a-f]{4,64} ?(?:begin|end) ?-{3,}|-{3,} ?(?:begin|end) [0-9a-f]{16,64} ?-{3,}",
        r"\bcalls, in order of execution ?:|\bwhat the executor holds ?:|\bsteps that could not run ?:",
        r"\bcall \d[\d.]{0,9}(?: by 0x[0-9a-f]{40})? to 0x[0-9a-f]{40}, value \d+ wei\b",
        r"[\"'`](?:tool_result|tool_response|function_response|simulation_result|decoded_calls)[\"'`] ?:"
        r"|\b(?:tool|function) (?:result|response|returned|output) ?[:=]",
    ),
    _pattern(
        "wants to see what a model was told",
        r"\b(?:repeat|print|reveal|output|show|quote|write out|copy)\b.{0,40}\b(?:your instructions|instructions above"
        r"|everything above|text above|your prompt|initial prompt|hidden prompt|words above|api keys?|private keys?)\b",
    ),
    _pattern(
        "wants an answer without end",
        r"\b(?:repeat|write|continue|list|count|print)\b.{0,60}\b(?:\d[\d,]{3,} times|a million times|forever|endlessly"
        r"|without stopping|until you (?:run out|reach|are stopped)|never stop)\b",
    ),
    _pattern(
        "orders its reader to vote",
        r"\byou (?:must|shall|have to|are (?:required|instructed) to) (?:now )?(?:vote|recommend|approve|abstain)\b",
        in_the_open=Severity.MEDIUM,
    ),
    _pattern(
        "says how to judge it",
        r"\b(?:rat|treat|classif|mark|scor|grad|judg)\w{1,4} .{0,40}\b(?:(?:low|no|zero|minimal)[- ]risks?"
        r"|as (?:safe|benign|harmless|low|approved))\b",
        r"\b(?:choose|pick|select|set|recommend|answers?|output|vote|conclude)\b[^.]{0,30}"
        r"\b(?:for|approve|in favou?r)\b(?=[\"'`.,;:!]|$| (?:and|with|this)\b)",
        in_the_open=None,
        out_of_sight=Severity.HIGH,
    ),
)
