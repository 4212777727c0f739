"""The Ray actor that hosts the application: uvicorn in a thread, on a fixed port.

Two of them run: the one that has the port serves, the other has everything imported and waits for
the port. When the first one dies the kernel takes the port from it, the second one has it some
milliseconds later, and Ray starts a new second one. Without a standby the daemon would be away for
as long as a Python process takes to start and import: a second on an idle machine, several on a busy one.

The application itself stays outside the class: a class with any ``async def`` becomes an async
actor, whose event loop breaks uvicorn's threads.
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from auditor.settings import Settings

#: How often the standby tries to get the port, in seconds.
_POLL_SECONDS: Final = 0.02


class Replica:
    """Serves as soon as the port is free, until it is told to drain. Made by Ray."""

    def __init__(self, settings: dict[str, Any]) -> None:
        # Everything that takes time comes before the port does.
        import auditor.ingest.app
        import auditor.store.migrations.run  # noqa: F401
        from auditor.settings import load_settings

        self._draining = threading.Event()
        self._thread = threading.Thread(target=self._serve, args=(load_settings(**settings),), daemon=True)
        self._thread.start()

    def ping(self) -> int:
        """The process id."""
        return os.getpid()

    def drain(self) -> None:
        """Answers what is under way, commits it, and serves no more."""
        self._draining.set()
        self._thread.join()

    def _serve(self, settings: Settings) -> None:
        from auditor.hosting.inprocess import Server, listen
        from auditor.ingest.app import create_app

        while not self._draining.is_set():
            try:
                listener = listen(settings.host, settings.port)
            except OSError:
                self._draining.wait(_POLL_SECONDS)
                continue
            with listener:
                server = Server(create_app(settings), listener)
                server.start()
                while server.alive and not self._draining.wait(0.5):
                    pass
                server.stop()


#: Ray makes its workers yield to every other process (nice 15): beside a few busy ones the daemon had a
#: second of CPU in a minute, and alerts waited for it. Read by each of Ray's processes as it starts.
NICENESS: Final = {"RAY_worker_niceness": "0"}


def replica_options(*, joined: bool) -> dict[str, Any]:
    """How Ray is to keep it: restarted for ever, its calls repeated, no CPU reserved, on this node.

    The node is the one that the address belongs to.

    Args:
        joined: the Ray is somebody else's: what its processes inherit is not ours to set.
    """
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    options = {
        "max_restarts": -1,
        "max_task_retries": -1,
        "max_concurrency": 4,
        "num_cpus": 0,
        "scheduling_strategy": here,
    }
    # An environment of its own makes Ray slower to start a process: only where it must be.
    return options | {"runtime_env": {"env_vars": NICENESS}} if joined else options
