"""Rows per second through the whole daemon, and how long an acknowledgement takes.

The application runs in this process (its first host: uvicorn in a thread) over SQLite with a sync at
every commit; agents are processes of their own that send one frame after the other, each as soon as
the one before is acknowledged. A row is one tensor's twelve statistics at one step.

    PYTHONPATH=.:agents python benchmarks/ingest.py [--seconds 10] [--agents 4] [--tensors 150] [--steps 40]
"""

from __future__ import annotations

import argparse
import http.client
import json
import multiprocessing
import os
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from auditor.hosting.inprocess import hosted
from auditor.settings import load_settings
from tests.support.frames import Sender


def agent(url: str, number: int, seconds: float, tensors: int, steps: int) -> tuple[int, list[float]]:
    """Sends for ``seconds``; the rows that were acknowledged and the seconds each answer took."""
    table = [["gradient", f"layer{i}.weight", [64, 64], "float32"] for i in range(tensors)]
    sender = Sender(run=f"bench{number}", table=table, session=f"{number:016x}")
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
    _post(connection, sender.start())
    norms = np.random.default_rng(number).uniform(0.5, 1.5, tensors).tolist()
    rows, waits, step = 0, [], 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        numbers = range(step, step + steps)
        frame = sender.steps(numbers, [10.0 / (1 + n) for n in numbers], norms=norms)
        began = time.monotonic()
        answer = _post(connection, frame)
        waits.append(time.monotonic() - began)
        assert answer["verdict"] == "healthy", answer
        assert len(answer["committed"]) == 1, answer
        rows, step = rows + steps * tensors, step + steps
    return rows, waits


def _post(connection: http.client.HTTPConnection, body: bytes) -> dict[str, Any]:
    connection.request("POST", "/v1/frames", body)
    response = connection.getresponse()
    text = response.read()
    assert response.status == 200, text
    answer: dict[str, Any] = json.loads(text)
    return answer


def measure(agents: int, seconds: float, tensors: int, steps: int) -> dict[str, Any]:
    """One run of the benchmark."""
    with tempfile.TemporaryDirectory() as folder, hosted(load_settings(port=0, home=folder)) as url:
        context = multiprocessing.get_context("spawn")
        with context.Pool(agents) as pool:
            pool.starmap(agent, [(url, 1000 + i, 0.5, tensors, steps) for i in range(agents)])
            cpu, began = time.process_time(), time.monotonic()
            results = pool.starmap(agent, [(url, i, seconds, tensors, steps) for i in range(agents)])
            took, cpu = time.monotonic() - began, time.process_time() - cpu
        size = sum(path.stat().st_size for path in Path(folder).iterdir())
    rows = sum(count for count, _ in results)
    waits = np.array([wait for _, each in results for wait in each]) * 1e3
    return {
        "agents": agents,
        "tensors": tensors,
        "steps_per_frame": steps,
        "rows_per_second": round(rows / took),
        "frames_per_second": round(len(waits) / took, 1),
        "ack_ms": {"p50": round(float(np.median(waits)), 2), "p99": round(float(np.quantile(waits, 0.99)), 2)},
        "daemon_cores": round(cpu / took, 2),
        "bytes_per_row": round(size / max(rows, 1), 1),
    }


def main() -> None:
    """Prints one JSON line per shape of load."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--agents", type=int, nargs="*", default=[1, 4])
    parser.add_argument("--tensors", type=int, default=150)
    parser.add_argument("--steps", type=int, nargs="*", default=[1, 40, 200])
    given = parser.parse_args()
    for agents in given.agents:
        for steps in given.steps:
            print(json.dumps(measure(agents, given.seconds, given.tensors, steps)), flush=True)


if __name__ == "__main__":
    os.environ.pop("AUDITOR_DB", None)
    main()
