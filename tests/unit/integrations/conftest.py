"""A run that keeps what it is told, in place of the real one."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from support.memory_run import MemoryRun


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Tiny tensors gain nothing from threads, and side by side with other tests they wait for cores."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Iterator[MemoryRun]:
    """The run that ``watch`` opens; nothing stays watched after the test, and nothing was compiled before it."""
    from auditor_agent.integrations.torch import audit as integration

    frames = sys.modules.get("torch._dynamo.eval_frame")
    if frames is not None:
        monkeypatch.setattr(frames, "cached_backends", {})

    memory = MemoryRun()
    monkeypatch.setattr(integration, "open_run", lambda *_, **__: memory)
    yield memory
    integration._scene.end()
