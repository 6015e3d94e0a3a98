"""How much a generative test tries: in every check a fixed few, in `make soak` as many as is asked for.

The few are the same each time, and are not made smaller when one fails: that takes longer than a
test may. What disagreed is told in full beside it (`telling`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pprint import pformat

from hypothesis import HealthCheck, Phase, note, settings

QUIET = (
    HealthCheck.too_slow,
    HealthCheck.data_too_large,
    HealthCheck.filter_too_much,
    HealthCheck.function_scoped_fixture,
)
FEW = settings(
    max_examples=25,
    derandomize=True,
    deadline=None,
    database=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=QUIET,
)
SOAK = settings(
    max_examples=8_000, deadline=None, database=None, print_blob=True, suppress_health_check=QUIET
)


def brief(case: object, said: str) -> str:
    """What stands for a whole generated case in a message: what kind, how much, and which."""
    digest = hashlib.sha256(repr(vars(case)).encode()).hexdigest()[:8]
    return f"<{type(case).__name__} {digest}: {said}>"


@contextmanager
def telling(parts: Callable[[], object]) -> Iterator[None]:
    """Tell the parts of a case in full when it fails."""
    try:
        yield
    except AssertionError:
        note(pformat(parts(), width=120))
        raise
