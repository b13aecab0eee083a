"""Evidence at several places that the writer declares: one true file is enough, and a bad place is named."""

from __future__ import annotations

import shutil
from contextlib import ExitStack

import pytest

from pnyx_policies.verify import Status, Step
from pnyx_tools.testing.serving import FileServer


@pytest.fixture
def mirrors(tmp_path):
    """Two folders behind two servers: path and URL of each."""
    folders = [tmp_path / "first", tmp_path / "second"]
    with ExitStack() as stack:
        for folder in folders:
            folder.mkdir()
        yield [(folder, stack.enter_context(FileServer(folder)).url) for folder in folders]


@pytest.fixture
def published(world, mirrors):
    """One decision, its evidence at both mirrors; gives the file's path at each."""
    agent = world.plain_key(evidence_uri=" ".join(url for _, url in mirrors))
    sealed = agent.act(world.blocks, world.open_proposal())
    for folder, _ in mirrors:
        shutil.copytree(world.folder, folder, dirs_exist_ok=True)
    return [folder / f"{sealed.bundle.record_root.hex()}.json" for folder, _ in mirrors]


def remarks(report, step=Step.BUNDLE):
    return [v.reason for v in report.kept(Status.NOT_CHECKABLE) if v.step is step]


def test_each_place_is_enough(world, published):
    assert world.check(evidence=None).ok
    published[0].unlink()
    report = world.check(evidence=None)
    assert report.ok
    assert remarks(report) == []


@pytest.mark.parametrize("bad", [0, 1])
def test_a_changed_file_is_no_harm_while_another_place_has_the_true_one(world, mirrors, published, bad):
    data = published[bad].read_bytes()
    published[bad].write_bytes(data.replace(b'"outcome":"for"', b'"outcome":"against"'))
    assert published[bad].read_bytes() != data
    report = world.check(evidence=None)
    assert report.ok
    assert report.exit_code == 0
    if bad == 0:  # the second place is not asked when the first one has it
        (remark,) = remarks(report)
        assert remark.startswith(f"another place has the true file, and not {mirrors[0][1]}: changed")
        assert "fields.decision" in remark


def test_a_changed_configuration_is_no_harm_while_another_place_has_the_true_one(world, mirrors, published):
    (file,) = {path.name for path in mirrors[0][0].iterdir()} - {published[0].name}
    (mirrors[0][0] / file).write_bytes(b"{}")
    report = world.check(evidence=None)
    assert report.ok
    assert remarks(report) == []
    (remark,) = remarks(report, Step.DECLARED_CONFIGURATION)
    assert remark.startswith(f"another place has the true file, and not {mirrors[0][1]}: changed")


def test_changed_everywhere_differs(world, published):
    for file in published:
        file.write_bytes(file.read_bytes().replace(b'"outcome":"for"', b'"outcome":"against"'))
    assert (Step.BUNDLE, "fields.decision; record_root") in world.check_fails(evidence=None)


def test_gone_here_and_changed_there_differs(world, published):
    published[0].unlink()
    published[1].write_bytes(published[1].read_bytes()[:-1] + b" ")
    problem = world.only_problem(world.check(evidence=None))
    assert problem.reason == "changed after it was sealed"


def test_gone_everywhere_is_withheld_by_entry(world, published):
    for file in published:
        file.unlink()
    problem = world.only_problem(world.check(evidence=None))
    assert problem.status is Status.MISSING
    assert problem.about.seq == 1
    assert "removed, or withheld" in problem.reason


def test_a_place_that_is_down_is_no_harm(world, mirrors):
    agent = world.plain_key(evidence_uri=f"http://127.0.0.1:9/nobody {mirrors[1][1]}")
    agent.act(world.blocks, world.open_proposal())
    shutil.copytree(world.folder, mirrors[1][0], dirs_exist_ok=True)
    assert world.check(evidence=None).ok
