"""Where evidence lies: bundles and configurations, in folders and behind URLs.

Files are named by what they must hash to, so the place need not be trusted: ``<record root>.json`` and
``<configuration hash>.json``, in lower-case hex without ``0x``. A reader can tell a file that is gone (None) from a
place that does not answer (`UnreachableError`), from another record's bundle (`SwappedBundleError`) and from a bundle
that was changed (`ChangedBundleError`).

    store     what all places have in common          vault     an operator's own: whole bundles, published ones
    folder    a folder                                mirrors   copies of what is published
    http      an http(s) URL, perhaps a stranger's    places    from a name to its store
    remote    whatever fsspec knows: S3, ...          kept      answers of places, for who reads them twice
    shared    the database that workers share
"""

from pnyx_tools.evidence.folder import FolderStore
from pnyx_tools.evidence.http import MAX_REDIRECTS, HttpStore
from pnyx_tools.evidence.kept import Keeper
from pnyx_tools.evidence.mirrors import Mirror, open_mirrors
from pnyx_tools.evidence.places import is_remote, open_named, open_store, open_writable, places_of
from pnyx_tools.evidence.remote import RemoteStore
from pnyx_tools.evidence.shared import DatabaseStore, SharedVault
from pnyx_tools.evidence.store import MAX_FILE_BYTES, EvidenceStore, file_name
from pnyx_tools.evidence.vault import Vault

__all__ = [
    "MAX_FILE_BYTES",
    "MAX_REDIRECTS",
    "DatabaseStore",
    "EvidenceStore",
    "FolderStore",
    "HttpStore",
    "Keeper",
    "Mirror",
    "RemoteStore",
    "SharedVault",
    "Vault",
    "file_name",
    "is_remote",
    "open_mirrors",
    "open_named",
    "open_store",
    "open_writable",
    "places_of",
]
