"""Draw Ray's page of actors, ``docs/actors.png``, during a scan with an actor for each engine and agent.

Usage: python docs/make_actors_picture.py [CHROMIUM] (default: chromium); needs the extra ``dashboard``.
"""

from __future__ import annotations

import asyncio
import base64
import os
import re
import signal
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp

SYMBOLS = "AAPL,MSFT,XOM,JPM"
SCAN = ("-m", "gnosis_ray", "scan", "--symbols", SYMBOLS, "--ray-dashboard")
ACTORS_WANTED = 30
"""Living actors that the picture needs: three complete symbols and one that is starting."""
ENVIRONMENT = {"GNOSIS_RAY__RUN__ACTORS_PER_CORE": "24"}
"""All symbols at once on two cores: their processes mostly wait for each other."""
PAGE_SIZE = 10
"""Actors on a page of the dashboard."""
TIMEOUT_S = 180.0
SIZE = {"width": 1500, "height": 1480, "deviceScaleFactor": 1, "mobile": False}


class Browser:
    """One page of a headless browser, driven over its debugging socket."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._calls = 0

    async def call(self, method: str, **arguments: Any) -> dict[str, Any]:
        """What a method of the Chrome DevTools Protocol returns."""
        self._calls += 1
        await self._socket.send_json({"id": self._calls, "method": method, "params": arguments})
        while True:
            answer: dict[str, Any] = await self._socket.receive_json()
            if answer.get("id") == self._calls:
                return dict(answer["result"])


async def address_of(scan: asyncio.subprocess.Process) -> str:
    """The address of the dashboard that the scan prints."""
    if scan.stderr is None:
        raise RuntimeError("Expected the scan's standard error in a pipe")
    async for line in scan.stderr:
        if found := re.search(rb"http://127\.0\.0\.1:\d+", line):
            return found[0].decode()
    raise RuntimeError("The scan ended without a dashboard")


async def enough_actors(client: aiohttp.ClientSession, address: str, token: str) -> None:
    """Return once ``ACTORS_WANTED`` actors are alive."""
    for _ in range(int(TIMEOUT_S / 0.2)):
        with suppress(aiohttp.ClientError):
            async with client.get(f"{address}/logical/actors", headers={"Authorization": f"Bearer {token}"}) as page:
                actors = (await page.json())["data"]["actors"].values()
            if sum(actor["state"] == "ALIVE" for actor in actors) >= ACTORS_WANTED:
                return
        await asyncio.sleep(0.2)
    raise RuntimeError(f"Expected {ACTORS_WANTED} living actors within {TIMEOUT_S:g} s")


async def draw(browser: Browser, address: str, token: str) -> bytes:
    """The actors page as PNG. The dashboard takes its token from a cookie, as after its own form was filled in."""
    await browser.call("Network.setCookie", name="ray-authentication-token", value=token, url=address)
    await browser.call("Emulation.setDeviceMetricsOverride", **SIZE)
    await browser.call("Page.navigate", url=f"{address}/#/actors")
    script = "document.body.innerText"
    for _ in range(100):
        shown = await browser.call("Runtime.evaluate", expression=script)
        if str(shown["result"].get("value")).count("ALIVE") >= PAGE_SIZE // 2:
            break
        await asyncio.sleep(0.1)
    picture = await browser.call("Page.captureScreenshot", format="png")
    return base64.b64decode(picture["data"])


async def page_socket(folder: Path, client: aiohttp.ClientSession) -> str:
    """The debugging address of the browser's first page, once the browser has written its port to its folder."""
    port_file = folder / "DevToolsActivePort"
    while not (port_file.exists() and port_file.read_text().strip()):
        await asyncio.sleep(0.1)
    async with client.get(f"http://127.0.0.1:{port_file.read_text().split()[0]}/json/list") as pages:
        listed = await pages.json()
    return str(next(page["webSocketDebuggerUrl"] for page in listed if page["type"] == "page"))


@asynccontextmanager
async def started(*command: str, stderr_pipe: bool = False) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process that is interrupted at the end, and waited for; ``stderr_pipe``: read its standard error."""
    stderr = asyncio.subprocess.PIPE if stderr_pipe else asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.DEVNULL, stderr=stderr, env=os.environ | ENVIRONMENT
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGINT)
        await process.communicate()


async def main(browser: str) -> None:
    """Write the picture to the folder of this file."""
    token = (Path.home() / ".ray" / "auth_token").read_text(encoding="ascii").strip()
    with tempfile.TemporaryDirectory(prefix="gnosis-ray-actors-", ignore_cleanup_errors=True) as scratch:
        flags = ("--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0")
        scan = (sys.executable, *SCAN, "--granularity", "component", "--out", f"{scratch}/ledger")
        async with (
            started(browser, *flags, f"--user-data-dir={scratch}", "about:blank"),
            started(*scan, stderr_pipe=True) as scanning,
            aiohttp.ClientSession() as client,
        ):
            address = await address_of(scanning)
            async with client.ws_connect(await page_socket(Path(scratch), client), max_msg_size=0) as page:
                await enough_actors(client, address, token)
                picture = await draw(Browser(page), address, token)
    Path(__file__).with_name("actors.png").write_bytes(picture)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "chromium"))
