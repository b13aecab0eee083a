"""Runs one of our programs, and kills it inside a chosen window, as ``kill -9`` or a power cut would:

    python -m pnyx_tools.testing.faults.killing --at NAME:WHEN:COUNT pnyx_agents run --config pnyx.toml

NAME is one of `WINDOWS`, WHEN ``before`` or ``after`` the call there, COUNT which of the calls in this process. The
windows are functions of the real program, named by their import paths and wrapped here: a rename breaks loudly. With
``--witness FILE`` nobody is killed, and the file gets the names of the windows that it came through.
"""

from __future__ import annotations

import argparse
import importlib
import itertools
import os
import runpy
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, Final, Literal

from pnyx_contracts.errors import UsageError

When = Literal["before", "after"]

SIGNER_MODULE: Final = "pnyx_tools.signer"
SIGNER_ARGUMENTS: Final = ["-I", "-m", SIGNER_MODULE]
"""Of Python, as the program starts its signer."""
SIGNER_COMMAND: Final = "signer"
"""Of ``pnyx``: a signer apart."""
LOOKS_BETWEEN_JUMPS: Final = 7


@dataclass(frozen=True, slots=True)
class Window:
    """A call in a program. With `word`, only calls whose arguments say it."""

    path: str
    """``module:function`` or ``module:Class.method``."""
    word: str = ""
    in_signer: bool = False


def _step(name: str, part: str) -> Window:
    return Window(f"pnyx_agents.engine:DurableSteps.{part}", f"{name}:")


WINDOWS: Final[dict[str, Window]] = {
    "journal.found": Window("pnyx_tools.journal:Journal.follow", "content="),
    "journal.started": Window("pnyx_tools.journal:Journal.advance", "Stage.STARTED"),
    "engine.start": Window("pnyx_agents.engine:Engine.start"),
    "step.establish": _step("establish", "_outcome"),
    "remembered.establish": _step("establish", "assign"),
    "step.ask": _step("ask", "_outcome"),
    "remembered.ask": _step("ask", "assign"),
    "step.seal": _step("seal", "_outcome"),
    "evidence.bundle": Window("pnyx_tools.evidence.vault:Vault.put_bundle"),
    "evidence.configuration": Window("pnyx_tools.evidence.vault:Vault.put_configuration"),
    "journal.reviewed": Window("pnyx_tools.journal:Journal.work_on", "Stage.REVIEWED"),
    "remembered.seal": _step("seal", "run"),
    "step.settled": _step("settled", "_outcome"),
    "remembered.settled": _step("settled", "run"),
    "remembered.recheck": _step("recheck", "run"),
    "step.write": _step("write", "_outcome"),
    "journal.voting": Window("pnyx_tools.journal:Journal.work_on", "Stage.VOTING"),
    "outbox.spending": Window("pnyx_tools.journal:Journal.save", "ledger:"),
    "signer.sign": Window("pnyx_tools.signer.client:SignerClient.sign"),
    "signer-process.vote": Window("pnyx_tools.signer.memory:Memory.remember_vote", in_signer=True),
    "signer-process.spending": Window("pnyx_tools.signer.memory:Memory.remember_spending", in_signer=True),
    "signer-process.answer": Window("pnyx_tools.signer.service:send_frame", "Signed(", in_signer=True),
    "outbox.signed": Window("pnyx_tools.journal:Journal.save", '"attempts":[{'),
    "outbox.charged": Window("pnyx_tools.journal:Journal.save", "charged:"),
    "chain.send": Window("pnyx_tools.chain:Chain.send_raw"),
    "chain.receipt": Window("pnyx_tools.rpc:Rpc.receipt"),
    "journal.confirming": Window("pnyx_tools.journal:Journal.work_on", "Stage.CONFIRMING"),
    "remembered.write": _step("write", "run"),
    "step.confirm": _step("confirm", "_outcome"),
    "journal.done": Window("pnyx_tools.journal:Journal.work_on", "Stage.DONE"),
    "remembered.confirm": _step("confirm", "run"),
}
"""In the order in which a proposal comes through them."""


@dataclass(frozen=True, slots=True)
class Kill:
    """Where to die."""

    name: str
    when: When
    count: int = 1

    @property
    def window(self) -> Window:
        return WINDOWS[self.name]

    @classmethod
    def parse(cls, text: str) -> Kill:
        """``NAME:WHEN:COUNT``. Raises `UsageError`."""
        name, when, count = [*text.split(":"), "", ""][:3]
        if name not in WINDOWS or not count.isdigit():
            raise UsageError(f"no window {text!r}", hint=f"NAME:before|after:COUNT with one of {', '.join(WINDOWS)}")
        match when:
            case "before" | "after":
                return cls(name, when, int(count))
        raise UsageError(f"{text!r}: dies before or after a call, not {when!r}")

    def __str__(self) -> str:
        return f"{self.name}:{self.when}:{self.count}"


