"""The dead man's switch: tell an outside watcher that a run ended, so that silence is noticed."""

from __future__ import annotations

import urllib.error
import urllib.request

from monitor.errors import DeliveryError

TIMEOUT = 10.0  # seconds


def ping(url: str, *, ok: bool) -> int:
    """Ask for `url` (`url`/fail when the run failed); gives the HTTP status.

    The request carries nothing: no study, no count, no name. Raises DeliveryError when the
    watcher can't be reached or refuses.
    """
    address = url if ok else url.rstrip("/") + "/fail"
    if not address.startswith(("https://", "http://")):
        raise DeliveryError("monitor.ping: the address must begin with https:// or http://", permanent=True)
    try:
        with urllib.request.urlopen(address, timeout=TIMEOUT) as reply:  # noqa: S310 the scheme was checked
            return int(reply.status)
    except urllib.error.HTTPError as error:
        error.close()
        raise DeliveryError(f"monitor.ping: the watcher answered {error.code}", permanent=False) from None
    except (urllib.error.URLError, TimeoutError, OSError) as error:
        raise DeliveryError(f"monitor.ping: the watcher can't be reached: {error}", permanent=False) from None
