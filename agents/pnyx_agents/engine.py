"""The durable engine: DBOS. One workflow per (agent, chain, governor, proposal); finished steps are remembered.

What DBOS does not do by itself is done here: a unique stable executor id, no cap on recovery attempts, JSON instead of
pickle in the database, an application version of our own, its console advertisement silenced.

It is not shut down. A process that stops leaves its workflows where they are, as a crash does, and the next one goes
on; waiting for them could take hours, and waking them would look to them like a person who did not answer.
"""

from __future__ import annotations

import itertools
import json
import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from dbos import DBOS, DBOSClient, DBOSConfig, SetWorkflowID, WorkflowStatus
from dbos import error as dbos_error
from dbos._serialization import Serializer
from pydantic import JsonValue

from pnyx_agents.logs import log_like_everybody
from pnyx_agents.observing import Observer
from pnyx_agents.steward import NotFinalError, StepFailedError, Steward, Task
from pnyx_contracts.errors import PnyxError, RefusedError, UnreachableError, UsageError
from pnyx_contracts.types import Proposal
from pnyx_tools.old_sqlite import mend_old_sqlite
from pnyx_tools.sender import GivenUpError
from pnyx_tools.signer.protocol import NotYetError
from pnyx_tools.workers import GivenUpByOthersError

logger = logging.getLogger("pnyx.engine")

WORKFLOW_VERSION = "8"
"""Version of the step sequence in `steward`. Change it when running workflows could not go on with the new code."""

WORD_TOPIC = "word"

LONGEST_WAIT_SECONDS = 60.0

PROPOSALS, TASKS = "proposals", "tasks"
"""Queues. That of the proposals has no limit: they may wait for people for days, and would hold each other's places.
Limits sit on the tasks, where nodes and models are asked."""

QUEUE_POLL_SECONDS = 0.5
A_YEAR_SECONDS = 366 * 24 * 3600.0
LONG_AGO_SECONDS = -A_YEAR_SECONDS
"""The engine remembers until when it listens, by the wall clock: at a time that is over, however that clock jumped."""


@dataclass(frozen=True, slots=True)
class Crew:
    """How several workers share the work. `require_there` raises `GivenUpByOthersError`."""

    require_there: Callable[[], None]
    tasks_at_once: int
    """In this process."""
    tasks_in_all: int | None = None
    tasks_per_minute: int | None = None
    """Begun by all workers together."""


class JsonSerializer(Serializer):
    """JSON only: whoever writes the database must not be able to run code, as with pickle."""

    def serialize(self, data: Any) -> str:  # noqa: ANN401 - whatever a step returned
        return json.dumps(
            {"error": f"{type(data).__name__}: {data}"} if isinstance(data, Exception) else {"value": data}
        )

    def deserialize(self, serialized_data: str) -> Any:  # noqa: ANN401 - whatever a step returned
        kept = json.loads(serialized_data)
        return PnyxError(kept["error"]) if "error" in kept else kept["value"]

    def name(self) -> str:
        return "pnyx_json"


class _Stopped(BaseException):
    """Unwinds a workflow while the process stops. No `Exception`: the engine must not keep it as an outcome."""


