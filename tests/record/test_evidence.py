"""The evidence store: whole files, never overwritten; gone, swapped, changed and unreachable are told apart."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from pnyx_contracts.errors import DecodingError, DiffersError, UnreachableError, UsageError
from pnyx_policies.bundle import Bundle, ChangedBundleError, SwappedBundleError
from pnyx_policies.configuration import Configuration
from pnyx_policies.decision import Mode
from pnyx_tools.evidence import EvidenceStore, FolderStore, HttpStore, file_name, is_remote, open_store
from pnyx_tools.testing.serving import Answer, Asked, FileServer, HttpServer, web_page

CONFIGURATION = Configuration(
    agent="sample",
    mode=Mode.OBSERVE,
    governors=("0x1111111111111111111111111111111111111111",),
    analysts=(),
    prompt_hash=bytes(32),
    ruleset_hash=bytes(32),
    checks={"outflow": "1"},
    tools={},
    known_addresses={},
    software="pnyx 0.1.0",
)


@pytest.fixture
def folder(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "evidence")


@pytest.fixture(params=["folder", "file url", "http"])
def store(request: pytest.FixtureRequest, folder: FolderStore) -> Iterator[EvidenceStore]:
    """The same files by three ways."""
    folder.path.mkdir()
    if request.param == "folder":
        yield open_store(folder.path)
    elif request.param == "file url":
        yield open_store(folder.path.as_uri())
    else:
        with FileServer(folder.path) as server:
            yield open_store(f"{server.url}/")


def test_what_was_put_is_got(store: EvidenceStore, folder: FolderStore, bundle: Bundle) -> None:
    folder.put_bundle(bundle)
    folder.put_configuration(CONFIGURATION)
    data = store.get_bundle(bundle.record_root)
    assert data is not None
    assert Bundle.parse(data) == bundle
    configuration = store.get_configuration(CONFIGURATION.hash)
    assert configuration is not None
    assert Configuration.parse(configuration) == CONFIGURATION


def test_gone_swapped_and_changed_are_told_apart(
    store: EvidenceStore, folder: FolderStore, bundle: Bundle, other_bundle: Bundle
) -> None:
    root = bundle.record_root
    path = folder.put_bundle(bundle)
    path.unlink()
    assert store.get_bundle(root) is None

    path.write_bytes(other_bundle.to_bytes())
    with pytest.raises(SwappedBundleError, match=other_bundle.record_root.hex()):
        store.get_bundle(root)

    data = bytearray(bundle.to_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(ChangedBundleError, match=root.hex()):
        store.get_bundle(root)


def test_a_changed_configuration_is_noticed(store: EvidenceStore, folder: FolderStore) -> None:
    assert store.get_configuration(CONFIGURATION.hash) is None
    path = folder.put_configuration(CONFIGURATION)
    path.write_bytes(path.read_bytes().replace(b"observe", b"propose"))
    with pytest.raises(DiffersError, match="changed: the configuration"):
        store.get_configuration(CONFIGURATION.hash)


def test_a_configuration_is_read_strictly() -> None:
    data = CONFIGURATION.to_bytes()
    assert Configuration.parse(data).hash == CONFIGURATION.hash
    for other in (data + b"\n", data.replace(b"sample", b"\xff"), b"{}", b""):
        with pytest.raises(DecodingError, match="configuration"):
            Configuration.parse(other)


def test_files_are_named_by_what_they_hash_to(folder: FolderStore, bundle: Bundle) -> None:
    folder.put_bundle(bundle)
    assert [path.name for path in folder.path.iterdir()] == [f"{bundle.record_root.hex()}.json"]


def test_putting_twice_is_harmless_and_overwriting_is_refused(folder: FolderStore, bundle: Bundle) -> None:
    path = folder.put_bundle(bundle)
    assert folder.put_bundle(bundle) == path
    path.write_bytes(b"something else")
    with pytest.raises(DiffersError, match="another content"):
        folder.put_bundle(bundle)
    assert path.read_bytes() == b"something else"


def test_a_crash_before_the_file_is_whole_leaves_nothing(
    folder: FolderStore, bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    def out_of_space(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", out_of_space)
    with pytest.raises(OSError, match="No space left"):
        folder.put_bundle(bundle)
    assert list(folder.path.iterdir()) == []


def test_a_file_that_cannot_be_read_is_not_gone(folder: FolderStore, bundle: Bundle) -> None:
    (folder.path / file_name(bundle.record_root)).mkdir(parents=True)
    with pytest.raises(UnreachableError, match=bundle.record_root.hex()):
        folder.get_bundle(bundle.record_root)


@pytest.mark.parametrize("remote", [False, True])
def test_a_file_larger_than_the_limit_is_not_read(
    folder: FolderStore, bundle: Bundle, monkeypatch: pytest.MonkeyPatch, remote: bool
) -> None:
    folder.put_bundle(bundle)
    monkeypatch.setattr("pnyx_tools.evidence.store.MAX_FILE_BYTES", 1000)
    with FileServer(folder.path) as server:
        store: EvidenceStore = HttpStore(server.url) if remote else folder
        with pytest.raises(UnreachableError, match="1000 bytes"):
            store.get_bundle(bundle.record_root)
    with pytest.raises(UsageError, match="no reader takes more"):
        FolderStore(folder.path / "other").put_bundle(bundle)


class Same(HttpServer):
    """Answers everything alike."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self._answer = answer

    def answer(self, asked: Asked) -> Answer:
        return self._answer


TO_ITSELF = Answer(status=302, headers={"location": "/again"})


@pytest.mark.parametrize("answer", [web_page(503), TO_ITSELF], ids=["failing", "endless"])
def test_an_error_is_never_an_absence(answer: Answer) -> None:
    with Same(answer) as server:
        url = server.url
        with pytest.raises(UnreachableError, match=url):
            HttpStore(url).get_bundle(bytes(32))
    with pytest.raises(UnreachableError, match="cannot be reached") as raised:
        HttpStore(url).get_bundle(bytes(32))  # nobody listens there any more
    assert "--evidence" in raised.value.hint


@pytest.mark.parametrize("url", ["http://", "HTTP://[", "http://127.0.0.1:99999", "http://\x00", "http://a..b"])
def test_a_url_that_is_none_is_unreachable(url: str) -> None:
    with pytest.raises(UnreachableError):
        open_store(url).get_bundle(bytes(32))


def test_a_location_is_a_folder_or_a_url(tmp_path: Path) -> None:
    assert is_remote("https://example.org/evidence")
    assert not is_remote("/evidence")
    assert not is_remote("file:///evidence")
    assert open_store(str(tmp_path)).get_bundle(bytes(32)) is None
    for location in ("ipfs://bafy", "file://elsewhere/evidence"):
        with pytest.raises(UsageError, match=location.partition(":")[0]):
            open_store(location)
