"""Gives the keys that this process holds to the one process that talks to vendors: over a socket, never by Ray.

What is given to an actor as an argument or in its environment, Ray stores and lists.
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from gnosis_ray.errors import ConfigError
from gnosis_ray.security.keys import held, hold, key_file

ANSWER_S = 10.0
"""Time limit for the keys to arrive, and for whoever asks to take them."""


@contextmanager
def keys_given(folder: Path) -> Iterator[Path | None]:
    """The socket, in ``folder``, at which the keys that are held back are given until the block ends; None if none are.

    ``folder``: only this user may enter it, so that nobody else can ask. Every connection is given all keys: a process
    that is started anew asks again. Side effect: a thread.
    """
    keys = json.dumps(dict(held())).encode()
    if not held():
        yield None
        return
    place = folder / "keys"
    place.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(place))
        listening.listen()
        threading.Thread(target=_give, args=(listening, keys), daemon=True, name="keys").start()
        try:
            yield place
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            place.unlink(missing_ok=True)


def receive_keys(place: Path) -> None:
    """Hold the keys that are given at the socket ``place``. Raises :class:`ConfigError` where none are to be had."""
    try:
        with socket.socket(socket.AF_UNIX) as asking:
            asking.settimeout(ANSWER_S)
            asking.connect(str(place))
            with asking.makefile("rb") as answer:
                keys = json.loads(answer.read())
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"The vendors' keys in the command's environment cannot be taken from it: {type(error).__name__}: {error}. "
            f"Write them into {key_file()} instead (chmod 600)."
        ) from None
    hold(keys)


def _give(listening: socket.socket, keys: bytes) -> None:
    with suppress(OSError):  # it was closed
        while True:
            asking, _ = listening.accept()
            with asking, suppress(OSError):  # whoever asked has gone
                asking.settimeout(ANSWER_S)
                asking.sendall(keys)
