"""The dead man's switch, against a real HTTP server on loopback."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import ClassVar

import pytest

from monitor.delivery.ping import ping
from monitor.errors import DeliveryError


class _Watcher(BaseHTTPRequestHandler):
    seen: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.seen.append(self.path)
        self.send_response(500 if "broken" in self.path else 200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 the base class's name
        """Stay quiet."""


@pytest.fixture
def watcher() -> Iterator[str]:
    _Watcher.seen.clear()
    with HTTPServer(("127.0.0.1", 0), _Watcher) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_good_run_asks_for_the_address_and_a_failed_one_for_its_fail_page(watcher: str) -> None:
    assert ping(f"{watcher}/abc", ok=True) == 200
    assert ping(f"{watcher}/abc/", ok=False) == 200
    assert _Watcher.seen == ["/abc", "/abc/fail"]


@pytest.mark.parametrize(
    ("address", "said", "permanent"),
    [
        ("{watcher}/broken", "answered 500", False),
        ("http://127.0.0.1:9/", "can't be reached", False),
        ("file:///etc/passwd", "must begin with https", True),
    ],
)
def test_a_watcher_that_does_not_hear_is_an_error(
    watcher: str, address: str, said: str, permanent: bool
) -> None:
    with pytest.raises(DeliveryError, match=said) as caught:
        ping(address.format(watcher=watcher), ok=True)
    assert caught.value.permanent is permanent
