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
from collections.abc import Callable
from typing import Any

from dbos import DBOS, DBOSClient, DBOSConfig, SetWorkflowID
from dbos import error as dbos_error
from dbos._serialization import Serializer
from pydantic import JsonValue

from pnyx_agents.steward import NotFinalError, StepFailedError, Steward
from pnyx_contracts.errors import PnyxError, RefusedError, UnreachableError
from pnyx_contracts.types import Proposal
from pnyx_tools.old_sqlite import mend_old_sqlite
from pnyx_tools.sender import GivenUpError
from pnyx_tools.signer.protocol import NotYetError

logger = logging.getLogger("pnyx.engine")

WORKFLOW_VERSION = "5"
"""Version of the step sequence in `steward`. Change it when running workflows could not go on with the new code."""

WORD_TOPIC = "word"

LONGEST_WAIT_SECONDS = 60.0


class JsonSerializer(Serializer):
    """JSON only: whoever writes the database must not be able to run code, as with pickle."""

    def serialize(self, data: Any) -> str:  # noqa: ANN401 - whatever a step returned
        return json.dumps(
            {"error": f"{type(data).__name__}: {data}"} if isinstance(data, Exception) else {"value": data}
        )

    def deserialize(self, serialized_data: str) -> Any:  # noqa: ANN401
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

    def __init__(self, stopping: threading.Event) -> None:
        self._stopping = stopping

    def run(self, name: str, work: Callable[[], JsonValue]) -> JsonValue:
        self._go_on()
        result = DBOS.run_step({"name": name}, self._outcome, name, work)
        if "value" in result:
            value: JsonValue = result["value"]
            return value
        if result["refused"]:
            raise RefusedError(result["error"])
        raise StepFailedError(f"step {name!r}: {result['error']}")

    def pause(self, seconds: float) -> None:
        self._go_on()
        DBOS.sleep(seconds)

    def wait_for_word(self, seconds: float) -> JsonValue | None:
        self._go_on()
        return DBOS.recv(WORD_TOPIC, timeout_seconds=seconds)  # type: ignore[no-any-return]

    def _go_on(self) -> None:
        if self._stopping.is_set():
            raise _Stopped

    def _outcome(self, name: str, work: Callable[[], JsonValue]) -> dict[str, Any]:
        """The result as data: an exception in the engine's database would have to be pickled."""
        for attempt in itertools.count():
            try:
                return {"value": work()}
            except NotFinalError:
                pass  # the usual course of things
            except (UnreachableError, NotYetError, GivenUpError) as error:
                if is_worth_a_line(attempt):
                    logger.warning("a step waits and tries again", extra={"step": name, "error": str(error)})
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
_stopping = threading.Event()


@DBOS.workflow(name="steward", max_recovery_attempts=None)
def steward_workflow(proposal: str) -> None:
    """DBOS finds workflows by name, so this is a module-level function around the steward of this process."""
    assert _steward is not None, "Engine.launch has not run"
    known = Proposal.model_validate_json(proposal)
    try:
        _steward.handle(known, DurableSteps(_stopping))
    except dbos_error.DBOSException:
        raise  # the engine's own way to stop a workflow
    except Exception as error:
        logger.exception("a workflow failed in a way nobody foresaw", extra={"proposal": str(known.key)})
        _steward.give_up(known, f"{type(error).__name__}: {error}")


class Engine:
    """One engine per process. `judged_by` names what decisions depend on, beside the code: the configuration's hash."""

    def __init__(self, steward: Steward, *, database: str, executor_id: str, judged_by: str) -> None:
        global _steward
        _steward = steward
        mend_old_sqlite()
        self._version = f"{WORKFLOW_VERSION}:{judged_by}"
        config: DBOSConfig = {
            "name": "pnyx",
            "system_database_url": database,
            "executor_id": executor_id,
            "application_version": self._version,
            "serializer": JsonSerializer(),
            "log_level": "WARNING",
            "enable_otlp": False,
            "notification_listener_polling_interval_sec": 0.5,
        }
        DBOS(config=config)
        _log_like_everybody(logging.getLogger("dbos"))

    def launch(self) -> None:
        """Start, and go on with the workflows of this version that an earlier process left."""
        DBOS.launch()

    def start(self, workflow_id: str, proposal: Proposal) -> None:
        """Start the workflow of a proposal; a second start under the same id changes nothing."""
        with SetWorkflowID(workflow_id):
            DBOS.start_workflow(steward_workflow, proposal.model_dump_json())

    def goes_on(self, workflow_id: str) -> bool:
        """Whether this workflow runs or waits here. Not so when it ended, was never started, or was started under
        another configuration or version: its decision would be another one now.
        """
        status = DBOS.get_workflow_status(workflow_id)
        return status is not None and status.status in {"PENDING", "ENQUEUED"} and status.app_version == self._version

    def cancel(self, workflow_id: str) -> None:
        """It never goes on, whatever version runs later. Changes nothing for one that ended or never was."""
        DBOS.cancel_workflow(workflow_id)

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


def _log_like_everybody(log: logging.Logger) -> None:
    """The engine brings a handler and a format of its own."""
    log.handlers.clear()
    log.propagate = True
    log.setLevel(logging.WARNING)
