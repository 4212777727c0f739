"""A home with four runs in its embedded database, and a way to call the command line."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from auditor.cli.embedded import AppTransport, embedded
from auditor.cli.group import auditor
from support.frames import Sender

__all__ = ["AppTransport"]

Call = Callable[..., Result]
HOSTILE = "<script>alert(1)</script>\x1b[31m\u202e[red]{{x}}"


@pytest.fixture
def call() -> Call:
    """Calls ``auditor`` with arguments; an exception other than an exit is raised."""

    def calling(*arguments: str, code: int = 0, **options: str) -> Result:
        result = CliRunner().invoke(auditor, arguments, catch_exceptions=False, **options)
        assert result.exit_code == code, result.output
        return result

    return calling


@pytest.fixture
def runs(auditor_home: Path) -> Path:
    """Runs ``good``, ``twin`` (the same numbers), ``broken`` (NaN at step 7) and ``hostile`` (its names)."""
    with embedded() as client:
        for run, name in (("good", "first"), ("twin", "second"), ("hostile", HOSTILE)):
            send(client, healthy(Sender(run), name))
        send(client, breaking(Sender("broken")))
    return auditor_home


def send(client: object, body: bytes) -> None:
    answer = client._http.post("/v1/frames", content=body)  # type: ignore[attr-defined]
    assert answer.status_code == 200, answer.text
    assert not answer.json()["rejected"]


def healthy(sender: Sender, name: str) -> bytes:
    losses = [2.0 * 0.9**i for i in range(20)]
    manifest = {"framework": "torch", "optimizer": {"class": "Adam", "lr": 0.01}}
    return b"".join(
        (
            sender.start(name=name),
            sender.steps(range(1, 21), losses, tensors=True),
            sender.manifest(manifest),
            sender.finish(step=20),
        )
    )


def breaking(sender: Sender) -> bytes:
    losses = [2.0 * 0.9**i for i in range(6)] + [1.0] + [math.nan] * 13
    manifest = {"framework": "torch", "optimizer": {"class": "Adam", "lr": 0.1}}
    return b"".join(
        (
            sender.start(name="breaks"),
            sender.steps(range(1, 7), losses[:6], tensors=True),
            sender.steps(range(7, 21), losses[6:], nan=(0, 3, 0)),
            sender.manifest(manifest),
            sender.finish(step=20),
        )
    )
