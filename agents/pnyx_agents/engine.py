"""The durable engine: DBOS. One workflow per (agent, chain, governor, proposal); finished steps are remembered.

What DBOS does not do by itself is done here: a unique stable executor id, no cap on recovery attempts, JSON instead of
pickle in the database, an application version of our own, its console advertisement silenced.
"""

from __future__ import annotations

import itertools
import json
import logging
from collections.abc import Callable
from typing import Any

from dbos import DBOS, DBOSClient, DBOSConfig, SetWorkflowID
from dbos import error as dbos_error
from dbos._serialization import Serializer
from pydantic import JsonValue

from pnyx_agents.steward import StepFailedError, Steward
from pnyx_contracts.errors import PnyxError, RefusedError, UnreachableError
from pnyx_contracts.types import Proposal
from pnyx_tools.old_sqlite import mend_old_sqlite
from pnyx_tools.sender import GivenUpError
from pnyx_tools.signer.protocol import NotYetError

logger = logging.getLogger("pnyx.engine")

WORKFLOW_VERSION = "1"
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


class DurableSteps:
    """`steward.Steps` inside a DBOS workflow.

    What is unreachable, or not ready yet, is asked again for as long as it takes (the waits are remembered too): an
    endpoint that is down for a day must not end a workflow. A refusal is the steward's to answer; every other error
    ends the work on this proposal.
    """

    def run(self, name: str, work: Callable[[], JsonValue]) -> JsonValue:
        for attempt in itertools.count():
            result = DBOS.run_step({"name": name}, _outcome, work)
            if "value" in result:
                value: JsonValue = result["value"]
                return value
            if result["refused"]:
                raise RefusedError(result["error"])
            if not result["again"]:
                raise StepFailedError(f"step {name!r}: {result['error']}")
            logger.warning("a step waits and tries again", extra={"step": name, "error": result["error"]})
            DBOS.sleep(min(2.0**attempt, LONGEST_WAIT_SECONDS))
        raise AssertionError("unreachable")

    def pause(self, seconds: float) -> None:
        DBOS.sleep(seconds)

    def wait_for_word(self, seconds: float) -> JsonValue | None:
        return DBOS.recv(WORD_TOPIC, timeout_seconds=seconds)  # type: ignore[no-any-return]


def _outcome(work: Callable[[], JsonValue]) -> dict[str, Any]:
    """The result as data: an exception in the engine's database would have to be pickled."""
    try:
        return {"value": work()}
    except (UnreachableError, NotYetError, GivenUpError) as error:
        return {"error": str(error), "again": True, "refused": False}
    except PnyxError as error:
        return {"error": str(error), "again": False, "refused": isinstance(error, RefusedError)}
    except Exception as error:
        logger.exception("a step failed in a way nobody foresaw")
        return {"error": f"{type(error).__name__}: {error}", "again": False, "refused": False}


_steward: Steward | None = None


@DBOS.workflow(name="steward", max_recovery_attempts=None)
def steward_workflow(proposal: str) -> None:
    """DBOS finds workflows by name, so this is a module-level function around the steward of this process."""
    assert _steward is not None, "Engine.launch has not run"
    known = Proposal.model_validate_json(proposal)
    try:
        _steward.handle(known, DurableSteps())
    except dbos_error.DBOSException:
        raise  # the engine's own way to stop a workflow
    except Exception as error:
        logger.exception("a workflow failed in a way nobody foresaw", extra={"proposal": str(known.key)})
        _steward.give_up(known, f"{type(error).__name__}: {error}")


class Engine:
    """One engine per process."""

    def __init__(self, steward: Steward, *, database: str, executor_id: str) -> None:
        global _steward
        _steward = steward
        mend_old_sqlite()
        for name in ("dbos", "dbos.conductor"):
            logging.getLogger(name).setLevel(logging.WARNING)
        config: DBOSConfig = {
            "name": "pnyx",
            "system_database_url": database,
            "executor_id": executor_id,
            "application_version": WORKFLOW_VERSION,
            "serializer": JsonSerializer(),
            "log_level": "WARNING",
            "enable_otlp": False,
            "notification_listener_polling_interval_sec": 0.5,
        }
        DBOS(config=config)

    def launch(self) -> None:
        """Start, and take up the workflows that an earlier process left."""
        DBOS.launch()

    def start(self, workflow_id: str, proposal: Proposal) -> None:
        """Start the workflow of a proposal; a second start under the same id changes nothing."""
        with SetWorkflowID(workflow_id):
            DBOS.start_workflow(steward_workflow, proposal.model_dump_json())

    def close(self) -> None:
        """Stop taking steps; what is unfinished goes on after the next launch.

        Workflows that wait for people are cut off in their wait, and the engine would call that an error.
        """
        logging.getLogger("dbos").disabled = True
        DBOS.destroy(workflow_completion_timeout_sec=0)


def say(database: str, workflow_id: str, word: JsonValue) -> None:
    """Give a person's word to a waiting workflow, from another process."""
    mend_old_sqlite()
    client = DBOSClient(system_database_url=database, serializer=JsonSerializer())
    try:
        client.send(workflow_id, word, WORD_TOPIC)
    finally:
        client.destroy()
