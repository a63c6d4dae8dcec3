"""A local S3, for tests: moto's server on this machine, one request after the other, so that its conditions hold."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from moto.s3.models import s3_backends
from werkzeug.serving import make_server

from gnosis_ray.storage.object_store import S3Store

BUCKET = "desk-ledgers"
KEY_ID, SECRET = "AKIATESTTESTTEST", "a-secret-of-the-tests"
_ACCOUNT = "123456789012"

App = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


@contextmanager
def object_store() -> Iterator[str]:
    """Serves S3 with a :data:`BUCKET` from a thread of this process; its address."""
    backend = s3_backends[_ACCOUNT]["aws"]
    if BUCKET not in backend.buckets:  # all servers of this process hold the same
        backend.create_bucket(BUCKET, "us-east-1")
    with serving(honest) as address:
        yield address


honest: App = DomainDispatcherApplication(create_backend_app)
"""An S3 that does as it should; all of this process hold the same objects."""


def answer(start_response: Callable[..., Any], status: str, body: bytes) -> Iterable[bytes]:
    """An answer made up."""
    start_response(status, [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))])
    return [body]


@contextmanager
def serving(app: App) -> Iterator[str]:
    """Serves an application on a free port of this machine; its address."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    turn = threading.Lock()

    def one_by_one(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        # moto looks whether a key exists, then writes it: two at once could both be first
        with turn:
            return list(app(environ, start_response))

    server = make_server("127.0.0.1", 0, one_by_one, threaded=True, request_handler=MotoRequestHandler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def environment(address: str) -> dict[str, str]:
    """What a process needs to use it."""
    return {
        "AWS_ENDPOINT_URL": address,
        "AWS_ACCESS_KEY_ID": KEY_ID,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_REGION": "us-east-1",
    }


@dataclass(frozen=True)
class WatchedStore(S3Store):
    """Calls ``before`` with the name of each request that writes, and with its key; it may raise.

    ``tidy``: whether what is temporary is deleted after an error, as it is not after a kill.
    """

    before: Callable[[str, str], None]
    tidy: bool = True

    def put(self, key: str, body: bytes) -> None:
        self.before("put", key)
        super().put(key, body)

    def create(self, key: str, body: bytes) -> bool:
        self.before("create", key)
        return super().create(key, body)

    def copy(self, source: str, target: str) -> None:
        self.before("copy", source)
        super().copy(source, target)

    def delete(self, keys: Sequence[str]) -> None:
        if self.tidy:
            self.before("delete", keys[0])
            super().delete(keys)
