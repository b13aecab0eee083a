"""Evidence in other places: a server that speaks the protocol of S3, memory, folders; mirrors; an operator's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pnyx_contracts.errors import DecodingError, DiffersError, UnreachableError, UsageError
from pnyx_policies.bundle import Bundle, ChangedBundleError, SwappedBundleError, withhold
from pnyx_policies.configuration import Configuration
from pnyx_policies.decision import Mode
from pnyx_policies.dossier import Dossier
from pnyx_tools.evidence import (
    FolderStore,
    Mirror,
    RemoteStore,
    Vault,
    file_name,
    open_named,
    open_store,
    open_writable,
    places_of,
)

BUCKET = "evidence"


def configuration(**parts: Any) -> Configuration:
    return Configuration(
        agent="sample", mode=Mode.OBSERVE, governors=("0x1111111111111111111111111111111111111111",), analysts=(),
        prompt_hash=bytes(32), ruleset_hash=bytes(32), checks={}, tools={}, known_addresses={}, software="pnyx 0.1.0",
        **parts,
    )  # fmt: skip


CONFIGURATION = configuration()


@pytest.fixture(scope="module")
def s3() -> Iterator[dict[str, Any]]:
    """A real server on a real port; gives the options that lead there."""
    server_module = pytest.importorskip("moto.server")
    pytest.importorskip("s3fs")
    import boto3

    server = server_module.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    options = {"key": "test-key", "secret": "test-secret", "endpoint_url": f"http://{host}:{port}"}
    client = boto3.client(
        "s3", aws_access_key_id="test-key", aws_secret_access_key="test-secret", region_name="us-east-1",
        endpoint_url=options["endpoint_url"],
    )  # fmt: skip
    client.create_bucket(Bucket=BUCKET)
    yield options
    server.stop()


@pytest.fixture(params=["s3", "memory", "file", "folder"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, dict[str, Any]]:
    """A fresh place to write to, and the options of its file system."""
    match request.param:
        case "s3":
            return f"s3://{BUCKET}/{tmp_path.name}", {"s3": request.getfixturevalue("s3")}
        case "memory":
            return f"memory://{tmp_path.name}", {}
        case "file":
            return (tmp_path / "other").as_uri(), {}
    return str(tmp_path / "other"), {}


@pytest.fixture
def folder(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "evidence")


def test_what_is_copied_in_is_read_checked(place: tuple[str, Any], bundle: Bundle, other_bundle: Bundle) -> None:
    store = open_writable(*place)
    root = bundle.record_root
    assert store.sizes() == {}
    assert store.get_bundle(root) is None
    store.copy_in(root, bundle.to_bytes())
    store.copy_in(CONFIGURATION.hash, CONFIGURATION.to_bytes())
    assert store.get_bundle(root) == bundle.to_bytes()
    assert store.get_configuration(CONFIGURATION.hash) == CONFIGURATION.to_bytes()
    assert store.sizes() == {
        file_name(root): len(bundle.to_bytes()),
        file_name(CONFIGURATION.hash): len(CONFIGURATION.to_bytes()),
    }

    store.copy_in(root, other_bundle.to_bytes())
    with pytest.raises(SwappedBundleError):
        store.get_bundle(root)
    store.copy_in(root, bundle.to_bytes().replace(b"a small payment", b"a large payment"))
    with pytest.raises(ChangedBundleError):
        store.get_bundle(root)
    store.copy_in(CONFIGURATION.hash, b"{}")
    with pytest.raises(DiffersError, match="changed: the configuration"):
        store.get_configuration(CONFIGURATION.hash)


def test_a_file_larger_than_the_limit_is_not_read(
    place: tuple[str, Any], bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_writable(*place)
    store.copy_in(bundle.record_root, bundle.to_bytes())
    monkeypatch.setattr("pnyx_tools.evidence.store.MAX_FILE_BYTES", 1000)
    with pytest.raises(UnreachableError, match="1000 bytes"):
        store.get_bundle(bundle.record_root)


def test_a_place_that_does_not_answer_is_never_empty(bundle: Bundle) -> None:
    pytest.importorskip("s3fs")
    client = {"config_kwargs": {"connect_timeout": 1, "retries": {"max_attempts": 0}}}
    options = {"key": "k", "secret": "s", "endpoint_url": "http://127.0.0.1:9", **client}
    store = RemoteStore(f"s3://{BUCKET}/x", options)
    for ask in (lambda: store.get_bundle(bundle.record_root), store.sizes, store.is_there):
        with pytest.raises(UnreachableError, match=f"s3://{BUCKET}/x"):
            ask()
    with pytest.raises(UnreachableError):
        store.copy_in(bundle.record_root, bundle.to_bytes())


def test_a_place_that_a_person_named_must_be_there(bundle: Bundle) -> None:
    open_writable("memory://named").copy_in(bundle.record_root, bundle.to_bytes())
    assert open_named("memory://named/").get_bundle(bundle.record_root) == bundle.to_bytes()
    with pytest.raises(UsageError, match="there is nothing at memory://misspelled"):
        open_named("memory://misspelled")


@pytest.mark.parametrize("url", ["nowhere://x", "ipfs://x"])
def test_a_scheme_that_nobody_knows_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match=r"evidence lies in folders and behind URLs"):
        open_store(url)


def test_a_package_that_is_not_there_is_named(bundle: Bundle) -> None:
    """adlfs is no dependency of anything here."""
    with pytest.raises(UsageError, match="adlfs"):
        RemoteStore("abfs://container/x").get_bundle(bundle.record_root)


def test_nothing_is_written_over_http() -> None:
    with pytest.raises(UsageError, match="only read"):
        open_writable("https://example.org/evidence")


# --- mirrors --------------------------------------------------------------------------------------------------------


def test_a_mirror_gets_what_it_does_not_have(place: tuple[str, Any], folder: FolderStore, bundle: Bundle) -> None:
    mirror = Mirror(folder, *place)
    assert mirror.copy() == []
    folder.put_bundle(bundle)
    (folder.path / "notes.txt").write_text("no evidence")
    assert (mirror.behind(), mirror.missing()) == (1, [file_name(bundle.record_root)])
    assert mirror.copy() == [file_name(bundle.record_root)]
    folder.put_configuration(CONFIGURATION)
    assert mirror.copy() == [file_name(CONFIGURATION.hash)]
    assert (mirror.behind(), mirror.copy()) == (0, [])
    assert Mirror(folder, *place).copy() == [], "another process finds it there"
    assert open_writable(*place).get_bundle(bundle.record_root) == bundle.to_bytes()


def test_what_was_removed_or_cut_off_is_copied_again(folder: FolderStore, bundle: Bundle, tmp_path: Path) -> None:
    mirror = Mirror(folder, str(tmp_path / "mirror"))
    file = tmp_path / "mirror" / folder.put_bundle(bundle).name
    mirror.copy()
    for damage in (file.unlink, lambda: file.write_bytes(b"cut off")):
        damage()
        assert mirror.copy() == [], "what was seen is believed for a while"
        mirror.look_again()
        assert mirror.copy() == [file.name]
        assert file.read_bytes() == bundle.to_bytes()


def test_a_mirror_that_fails_goes_on_where_it_stopped(folder: FolderStore, bundle: Bundle, tmp_path: Path) -> None:
    folder.put_bundle(bundle)
    target = tmp_path / "mirror"
    target.write_text("a file stands where the folder should be")
    mirror = Mirror(folder, str(target))
    with pytest.raises(UnreachableError, match="mirror"):
        mirror.copy()
    assert mirror.behind() == 1
    target.unlink()
    assert mirror.copy() == [file_name(bundle.record_root)]


def test_names_of_mirrors_hold_no_secrets(folder: FolderStore) -> None:
    assert Mirror(folder, "sftp://user:secret@example.org/x").name == "sftp://example.org/x"


# --- an operator's own ----------------------------------------------------------------------------------------------

SEALED = ("rules", "ruleset")


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    private = FolderStore(tmp_path / "data" / "bundles", mode=0o600)
    return Vault(private, FolderStore(tmp_path / "evidence"), SEALED)


def test_what_is_sealed_stays_private(vault: Vault, bundle: Bundle) -> None:
    path = vault.put_bundle(bundle)
    assert path.read_bytes() == withhold(bundle, SEALED).to_bytes()
    assert vault.get_bundle(bundle.record_root) == bundle.to_bytes()
    (whole,) = vault.private.path.iterdir()
    assert (whole.stat().st_mode & 0o777, path.stat().st_mode & 0o777) == (0o600, 0o644)
    assert vault.private.path.stat().st_mode & 0o777 == 0o700


def test_what_is_gone_is_published_again_with_the_seals_of_its_time(vault: Vault, dossier: Dossier) -> None:
    """Not with those of today: what was sealed then stays sealed."""
    from pnyx_policies.bundle import seal

    then = configuration(sealed=("software",))
    header = dossier.header.model_copy(update={"config_hash": then.hash})
    bodies = {}
    bundle = seal(dossier.model_copy(update={"header": header, "attempts": ()}), bodies, bytes(range(32)))
    earlier = Vault(vault.private, vault.published, then.sealed)
    paths = [earlier.put_configuration(then), earlier.put_bundle(bundle)]
    before = [path.read_bytes() for path in paths]
    assert vault.publish_again() == []
    for path in paths:
        path.unlink()
    assert sorted(vault.publish_again()) == sorted(paths)
    assert [path.read_bytes() for path in paths] == before
    assert "software" in Bundle.parse(paths[1].read_bytes()).withheld


def test_what_a_lost_configuration_sealed_is_not_guessed(vault: Vault, bundle: Bundle) -> None:
    vault.put_bundle(bundle).unlink()
    with pytest.raises(DecodingError, match="what it seals is unknown"):
        vault.publish_again()
    assert list(vault.published.path.iterdir()) == []


# --- what is declared -----------------------------------------------------------------------------------------------


def test_a_declaration_names_several_places() -> None:
    assert places_of("https://a.example/x  http://b.example") == ("https://a.example/x", "http://b.example")
    assert places_of("https://a.example file:///etc /etc") == ("https://a.example",)
    assert places_of("/etc") == ("/etc",)
    assert places_of("") == ("",)
    assert len(places_of(" ".join(f"https://{n}.example" for n in range(100)))) == 8


@pytest.mark.parametrize(
    ("sealed", "message"),
    [
        (["decision"], "'decision' cannot be sealed; these fields can: attempts"),
        (["reserved"], "'reserved' cannot be sealed"),
        (["rules", "rules"], "a field is named twice"),
    ],
)
def test_what_cannot_be_sealed_is_refused(sealed: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        configuration(sealed=tuple(sealed))


def test_sealed_fields_are_declared_in_one_order() -> None:
    assert configuration(sealed=("rules", "attempts")) == configuration(sealed=("attempts", "rules"))
    data = configuration(sealed=("attempts", "rules")).to_bytes()
    assert Configuration.parse(data).sealed == ("attempts", "rules")
    with pytest.raises(DecodingError, match="canonical"):
        Configuration.parse(data.replace(b'["attempts","rules"]', b'["rules","attempts"]'))