class DurableSteps:
    """`steward.Steps` inside a DBOS workflow.

    What is unreachable, or not ready yet, is asked again within the step for as long as it takes: an endpoint that is
    down for a day must not end a workflow. A refusal is the steward's to answer; every other error ends the work on
    this proposal.
    """

    def __init__(self, stopping: threading.Event, crew: Crew | None = None) -> None:
        self._stopping = stopping
        self._crew = crew

    def run(self, name: str, work: Callable[[], JsonValue]) -> JsonValue:
        return self._understood(name, self.remembered(name, work))

    def assign(self, name: str, task: Task, argument: JsonValue) -> JsonValue:
        if self._crew is None:
            return self.run(name, partial(_the_steward().do, task, argument))
        self._go_on()
        with SetWorkflowID(f"{DBOS.workflow_id}/{name}"):
            handle = DBOS.enqueue_workflow(TASKS, task_workflow, name, task, argument)
        return self._understood(name, handle.get_result(polling_interval_sec=QUEUE_POLL_SECONDS))

    def remembered(self, name: str, work: Callable[[], JsonValue]) -> dict[str, Any]:
        """The outcome as data: ``value``, or ``error`` and ``refused``."""
        self._go_on()
        return DBOS.run_step({"name": name}, self._outcome, name, work)

    def _understood(self, name: str, result: dict[str, Any]) -> JsonValue:
        if "value" in result:
            value: JsonValue = result["value"]
            return value
        if result["refused"]:
            raise RefusedError(result["error"])
        raise StepFailedError(f"step {name!r}: {result['error']}")

    def pause(self, seconds: float) -> None:
        """Not the engine's own sleep: that remembers when to wake by a clock that may have jumped, and after a restart
        sleeps until then.
        """
        self._go_on()
        DBOS.run_step({"name": "pause"}, self._paused, seconds)

    def _paused(self, seconds: float) -> None:
        if self._stopping.wait(seconds):
            raise _Stopped

    def wait_for_word(self, seconds: float | None) -> JsonValue | None:
        self._go_on()
        if seconds:
            self.pause(seconds)
        until = A_YEAR_SECONDS if seconds is None else LONG_AGO_SECONDS
        word: JsonValue = DBOS.recv(WORD_TOPIC, timeout_seconds=until)
        return word

    def _go_on(self) -> None:
        if self._stopping.is_set():
            raise _Stopped

    def _outcome(self, name: str, work: Callable[[], JsonValue]) -> dict[str, Any]:
        """The result as data: an exception in the engine's database would have to be pickled. Whoever was given up by
        the other workers remembers nothing: one of them does this step again.
        """
        with _the_observer().step(name) as span:
            outcome = self._worked(work)
            if "error" in outcome:
                span.fail("refused" if outcome["refused"] else "failed")
        if self._crew is not None:
            self._worked(self._crew.require_there)  # as patient as any step while the database is away
        return outcome

    def _worked(self, work: Callable[[], JsonValue]) -> dict[str, Any]:
        for attempt in itertools.count():
            try:
                return {"value": work()}
            except GivenUpByOthersError:
                raise _Stopped from None
            except NotFinalError:
                pass  # the usual course of things
            except (UnreachableError, NotYetError, GivenUpError) as error:
                if is_worth_a_line(attempt):
                    logger.warning("a step waits and tries again", extra={"error": str(error)})
            except PnyxError as error:
                return {"error": str(error), "refused": isinstance(error, RefusedError)}
            except Exception as error:
                logger.exception("a step failed in a way nobody foresaw")
                return {"error": f"{type(error).__name__}: {error}", "refused": False}
            if self._stopping.wait(min(2.0**attempt, LONGEST_WAIT_SECONDS)):
                raise _Stopped
        raise AssertionError("unreachable")


def is_worth_a_line(failures: int) -> bool:
    """True for 0, 1, 2, 4, 8 ... failures in a row: an endpoint that is away for a day does not flood the log."""
    return failures & (failures - 1) == 0


_steward: Steward | None = None
_crew: Crew | None = None
_observer: Observer | None = None
_stopping = threading.Event()
_running: set[str] = set()
"""Workflows that a thread of this process is in."""


def _the_steward() -> Steward:
    assert _steward is not None, "there is no engine"
    return _steward


def _the_observer() -> Observer:
    assert _observer is not None, "there is no engine"
    return _observer


@contextmanager
def _in_this_process() -> Iterator[str]:
    """Gives the workflow's id."""
    workflow = DBOS.workflow_id
    assert workflow is not None, "not in a workflow"
    _running.add(workflow)
    try:
        with _the_observer().workflow(workflow):
            yield workflow
    finally:
        _running.discard(workflow)


@DBOS.workflow(name="steward", max_recovery_attempts=None)
def steward_workflow(proposal: str) -> None:
    """DBOS finds workflows by name, so this is a module-level function around the steward of this process."""
    _guarded(proposal, lambda known, steps: _the_steward().handle(known, steps))


@DBOS.workflow(name="take back", max_recovery_attempts=None)
def take_back_workflow(proposal: str) -> None:
    """For a proposal that is gone."""
    _guarded(proposal, lambda known, steps: _the_steward().take_back(known, steps))


def _guarded(proposal: str, work: Callable[[Proposal, DurableSteps], None]) -> None:
    known = Proposal.model_validate_json(proposal)
    with _in_this_process() as workflow:
        begun_at = DBOS.run_step({"name": "begun"}, time.time)
        try:
            work(known, DurableSteps(_stopping, _crew))
        except dbos_error.DBOSException:
            raise  # the engine's own way to stop a workflow
        except GivenUpByOthersError:
            raise _Stopped from None
        except Exception as error:
            logger.exception("a workflow failed in a way nobody foresaw")
            _the_steward().give_up(known, f"{type(error).__name__}: {error}")
        _the_observer().finished(workflow, begun_at)


@DBOS.workflow(name="task", max_recovery_attempts=None)
def task_workflow(name: str, task: Task, argument: JsonValue) -> dict[str, Any]:
    """One task of a proposal, on whichever worker has room for it. The outcome as data."""
    with _in_this_process():
        return DurableSteps(_stopping, _crew).remembered(name, partial(_the_steward().do, task, argument))


