"""Those who have not answered are reminded, the others are left in peace; deadlines that move take reminders along."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from pnyx_agents.crier import Crier, Place
from pnyx_agents.crowd import Crowd
from pnyx_agents.deadlines import Deadline, DeadlineOf, Deadlines
from pnyx_agents.metrics import Metrics
from pnyx_agents.reminders import Reminders
from pnyx_agents.reviewer import Governed
from pnyx_contracts.errors import UnreachableError
from pnyx_contracts.types import Proposal, ProposalKey
from pnyx_tools.follow import to_kept
from pnyx_tools.journal import Found, Journal, Stage
from pnyx_tools.notify import Message, Urgency
from pnyx_tools.notify.ledger import Ledger
from pnyx_tools.rpc import Rpc
from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.deploy import Clock as ClockKind
from pnyx_tools.testing.deploy import deploy_governance
from pnyx_tools.testing.provider import Provider

from .conftest import Clock, Ear

HOUR = 3600.0
GOVERNOR = "0x323A76393544d5ecca80cd6ef2A560C6a395b7E3"
ADA, BOB, EVE = (f"0x{digit * 40}" for digit in "123")
ROOT = "0x" + "55" * 32


def proposal(number: int) -> Proposal:
    return Proposal(
        key=ProposalKey(chain_id=1, governor=GOVERNOR, proposal_id=number), proposer=GOVERNOR, calls=(),
        description=b"# Pay", vote_start=1, vote_end=2, created_block=1, created_transaction=bytes(32),
    )  # fmt: skip


@dataclass
class Scene:
    """A journal with proposals, people with their ears, and a clock that starts when the first was held."""

    journal: Journal
    clock: Clock
    approvers: frozenset[str] = frozenset()
    deadline: Deadline | Exception | None = None
    end_seconds: float = 0
    margin_seconds: float | None = None
    public: Ear = field(default_factory=Ear)
    ears: dict[str, Ear] = field(default_factory=lambda: {ADA: Ear(), BOB: Ear()})

    def __post_init__(self) -> None:
        self.clock.time = time.time()
        self.deadline = Deadline(1_000, self.clock() + 100 * HOUR, in_blocks=False)

    @property
    def ledger(self) -> Ledger:
        return Ledger(self.journal.database)

    @property
    def reminders(self) -> Reminders:
        return Reminders(
            self.journal, self.ledger, self, Crowd(self.journal), (72 * HOUR, 24 * HOUR, 6 * HOUR), HOUR,
            approvers=self.approvers, people=frozenset(self.ears), end_seconds=self.end_seconds,
            margin_seconds=self.margin_seconds, now=self.clock,
        )  # fmt: skip

    def together(self, _keys: Sequence[ProposalKey]) -> DeadlineOf:
        return self.of

    def of(self, _key: ProposalKey, _created_block: int) -> Deadline | None:
        if isinstance(self.deadline, Exception):
            raise self.deadline
        return self.deadline

    def add(self, number: int, stage: Stage) -> str:
        known = proposal(number)
        key = str(known.key)
        content = to_kept(known)
        self.journal.follow(
            "{}", [Found(proposal=key, content=content, title="Pay @everyone", deadline="2", created_block=1)]
        )
        self.journal.advance(key, stage, record_root=ROOT, outcome="for", reason="It is calm.")
        return key

    def look_when_left(self, hours: float) -> None:
        """Let the time pass until the deadline is so near, look, and tell."""
        assert isinstance(self.deadline, Deadline)
        self.clock.time = self.deadline.at - hours * HOUR
        own = [Place(person, ear, person=person) for person, ear in self.ears.items()]
        reminders = self.reminders
        crier = Crier(
            self.ledger, (Place("public", self.public), *own), Metrics(), "x", now=self.clock,
            is_outdated=reminders.is_outdated, date=reminders.date,
        )  # fmt: skip
        reminders.look(crier)
        for place in crier.places:
            crier.deliver(place)

    def heard(self) -> dict[str, list[str]]:
        """By whom: what, since this was asked last."""
        ears = {"public": self.public, "Ada": self.ears.get(ADA, Ear()), "Bob": self.ears.get(BOB, Ear())}
        said = {who: [m.subject for m in ear.heard] for who, ear in ears.items() if ear.heard}
        for ear in ears.values():
            ear.heard.clear()
        return said


MakeScene = Callable[..., Scene]
REMINDER, ALARM = ["waits for people"], ["nears its end undecided"]


@pytest.fixture
def make_scene(tmp_path: Path, clock: Clock) -> Iterator[MakeScene]:
    journal = Journal(f"sqlite:///{tmp_path / 'journal.sqlite'}")
    yield lambda *approvers: Scene(journal, clock, frozenset(approvers))
    journal.close()


def test_without_approvers_everybody_is_reminded(make_scene: MakeScene) -> None:
    scene = make_scene()
    key = scene.add(7, Stage.HELD)
    heard = []
    for hours in (99, 73, 72, 71, 24, 7, 6, 5, 2):
        scene.look_when_left(hours)
        heard += [(hours, message) for message in scene.public.heard]
        scene.public.heard.clear()
    assert [hours for hours, _ in heard] == [72, 24, 6]
    message = heard[0][1]
    assert (message.urgency, message.proposal, message.to_do) == (
        Urgency.ACTION, key, "pnyx approve 7, or pnyx reject 7",
    )  # fmt: skip
    assert message.title is not None
    assert message.title.text == "Pay \uff20everyone"
    assert message.deadline.endswith(" UTC")


@pytest.mark.parametrize(("hours_of_voting", "quiet", "told"), [(20, 1.1, 1), (1, 0.6, 0.5)])
def test_one_that_is_still_called_not_open_shortly_before_its_end_is_told(
    make_scene: MakeScene, hours_of_voting: int, quiet: float, told: float
) -> None:
    """An endpoint says so against the truth; not before half of the time to vote is over."""
    scene = make_scene()
    assert isinstance(scene.deadline, Deadline)
    scene.deadline = replace(scene.deadline, seconds_per_tick=hours_of_voting * HOUR)  # voting takes one tick
    scene.add(7, Stage.WAITING)
    scene.look_when_left(quiet)
    assert scene.heard() == {}
    scene.look_when_left(told)
    (message,) = scene.public.heard
    assert (message.subject, message.to_do) == (*ALARM, "is its vote open? pnyx doctor compares the endpoints")


def test_nobody_is_reminded_of_a_flood_before_its_end_is_near(make_scene: MakeScene) -> None:
    scene = make_scene()
    for number in range(6):
        scene.add(number, Stage.HELD)
    scene.look_when_left(24)
    assert scene.heard() == {}
    scene.look_when_left(0.5)
    assert scene.heard() == {"public": ["6 messages (6 alert)"]}


def test_a_vote_that_waits_for_the_owners_of_a_safe_is_reminded_of(make_scene: MakeScene) -> None:
    scene = make_scene(ADA)
    scene.add(7, Stage.PROPOSED)
    scene.look_when_left(72)
    (message,) = scene.public.heard
    assert (message.urgency, message.subject) == (Urgency.ACTION, "waits for the owners of the Safe")
    assert message.to_do == "pnyx safe show 7"
    scene.heard()
    scene.look_when_left(71)
    assert scene.heard() == {}
    scene.look_when_left(1)
    assert scene.heard()["public"] == ALARM


def test_people_are_reminded_of_the_end_of_their_time_and_not_of_the_votes(make_scene: MakeScene) -> None:
    """A day before it; at most a quarter of the hundred hours that they had."""
    for end_hours, reminded_at in ((24, 30), (50, 31)):
        scene = make_scene(ADA)
        scene.end_seconds = end_hours * HOUR
        scene.add(end_hours, Stage.HELD)
        heard = []
        for hours in (95, 48, 32, 31, 30, 29):
            scene.look_when_left(hours)
            heard += [hours] * len(scene.heard())
        assert heard[-1] == reminded_at, "six hours before the end of their time"


def test_each_person_is_reminded_until_his_or_her_own_word_came(make_scene: MakeScene) -> None:
    scene = make_scene(ADA, BOB)
    key = scene.add(7, Stage.HELD)
    scene.look_when_left(72)
    assert scene.heard() == {"Ada": REMINDER, "Bob": REMINDER}
    scene.ledger.note_answer(key, ROOT, ADA)
    scene.look_when_left(24)
    assert scene.heard() == {"Bob": REMINDER}
    scene.ledger.note_answer(key, ROOT, BOB)
    scene.look_when_left(6)
    assert scene.heard() == {}


def test_an_approver_without_a_place_is_reminded_in_public(make_scene: MakeScene) -> None:
    scene = make_scene(ADA, EVE)
    key = scene.add(7, Stage.HELD)
    scene.look_when_left(72)
    assert scene.heard() == {"Ada": REMINDER, "public": REMINDER}
    scene.ledger.note_answer(key, ROOT, EVE)
    scene.look_when_left(24)
    assert scene.heard() == {"Ada": REMINDER}


def test_a_word_on_another_decision_is_none(make_scene: MakeScene) -> None:
    scene = make_scene(ADA)
    key = scene.add(7, Stage.HELD)
    scene.ledger.note_answer(key, "0x" + "44" * 32, ADA)
    scene.look_when_left(72)
    assert scene.heard() == {"Ada": REMINDER}


def test_a_reminder_that_waited_while_somebody_answered_is_dropped(make_scene: MakeScene) -> None:
    scene = make_scene(ADA, BOB)
    key = scene.add(7, Stage.HELD)
    for ear in scene.ears.values():
        ear.error = UnreachableError("no network")
    scene.look_when_left(72)
    for ear in scene.ears.values():
        ear.error = None
    scene.ledger.note_answer(key, ROOT, ADA)
    scene.look_when_left(71)
    assert scene.heard() == {"Bob": REMINDER}


def test_what_is_done_is_reminded_of_no_more(make_scene: MakeScene) -> None:
    scene = make_scene()
    key = scene.add(7, Stage.HELD)
    scene.public.error = UnreachableError("no network")
    scene.look_when_left(72)
    scene.public.error = None
    scene.journal.advance(key, Stage.DONE)
    for hours in (71, 24, 6, 1):
        scene.look_when_left(hours)
    assert scene.heard() == {}


def test_reminders_follow_a_deadline_that_moves(make_scene: MakeScene) -> None:
    """Late quorum: it is later than it was, and people are reminded before the new end as well."""
    scene = make_scene()
    scene.add(7, Stage.HELD)
    scene.look_when_left(24)
    scene.look_when_left(6)
    assert scene.heard() == {"public": REMINDER * 2}
    assert isinstance(scene.deadline, Deadline)
    scene.deadline = replace(scene.deadline, timepoint=2_000, at=scene.deadline.at + 40 * HOUR)
    scene.look_when_left(30)
    assert scene.heard() == {"public": REMINDER}, "it is three days before the new end by now"
    scene.look_when_left(24)
    assert scene.heard() == {"public": REMINDER}
    scene.deadline = replace(scene.deadline, timepoint=1_500, at=scene.deadline.at - 20 * HOUR)
    scene.look_when_left(4)
    assert scene.heard() == {"public": REMINDER}


@pytest.mark.parametrize("stage", list(Stage))
def test_what_nears_its_end_undecided_is_an_alert(make_scene: MakeScene, stage: Stage) -> None:
    scene = make_scene(ADA, BOB)
    key = scene.add(7, stage)
    scene.ledger.note_answer(key, ROOT, ADA)
    scene.look_when_left(2)
    scene.heard()
    for hours in (1, 0.5, 0.1):
        scene.look_when_left(hours)
    decided = stage in {Stage.CONFIRMING, Stage.DONE, Stage.GONE, Stage.WAITING, Stage.PAST, Stage.VOID}
    assert scene.heard() == ({} if decided else {"public": ALARM, "Bob": ALARM})


def test_a_decided_vote_that_waits_for_its_time_is_no_alarm_before_that(make_scene: MakeScene) -> None:
    scene = make_scene()
    scene.margin_seconds = 0.5 * HOUR
    scene.add(7, Stage.REVIEWED)
    scene.look_when_left(0.9)
    scene.look_when_left(0.3)
    assert scene.heard() == {}
    scene.look_when_left(0.2)
    assert scene.heard() == {"public": ALARM}
    scene.add(8, Stage.HELD)
    scene.deadline = replace(scene.deadline, at=scene.clock() + 100 * HOUR, timepoint=2_000)
    scene.look_when_left(0.9)
    assert scene.heard() == {"public": ALARM}, "what nobody decided waits for nothing"


def test_what_was_begun_shortly_before_its_end_is_alarmed_in_half_of_the_time(make_scene: MakeScene) -> None:
    scene = make_scene()
    scene.deadline = Deadline(1_000, scene.clock() + 0.5 * HOUR, in_blocks=False)
    scene.add(7, Stage.STARTED)
    scene.look_when_left(0.3)
    assert scene.heard() == {}
    scene.look_when_left(0.2)
    assert scene.heard() == {"public": ALARM}


def test_an_endpoint_that_is_away_is_asked_again(make_scene: MakeScene) -> None:
    scene = make_scene()
    scene.add(7, Stage.HELD)
    good, scene.deadline = scene.deadline, UnreachableError("no network")
    reminders = scene.reminders
    reminders.look(SimpleNamespace())  # nobody is told anything
    message = Message(key="a", subject="x", urgency=Urgency.ACTION, proposal=str(proposal(7).key), deadline="block 2")
    assert reminders.date(message) == message
    scene.deadline = good
    scene.look_when_left(72)
    assert scene.heard() == {"public": REMINDER}
    assert reminders.date(message).deadline_at is not None


# The governor's deadline, on a real chain


@pytest.mark.parametrize("kind", ["block", "timestamp"])
def test_the_deadline_is_the_governors(kind: ClockKind) -> None:
    with Anvil() as node:
        governance = deploy_governance(node, 5, kind, voting_period=400 if kind == "block" else 4_000)
        number = governance.propose([node.accounts[7]], [1], [b""], "# Pay")
        governance.advance_to_active(number)
        node.mine(50)
        known, now = governance.proposals[number], 1_800_000_000.0
        governed = Governed(governance.adapter, governance.profile, 0, ())
        deadlines = Deadlines(node.rpc, {governance.governor: governed}, now=lambda: now)
        found = deadlines.of(known.key, known.created_block)
        assert deadlines.together([known.key])(known.key, known.created_block) == found
        assert found is not None
        block = node.rpc.block()
        assert found.timepoint == known.vote_end
        assert found.in_blocks is (kind == "block")
        if kind == "timestamp":
            assert found.at == now + known.vote_end - block.timestamp
            assert found.words.endswith(" UTC")
        else:
            begin = node.rpc.block(0)
            pace = (block.timestamp - begin.timestamp) / block.number
            assert found.at == pytest.approx(now + (known.vote_end - block.number) * pace)
            assert found.words.startswith(f"block {known.vote_end}, about 20")
        governance.advance_to_closed(number)
        assert deadlines.of(known.key, known.created_block) is None
        assert Deadlines(node.rpc, {}).of(known.key, known.created_block) is None


def test_a_look_at_many_deadlines_costs_a_few_requests() -> None:
    """Also of governors without a clock, which count the blocks that contracts see."""
    with Anvil() as node, Provider(node.url) as provider:
        governance = deploy_governance(node, 4, "block", contract="Governor43Block", voting_period=400)
        numbers = [governance.propose([node.accounts[7]], [n], [b""], f"# Pay {n}") for n in range(40)]
        node.mine(120)
        governed = Governed(governance.adapter, governance.profile, 0, ())
        deadlines = Deadlines(Rpc(provider.url), {governance.governor: governed}, now=lambda: 1_800_000_000.0)
        known = [(governance.proposals[number].key, governance.proposals[number].created_block) for number in numbers]
        deadline_of = deadlines.together([key for key, _ in known])
        found = [deadline_of(*each) for each in known]
        assert provider.requests <= 5, "the block, an older one, the states and deadlines, the number contracts see"
        assert found == [deadlines.of(*each) for each in known]
        assert None not in found
