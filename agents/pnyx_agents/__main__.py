"""``python -m pnyx_agents`` is ``pnyx``."""

from pnyx_agents.cli import main

main()
