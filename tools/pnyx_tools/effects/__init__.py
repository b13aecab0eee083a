"""What events say happened: who got what, and who got power over what.

An event is the word of the contract that emitted it. For a movement that contract is the asset itself (or Permit2, by
its address), so a lie is a lie about worthless money; for a change it is the contract whose power or code changes.
"""

from pnyx_tools.effects.changes import changes
from pnyx_tools.effects.events import Event, event_arguments, topic_of
from pnyx_tools.effects.movements import NATIVE, TRANSFER, movements

__all__ = ["NATIVE", "TRANSFER", "Event", "changes", "event_arguments", "movements", "topic_of"]
