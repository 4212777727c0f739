"""Where the one ASGI application lives: a thread of this process, or an actor on Ray."""
