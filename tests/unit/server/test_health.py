"""/healthz and /readyz over a real loopback socket."""

import asyncio
import json

import pytest

from addc.server import health, listeners


async def ask(ready: bool, request: bytes) -> tuple[int, dict[str, object]]:
    async def report() -> health.Report:
        return {"ready": ready}

    sock = listeners.listen_tcp("127.0.0.1", 0)
    server = await health.start(sock, report)
    async with server:
        reader, writer = await asyncio.open_connection(*sock.getsockname())
        writer.write(request)
        answer = await reader.read()
        writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body) if body else {}


def get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()


def test_ready_and_not_ready_are_told_apart() -> None:
    assert asyncio.run(ask(True, get("/readyz"))) == (200, {"ready": True})
    assert asyncio.run(ask(False, get("/readyz"))) == (503, {"ready": False})
    assert asyncio.run(ask(False, get("/healthz")))[0] == 200


def test_other_paths_and_methods_are_refused() -> None:
    assert asyncio.run(ask(True, get("/secrets")))[0] == 404
    assert asyncio.run(ask(True, b"POST /readyz HTTP/1.1\r\n\r\n"))[0] == 405


def test_a_database_that_does_not_answer_is_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never() -> health.Report:
        await asyncio.Event().wait()
        return {"ready": True}

    monkeypatch.setattr(health, "_REPORT_TIMEOUT_S", 0.0)
    answer = asyncio.run(health.HealthServer(never)._answer(get("/readyz")))
    assert answer.startswith(b"HTTP/1.1 503 ") and b"does not answer" in answer
