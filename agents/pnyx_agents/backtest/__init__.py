"""Past proposals through the pipeline of a review, and the report about them."""

from pnyx_agents.backtest.html import html_of
from pnyx_agents.backtest.planning import Wish, plan_of
from pnyx_agents.backtest.table import print_report
from pnyx_agents.backtest.trying import Plan, backtest

__all__ = ["Plan", "Wish", "backtest", "html_of", "plan_of", "print_report"]
