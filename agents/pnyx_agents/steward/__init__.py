"""One proposal through every step: facts, opinions, decision, record, vote, confirmation.

    establish -> ask -> conclude, seal -> (waiting) -> settled -> recheck -> write -> confirm
                                                                          -> hold: wait for people, seal, write, confirm
                                                                                   (or the wait expires)

`Steps` remembers finished steps, so a process that was killed goes on where it stopped. From the sealed bundle on, the
bundle is what counts. What a step does outside is idempotent by itself as well: bundles are content-addressed, entries
carry an expected sequence number, signed transactions are stored before they are sent, the governor refuses a second
vote. The journal is written inside of steps, so that going on after a restart leaves no trace in it.
"""

from pnyx_agents.steward.pen import Landed, Scribe, StrandedVoteError
from pnyx_agents.steward.steps import NotFinalError, StepFailedError, Steps, Task
from pnyx_agents.steward.steward import Steward
from pnyx_agents.steward.waiting import Times

__all__ = [
    "Landed",
    "NotFinalError",
    "Scribe",
    "StepFailedError",
    "Steps",
    "Steward",
    "StrandedVoteError",
    "Task",
    "Times",
]
