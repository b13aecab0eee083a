"""round-number: is the amount suspiciously round?"""

from pnyx_policies.checks import CheckView
from pnyx_policies.finding import Finding, Severity


class RoundNumber:
    name = "round-number"
    version = "1"

    def run(self, view: CheckView) -> tuple[Finding, ...]:
        calls = [call.path for call in view.facts.every_call() if call.value_wei and call.value_wei % 10**18 == 0]
        title = f"{len(calls)} calls send a whole number of coins"
        return (Finding(check=self.name, severity=Severity.INFO, title=title, calls=tuple(calls)),) if calls else ()
