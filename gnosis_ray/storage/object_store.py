"""An S3-compatible object store: a few whole-object operations, bounded in time, whose errors keep no secret.

Credentials come from the process's own environment or role (``AWS_ACCESS_KEY_ID`` and its kin, web identity,
container or instance role), found by the client library; this module neither takes, stores, writes nor shows any.
``AWS_ENDPOINT_URL`` names another service than Amazon's, ``AWS_REGION`` the bucket's region.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from io import BytesIO
from types import ModuleType
from typing import IO, TYPE_CHECKING, Any, Protocol, TypeVar

from gnosis_ray.errors import ConfigError, install_command
from gnosis_ray.redaction import redacted
from gnosis_ray.storage.location import S3Url
from gnosis_ray.storage.parallel import map_parallel

if TYPE_CHECKING:
    from obstore.store import S3Store as Client

T = TypeVar("T")
R = TypeVar("R")

MAX_RETRIES = 6
RETRY_LIMIT = timedelta(seconds=60)
"""After this long since a request's first try, there is no further try."""

CONNECT_LIMIT = timedelta(seconds=5)
REQUEST_LIMIT = timedelta(seconds=60)
"""Of one try: a part of tens of MB passes a slow line."""

_INSTANCE_ROLES = "169.254.169.254"
"""Asked last for credentials, where nothing else gave any."""
_ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")
_LONGEST = 300
"""Characters of an error text."""


class ObjectStoreError(OSError):
    """The object store refused, or could not be reached; the text holds no credential."""


class ObjectStore(Protocol):
    """The requests to one bucket, by whole keys. Each raises :class:`ObjectStoreError` where the store refuses, or
    gave no answer in time: then it may have been carried out, and may be yet."""

    def get(self, key: str) -> bytes:
        """An object's bytes; :class:`FileNotFoundError` where there is none."""

    def get_tail(self, key: str, length: int) -> bytes:
        """The last bytes of an object, all of it where it is shorter."""

    def has(self, key: str) -> bool:
        """Whether there is such an object."""

    def put(self, key: str, body: bytes) -> None:
        """Write or replace an object in one request."""

    def create(self, key: str, body: bytes) -> bool:
        """Write an object unless there is one (``If-None-Match: *``); False where there is, or the store is busy."""

    def copy(self, source: str, target: str) -> None:
        """Copy an object within the store; :class:`FileNotFoundError` where there is none."""

    def delete(self, keys: Sequence[str]) -> None:
        """Delete objects; those that are not there do not matter."""

    def sizes(self, prefix: str) -> dict[str, int]:
        """The bytes of every object below a prefix (all, where it is empty), by key."""

    def level(self, prefix: str) -> list[str]:
        """The keys and the prefixes directly below a prefix."""

    def map_each(self, function: Callable[[T], R], items: Iterable[T]) -> list[R]:
        """``function`` of every item, several requests under way at once; in the order of the items."""


