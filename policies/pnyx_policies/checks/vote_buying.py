"""vote-buying: does the text promise something for a vote?"""

from __future__ import annotations

import re

from pnyx_policies import text as reading
from pnyx_policies.checks.protocol import CheckView
from pnyx_policies.finding import Finding, Severity

_WHO = (
    r"(?:voters?|holders?|delegates?|members?|addresses|accounts|wallets|every(?:one|body)|any(?:one|body)|those|all"
    r"|whoever)"
)
_FOR = r"(?:for|yes|yea|aye|in favou?r|with us|in support)\b"
_VOTING_FOR = rf"(?:votes?|voted|voting) {_FOR}"
_SUPPORTING = r"(?:who|that) support(?:s|ed)? (?:this|the|our) (?:proposal|vote|request)"
_GAIN = (
    r"(?:receives?|gets?|earns?|collects?|claims?|rewards?|rewarded|paid|airdrops?|bonus|bribes?|refund(?:ed)?"
    r"|shares?|(?:is|are|be) shared|splits?|given|distributed|whitelisted|eligible|discounts?|half the price)\b"
)
_REST = r"[^.!?;\n]{0,160}?"

_GETS = r"(?:receives?|gets?|earns?|(?:be|are) (?:paid|whitelisted|given))"

_PROMISES = tuple(
    re.compile(pattern)
    for pattern in (
        rf"\b{_WHO}\b(?: who| that)?(?: ha(?:s|ve))? {_VOTING_FOR}{_REST}\b{_GAIN}",
        rf"\b{_GAIN}{_REST}\b{_WHO}\b(?: who| that)?(?: ha(?:s|ve))? {_VOTING_FOR}",
        rf"\b{_WHO} {_SUPPORTING}\b[^.!?;\n]{{0,40}}?\b{_GETS}\b",
        rf"\bvote {_FOR}{_REST}\b(?:and|to) (?:you )?(?:will )?(?:claim|get|receive|earn|collect)\b",
        rf"\b{_GAIN}{_REST}\bfor (?:your|their|each|every|an?) (?:yes|for|supporting|favou?rable)[- ]vote",
        r"\b(?:bribes?|rewards?) for (?:yes|for|supporting)[- ]vot(?:es|ers|ing)\b",
        # Spanish, Portuguese, French, German: "those who vote in favour receive"
        rf"\b(?:que|quien|quienes|quem) vot\w{{1,5}} (?:a|em) favor{_REST}\b(?:recib|receb|ganar|cobrar)\w*",
        rf"\bqui vot\w{{1,4}} (?:pour|en faveur){_REST}\b(?:recevr|reçoi|toucher|gagner)\w*",
        rf"\b(?:wer|die) (?:dafür stimm|zustimm)\w*{_REST}\b(?:erhält|erhalten|bekomm)\w*",
    )
)
SHOWN_CHARACTERS = 160


class VoteBuying:
    """High when the text offers something to those who vote in favour, in the usual words of English, Spanish,
    Portuguese, French or German.

    Who was promised something elsewhere, and who is paid among the voters, does not show here. Rewards for taking part,
    whatever one votes, are no finding. Check K17.
    """

    name = "vote-buying"
    version = "1"

    def run(self, view: CheckView) -> tuple[Finding, ...]:
        shown = reading.fold(reading.rendered(view.facts.proposal.text))
        found = next((match for promise in _PROMISES if (match := promise.search(shown))), None)
        if found is None:
            return ()
        words = reading.quote(found[0][:SHOWN_CHARACTERS])
        title = "The text promises something to those who vote in favour"
        return (Finding(check=self.name, severity=Severity.HIGH, title=title, evidence=(words,)),)