@dataclass(frozen=True, slots=True)
class Trouble:
    """What a program is started with."""

    kill: Kill | None = None
    timeout_seconds: float | None = None
    """How long an endpoint may take: less than usual, so that time-outs come by the hundred."""
    jump_seconds: float = 0
    """How far the machine's clock jumps, forward or back, again and again, as long as the program runs."""
    witness: Path | None = None
    """A file that gets the name of each window that is come through."""

    def arguments(self) -> list[str]:
        kill = ["--at", str(self.kill)] if self.kill else []
        timeout = [] if self.timeout_seconds is None else ["--timeout", str(self.timeout_seconds)]
        jump = [f"--jump={self.jump_seconds}"] if self.jump_seconds else []
        return kill + timeout + jump + (["--witness", str(self.witness)] if self.witness else [])


def find(path: str) -> tuple[Any, str, Callable[..., Any]]:
    """The owner, the name there, and the function. Raises `UsageError` when the program has no such function."""
    module, _, names = path.partition(":")
    *owners, name = names.split(".")
    try:
        owner: Any = importlib.import_module(module)
        for each in owners:
            owner = getattr(owner, each)
        return owner, name, getattr(owner, name)
    except (ImportError, AttributeError) as error:
        raise UsageError(f"the window {path} is gone: {error}", hint="name what took its place in WINDOWS") from error


def arm(kill: Kill) -> None:
    """From now on the window is deadly."""
    calls = itertools.count(1)

    @contextmanager
    def deadly() -> Iterator[None]:
        if kill.when == "before" and next(calls) == kill.count:
            die()
        yield
        if kill.when == "after" and next(calls) == kill.count:  # one that failed is none to die after
            die()

    _stand_around(kill.window, deadly)


def bear_witness(name: str, file: Path) -> None:
    """From now on the file says when the window was come through."""

    @contextmanager
    def witnessed() -> Iterator[None]:
        yield
        with file.open("a", encoding="utf-8") as told:
            told.write(f"{name}\n")

    _stand_around(WINDOWS[name], witnessed)


def _stand_around(window: Window, around: Callable[[], AbstractContextManager[None]]) -> None:
    """Each call of the window happens inside `around`."""
    owner, name, original = find(window.path)

    @wraps(original)
    def surrounded(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - stands for any function
        if window.word and window.word not in repr((arguments, options)):
            return original(*arguments, **options)
        with around():
            return original(*arguments, **options)

    setattr(owner, name, surrounded)


def die() -> None:
    """At once, without a word. Children live on for as long as they would after ``kill -9``."""
    os.kill(os.getpid(), signal.SIGKILL)
    threading.Event().wait()  # the signal is on its way: nothing more of this program may run


def run(
    module: str, arguments: Sequence[str], trouble: Trouble, pass_on: Callable[[Trouble], None] | None = None
) -> None:
    """`module` as ``python -m`` runs it, in this process. `pass_on`: sees to it that its signer gets the trouble."""
    _shorten_timeouts(trouble.timeout_seconds)
    _let_the_clock_jump(trouble.jump_seconds)
    is_signer = module == SIGNER_MODULE or list(arguments[:1]) == [SIGNER_COMMAND]
    if trouble.kill is not None and trouble.kill.window.in_signer is is_signer:
        arm(trouble.kill)
    if trouble.witness is not None:
        for name in [name for name, window in WINDOWS.items() if window.in_signer is is_signer]:
            bear_witness(name, trouble.witness)
    if not is_signer:
        (pass_on or _pass_on_to_the_signer)(trouble)
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _shorten_timeouts(seconds: float | None) -> None:
    if seconds is None:
        return
    for path in ("pnyx_tools.rpc:Rpc.__init__", "pnyx_tools.chain:Chain.__init__"):
        find(path)[2].__defaults__ = (seconds,)


def _let_the_clock_jump(seconds: float) -> None:
    """There and back with every few looks at it; what measures intervals (``time.monotonic``) goes on as it should."""
    if not seconds:
        return
    true, looks = time.time, itertools.count()
    setattr(time, "time", lambda: true() + seconds * (next(looks) // LOOKS_BETWEEN_JUMPS % 2))  # noqa: B010 - a function


def _pass_on_to_the_signer(trouble: Trouble) -> None:
    """The signer that the program starts as its child gets the same trouble."""
    if not trouble.arguments():
        return
    unusual = ["-I", "-m", __spec__.name if __spec__ else __name__, *trouble.arguments(), SIGNER_MODULE]

    class Popen(subprocess.Popen[str]):
        def __init__(self, arguments: Sequence[str], **options: Any) -> None:  # noqa: ANN401 - passed on
            changed = [arguments[0], *unusual] if list(arguments[1:]) == SIGNER_ARGUMENTS else arguments
            super().__init__(changed, **options)

    setattr(subprocess, "Popen", Popen)  # noqa: B010 - mypy takes no assignment to a class


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--at", type=Kill.parse, metavar="NAME:WHEN:COUNT")
    parser.add_argument("--timeout", type=float, metavar="SECONDS")
    parser.add_argument("--jump", type=float, default=0, metavar="SECONDS")
    parser.add_argument("--witness", type=Path, metavar="FILE")
    parser.add_argument("module")
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    given = parser.parse_args()
    run(given.module, given.arguments, Trouble(given.at, given.timeout, given.jump, given.witness))


if __name__ == "__main__":
    main()