@dataclass(frozen=True)
class BucketBackend:
    """The objects under an :class:`S3Url`, as a :class:`gnosis_ray.storage.backend.StorageBackend`.

    Every operation raises :class:`ObjectStoreError` where the store refuses or cannot be reached in time.
    """

    root: S3Url
    store: ObjectStore | None = None
    """Another one than the service that the environment names."""

    def root_exists(self) -> bool:
        """A prefix needs no creation."""
        return True

    def get(self, name: str) -> bytes:
        """An object's bytes. Raises :class:`FileNotFoundError` where there is none."""
        return self._store.get(self.root.key(name))

    def get_tail(self, name: str, length: int) -> bytes:
        """The last bytes of an object, all of it where it is shorter."""
        return self._store.get_tail(self.root.key(name), length)

    def exists(self, name: str) -> bool:
        """Whether there is such an object."""
        return self._store.has(self.root.key(name))

    def put(self, name: str, body: bytes) -> None:
        """Write an object in one request: readers see the earlier one or this one."""
        self._store.put(self.root.key(name), body)

    def put_if_absent(self, name: str, body: bytes) -> bool:
        """Create an object unless it exists, decided by the store (``If-None-Match: *``); True if it holds ``body``.

        Where the store refuses, the object is read: a request that was repeated on the way meets its own object. A
        refusal may also mean that nothing was written (409), so it is tried again.
        """
        for _ in range(MAX_RETRIES):
            if self._store.create(self.root.key(name), body):
                return True
            try:
                return self.get(name) == body
            except FileNotFoundError:
                continue
        raise ObjectStoreError(f"Cannot create {self.root / name}: refused {MAX_RETRIES} times, yet nothing is there")

    def require_put_if_absent(self, name: str, body: bytes) -> None:
        """Raise :class:`ObjectStoreError` where the store creates an object that exists and holds ``body``."""
        if self._store.create(self.root.key(name), body):
            raise ObjectStoreError(
                f"{self.root} ignores If-None-Match: two writers could both create a file. Use a store that honours it"
            )

    def copy(self, source: str, target: str) -> None:
        """Copy an object within the store. Raises :class:`FileNotFoundError` where there is none."""
        self._store.copy(self.root.key(source), self.root.key(target))

    def delete(self, names: Sequence[str]) -> None:
        """Delete objects; those that are not there do not matter."""
        if names:
            self._store.delete([self.root.key(name) for name in names])

    def make_durable(self, folder: str = "") -> None:
        """What a store shows is durable."""

    def names(self, folder: str = "") -> list[str]:
        """The names of all objects below a folder, relative to it, sorted."""
        return sorted(self.sizes(folder))

    def sizes(self, folder: str = "") -> dict[str, int]:
        """The bytes of all objects below a folder, by names relative to it."""
        prefix = self.root.key(folder)
        return {key.removeprefix(f"{prefix}/"): size for key, size in self._store.sizes(prefix).items()}

    def children(self, folder: str = "") -> list[str]:
        """The names directly in a folder, of objects and of folders, sorted."""
        prefix = self.root.key(folder)
        return sorted(key.removeprefix(f"{prefix}/") for key in self._store.level(prefix))

    def browse(self, folder: str = "") -> Callable[[str], list[str]]:
        """:meth:`children` of what lies below ``folder``, out of one listing."""
        below: dict[str, set[str]] = {}
        for name in self.sizes(folder):
            while name:
                parent, _, child = name.rpartition("/")
                below.setdefault(parent, set()).add(child)
                name = parent
        return lambda inner: sorted(below.get(inner, ()))

    def map_each(self, function: Callable[[T], R], items: Iterable[T]) -> list[R]:
        """In parallel, up to :data:`gnosis_ray.storage.parallel.PARALLEL` at once."""
        return self._store.map_each(function, items)

    def map_waiting(self, function: Callable[[T], R], items: Iterable[T]) -> list[R]:
        """In parallel too."""
        return self._store.map_each(function, items)

    def scan_sources(self, names: Sequence[str]) -> list[str] | list[IO[bytes]]:
        """The objects' addresses; of those in another store, which Polars does not know, the bytes."""
        if self.store is None:
            return [str(self.root / name) for name in names]
        return list[IO[bytes]](BytesIO(self.get(name)) for name in names)

    def scan_arguments(self) -> dict[str, Any]:
        """How Polars reads ``s3://`` within the same bounds; it finds credentials alike."""
        endpoint = _endpoint()
        options = {
            **({"aws_endpoint": endpoint} if endpoint else {}),
            "aws_allow_http": str(endpoint.startswith("http://")).lower(),
            "max_retries": MAX_RETRIES,
            "retry_timeout_ms": int(RETRY_LIMIT.total_seconds() * 1000),
        }
        return {"storage_options": options, "credential_provider": None}

    def error_text(self, error: BaseException) -> str:
        """The text of a library's error, redacted and cut."""
        return short_text(str(error))

    @property
    def _store(self) -> ObjectStore:
        return self.store or S3Store(self.root.bucket)