class Engine:
    """One engine per process. `judged_by` names what decisions depend on, beside the code: the configuration's hash.
    `crew`: when other processes work on the same database.
    """

    def __init__(
        self,
        steward: Steward,
        observer: Observer,
        *,
        database: str,
        executor_id: str,
        judged_by: str,
        crew: Crew | None = None,
    ) -> None:
        global _steward, _crew, _observer
        _steward, _crew, _observer = steward, crew, observer
        mend_old_sqlite()
        self.version = f"{WORKFLOW_VERSION}:{judged_by}"
        self._me = executor_id
        self._orphans: set[str] = set()
        config: DBOSConfig = {
            "name": "pnyx",
            "system_database_url": database,
            "executor_id": executor_id,
            "application_version": self.version,
            "serializer": JsonSerializer(),
            "log_level": "WARNING",
            "enable_otlp": False,
            "notification_listener_polling_interval_sec": 0.5,
            "run_migrations": False,  # they are `pnyx migrate`'s
        }
        DBOS(config=config)
        log_like_everybody(logging.getLogger("dbos"))

    def launch(self) -> None:
        """Start, and go on with the workflows of this version that an earlier process with this name left. Raises
        `UsageError` when the tables are of another version, `UnreachableError` when the database is away.
        """
        import sqlalchemy as sa

        try:
            DBOS.launch()
            if _crew is not None:
                _register_queues(_crew)
        except dbos_error.DBOSInitializationError as error:
            raise UsageError(f"the workflow database cannot be used: {error}", hint="pnyx migrate") from None
        except sa.exc.OperationalError as error:
            raise UnreachableError(f"the workflow database is away: {error.orig}") from None

    def start(self, workflow_id: str, proposal: Proposal) -> None:
        """Start the workflow of a proposal; a second start under the same id changes nothing."""
        self._start(steward_workflow, workflow_id, proposal)

    def take_back(self, workflow_id: str, proposal: Proposal) -> None:
        """Start the workflow of a proposal that is gone, as `start` does."""
        self._start(take_back_workflow, workflow_id, proposal)

    def _start(self, workflow: Callable[[str], None], workflow_id: str, proposal: Proposal) -> None:
        with SetWorkflowID(workflow_id):
            if _crew is None:
                DBOS.start_workflow(workflow, proposal.model_dump_json())
            else:
                DBOS.enqueue_workflow(PROPOSALS, workflow, proposal.model_dump_json())

    def take_over(self, worker: str) -> int:
        """What a worker left that is gone goes to whoever has room. How many workflows."""
        return self._resume(status.workflow_id for status in self._pending_of(worker))

    def mend(self) -> None:
        """What the database says runs here, and does not, is begun again where it stopped. It happens when a worker
        that was given up finished a step at the last moment: the engine then leaves the workflow to it.
        """
        lost = {status.workflow_id for status in self._pending_of(self._me)} - _running
        self._resume(lost & self._orphans)  # seen twice: between the database and a thread there is a moment
        self._orphans = lost - self._orphans

    def _pending_of(self, worker: str) -> list[WorkflowStatus]:
        return DBOS.list_workflows(status="PENDING", executor_id=worker, load_input=False, load_output=False)

    def _resume(self, workflows: Iterable[str]) -> int:
        """In the queues where they were: limits count there."""
        known = list(workflows)
        for queue in (PROPOSALS, TASKS):
            some = [workflow for workflow in known if ("/" in workflow) == (queue == TASKS)]
            if some:
                DBOS.resume_workflows(some, queue_name=queue)
        return len(known)

    def goes_on(self, workflow_id: str) -> bool:
        """Whether this workflow runs or waits here. Not so when it ended, was never started, or was started under
        another configuration or version: its decision would be another one now.
        """
        status = DBOS.get_workflow_status(workflow_id)
        return status is not None and status.status in {"PENDING", "ENQUEUED"} and status.app_version == self.version

    def cancel(self, workflow_id: str) -> None:
        """It never goes on, whatever version runs later. Changes nothing for one that ended or never was."""
        DBOS.cancel_workflow(workflow_id, cancel_children=True)

    def say_once(self, workflow_id: str, word: JsonValue) -> None:
        """Give a word to a workflow that waits for one; the same word again changes nothing."""
        DBOS.send(workflow_id, word, WORD_TOPIC, idempotency_key=f"{workflow_id}:{json.dumps(word)}")

    def stop(self) -> None:
        """No further step begins. What is unfinished goes on in the next process."""
        _stopping.set()


def say(database: str, workflow_id: str, word: JsonValue) -> None:
    """Give a person's word to a waiting workflow, from another process. It is kept while no daemon runs."""
    mend_old_sqlite()
    client = DBOSClient(system_database_url=database, serializer=JsonSerializer())
    try:
        client.send(workflow_id, word, WORD_TOPIC)
    finally:
        client.destroy()


def _register_queues(crew: Crew) -> None:
    per_minute = crew.tasks_per_minute
    DBOS.register_queue(PROPOSALS, polling_interval_sec=QUEUE_POLL_SECONDS, on_conflict="always_update")
    DBOS.register_queue(
        TASKS,
        worker_concurrency=crew.tasks_at_once,
        global_concurrency=crew.tasks_in_all,
        limiter=None if per_minute is None else {"limit": per_minute, "period": 60.0},
        polling_interval_sec=QUEUE_POLL_SECONDS,
        on_conflict="always_update",
    )
