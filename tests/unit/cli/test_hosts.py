from __future__ import annotations

import json
from pathlib import Path

import pytest

from auditor.api.hosts import _tested
from auditor.cli.embedded import embedded
from support.frames import Sender
from tests.unit.cli.conftest import Call, send


def rows(bad: dict[str, tuple[int, int]]) -> dict[str, bool]:
    """Which hosts are suspects, of (bad, all) runs by host."""
    known = [
        (host, f"{host}-{i}", "finished", "diverged" if i < broken else "healthy")
        for host, (broken, count) in bad.items()
        for i in range(count)
    ]
    return {row["host"]: row["suspect"] for row in _tested(known)}


@pytest.mark.parametrize(
    ("bad", "suspects"),
    [
        ({"a": (8, 10), "b": (1, 40), "c": (2, 40)}, {"a"}),
        ({"a": (3, 10), "b": (4, 40), "c": (5, 40)}, set()),
        ({"a": (2, 2), "b": (0, 3)}, set()),
        ({"a": (9, 9)}, set()),
        ({f"h{i}": (int(i == 0) * 3, 3) for i in range(5)}, set()),  # p = 1/455, times 5
        ({f"h{i}": (int(i == 0) * 4, 4) for i in range(5)}, {"h0"}),  # p = 1/4845, times 5
        ({}, set()),
    ],
)
def test_a_host_is_marked_where_chance_does_not_explain_it(bad: dict[str, tuple[int, int]], suspects: set[str]) -> None:
    """Many bad runs among many; not a few among few, nor one host without others to compare it with."""
    assert {host for host, suspect in rows(bad).items() if suspect} == suspects


def test_hosts_are_listed_from_the_store(call: Call, auditor_home: Path) -> None:
    """Every rank's host counts, runs that go on do not; --check exits with 1 for a marked one."""
    assert "No ended runs" in call("hosts").stdout
    with embedded() as client:
        for host, broken in (("node1", False), ("node2", True)):
            for i in range(8):
                sender, loss = Sender(f"{host}-{i}"), [1.0, float("nan") if broken else 1.0]
                send(client, sender.start(host=host) + sender.steps([1, 2], loss) + sender.finish(step=2))
        send(client, Sender("going").start(host="node1"))
    told = {row["host"]: row for row in json.loads(call("hosts", "--json").stdout)["hosts"]}
    assert (told["node1"]["runs"], told["node1"]["bad"], told["node1"]["suspect"]) == (8, 0, False)
    assert (told["node2"]["bad"], told["node2"]["suspect"]) == (8, True)
    assert "suspect" in call("hosts", "--check", code=1).stdout
    assert auditor_home.exists()
