"""Following a chain: its head block by block (`stream`), what is older in pieces (`history`), and the proposals."""

from pnyx_tools.follow.council import Council
from pnyx_tools.follow.hint import Hints
from pnyx_tools.follow.history import Chapter, read_history
from pnyx_tools.follow.kept import from_kept, to_kept
from pnyx_tools.follow.position import Position
from pnyx_tools.follow.proposals import Undecodable, Watched, Watchlist
from pnyx_tools.follow.since import below, block_since
from pnyx_tools.follow.stream import (
    Advanced,
    DeepReorganisationError,
    Finality,
    Rewound,
    Settled,
    Step,
    Stream,
    Waiting,
)

__all__ = [
    "Advanced",
    "Chapter",
    "Council",
    "DeepReorganisationError",
    "Finality",
    "Hints",
    "Position",
    "Rewound",
    "Settled",
    "Step",
    "Stream",
    "Undecodable",
    "Waiting",
    "Watched",
    "Watchlist",
    "below",
    "block_since",
    "from_kept",
    "read_history",
    "to_kept",
]