@dataclass(frozen=True)
class S3Store:
    """A bucket of the service that the environment names."""

    bucket: str

    def get(self, key: str) -> bytes:
        """An object's bytes."""
        with self._translate_errors("read", key):
            return bytes(_obstore().get(self._client(), key).bytes())

    def get_tail(self, key: str, length: int) -> bytes:
        """The last bytes of an object."""
        with self._translate_errors("read", key):
            found = _obstore().get(self._client(), key, options={"range": {"suffix": length}})
            return bytes(found.bytes())

    def has(self, key: str) -> bool:
        """Whether there is such an object."""
        try:
            with self._translate_errors("look for", key):
                _obstore().head(self._client(), key)
        except FileNotFoundError:
            return False
        return True

    def put(self, key: str, body: bytes) -> None:
        """Write or replace an object in one request."""
        with self._translate_errors("write", key):
            _obstore().put(self._client(), key, body, use_multipart=False)

    def create(self, key: str, body: bytes) -> bool:
        """Write an object unless there is one."""
        with self._translate_errors("create", key):
            try:
                _obstore().put(self._client(), key, body, mode="create", use_multipart=False)
            except _obstore().exceptions.AlreadyExistsError:
                return False
        return True

    def copy(self, source: str, target: str) -> None:
        """Copy an object within the store."""
        with self._translate_errors("copy", source):
            _obstore().copy(self._client(), source, target)

    def delete(self, keys: Sequence[str]) -> None:
        """Delete objects."""
        with self._translate_errors("delete", keys[0]):
            _obstore().delete(self._client(), list(keys))

    def sizes(self, prefix: str) -> dict[str, int]:
        """The bytes of every object below a prefix."""
        with self._translate_errors("list", prefix):
            pages = _obstore().list(self._client(), prefix or None, chunk_size=1000)
            return {str(meta["path"]): int(meta["size"]) for page in pages for meta in page}

    def level(self, prefix: str) -> list[str]:
        """The keys and the prefixes directly below a prefix."""
        with self._translate_errors("list", prefix):
            found = _obstore().list_with_delimiter(self._client(), prefix or None)
        return [*found["common_prefixes"], *(str(meta["path"]) for meta in found["objects"])]

    def map_each(self, function: Callable[[T], R], items: Iterable[T]) -> list[R]:
        """In threads."""
        return map_parallel(function, items)

    def _client(self) -> Client:
        return _client(self.bucket, _endpoint())

    @contextmanager
    def _translate_errors(self, task: str, key: str) -> Iterator[None]:
        """Turn the library's errors, which quote whole answers, into short ones without secrets."""
        library_error = _obstore().exceptions.BaseError
        place = S3Url(self.bucket, key)
        try:
            yield
        except FileNotFoundError as error:
            if "<Code>NoSuchBucket" not in str(error):
                raise FileNotFoundError(f"No object {place}") from None
            raise ObjectStoreError(f"Cannot {task} {place}: there is no such bucket") from None
        except (library_error, OSError, ValueError) as error:
            # not chained: the library's text holds the whole answer of the store
            raise ObjectStoreError(f"Cannot {task} {place}: {_reason(error)}") from None


def _endpoint() -> str:
    """The address of the service; empty for Amazon's own."""
    return next((os.environ[name] for name in _ENDPOINTS if os.environ.get(name)), "")


@lru_cache(maxsize=16)
def _client(bucket: str, endpoint: str) -> Client:
    """One client per bucket and process: it keeps its connections and renews a role's credentials by itself."""
    client: Client = _obstore().store.S3Store(
        bucket,
        client_options={
            "allow_http": endpoint.startswith("http://"),
            "connect_timeout": CONNECT_LIMIT,
            "timeout": REQUEST_LIMIT,
        },
        retry_config={"max_retries": MAX_RETRIES, "retry_timeout": RETRY_LIMIT},
    )
    return client


def _obstore() -> ModuleType:
    """The client library, imported where an object store is first used."""
    try:
        import obstore.exceptions
        import obstore.store
    except ImportError as error:
        raise ConfigError(
            f"s3:// needs the package obstore, which is not installed. Install it with: {install_command('s3')}"
        ) from error
    return obstore


def _reason(error: BaseException) -> str:
    """The answer of a store or a connection in one line: its code and message where there are any, without secrets."""
    text = str(error)
    code, message = (re.search(f"<{tag}>(.*?)</{tag}>", text, re.DOTALL) for tag in ("Code", "Message"))
    if code:
        return short_text(f"{code[1]}: {message[1]}" if message else code[1])
    if _INSTANCE_ROLES in text:
        return "no credentials in the environment (AWS_ACCESS_KEY_ID and its kin), and no role answered"
    kind = re.search(r"kind: (Connect|Timeout|Interrupted|Decode)", text)
    line = text.partition("\n")[0]
    return short_text(f"{line} ({kind[1].lower()})" if kind else line)


def short_text(text: str) -> str:
    """A text of the client library as it may be shown: redacted, then cut, since a cut credential is not recognised."""
    text = redacted(text)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} ..."
