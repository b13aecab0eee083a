"""The audit of a period. Pure: entries, bundles and verdicts become values, and values become sums.

    tell        one entry's bundle -> what was decided, why, by which rule, what people said, what the model cost
    label       one entry's verdicts -> one word for people
    Tally       rows, one at a time -> the sums of one writer

`pnyx_tools.audit` reads the chain and the evidence, `pnyx_agents.audit` writes the report and the feeds. Nothing here
checks anything: what the verifier says is passed on, and what is not known stays None.
"""

from pnyx_policies.audit.label import Label, label
from pnyx_policies.audit.period import Bound, Period
from pnyx_policies.audit.story import NO_STORY, Story, tell
from pnyx_policies.audit.tally import Tally
from pnyx_policies.prices import Prices

__all__ = ["NO_STORY", "Bound", "Label", "Period", "Prices", "Story", "Tally", "label", "tell"]
