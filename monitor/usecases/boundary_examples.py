"""`monitor rules test --boundaries`: the examples that a rule lacks, to be accepted into its file."""

from __future__ import annotations

import tomllib
from pathlib import Path
from tempfile import TemporaryDirectory

from monitor.authoring.boundaries import Proposal, propose, with_proposal
from monitor.config import Settings
from monitor.errors import UsageError
from monitor.files import write_atomic
from monitor.usecases.rules import rule_of


def propose_examples(settings: Settings, rule: str) -> Proposal:
    """Variants of a rule's firing example that none of its examples holds yet, with their verdicts.

    Raises UsageError when no study uses the rule, or when it has no example to start from.
    """
    _, pack, found = rule_of(settings, rule, None)
    with TemporaryDirectory(prefix="monitor-rules-") as folder:
        proposal = propose(pack, found, Path(folder))
    if proposal is None:
        raise UsageError(f"{rule}: no example fires with the pack's own numbers; write one, then ask again")
    return proposal


def accept_examples(settings: Settings, proposal: Proposal) -> Path:
    """Put the proposal at the end of the rule's file; gives the file."""
    _, _, found = rule_of(settings, proposal.rule, None)
    path = settings.path(settings.monitor.rules_dir) / found.pack / f"{found.id}.toml"
    text = with_proposal(path.read_text("utf-8"), proposal.text)
    tomllib.loads(text)
    write_atomic(path, text.encode())
    return path
