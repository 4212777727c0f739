"""A lock that is never given back, as a forked child may find one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any


def returns_while_held(lock: Any, call: Callable[[], object], patience: float = 5.0) -> bool:
    """Whether ``call`` comes back within ``patience`` seconds while another thread holds ``lock``."""
    caller = threading.Thread(target=call, daemon=True)
    held, over = threading.Event(), threading.Event()

    def hold() -> None:
        with lock:
            held.set()
            over.wait()

    holder = threading.Thread(target=hold)
    holder.start()
    try:
        assert held.wait(patience)
        caller.start()
        caller.join(patience)
        return not caller.is_alive()
    finally:
        over.set()
        holder.join()
        caller.join()
