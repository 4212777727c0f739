"""S10: the agent speaks TLS only with a server that it can verify."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from auditor_agent.run import Run
from support.agent import balanced, train
from support.fake_daemon import FakeDaemon

Opener = Callable[..., Run]


def certificate(folder: Path, address: str) -> tuple[Path, Path]:
    """A certificate for ``address`` that only itself vouches for, and its key."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed (Debian: apt-get install openssl)")
    key, cert = folder / "key.pem", folder / "cert.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test"]
    command += ["-addext", f"subjectAltName={address}", "-keyout", str(key), "-out", str(cert)]
    subprocess.run(command, capture_output=True, timeout=60, check=True)
    return cert, key


@pytest.mark.parametrize(
    ("address", "trusted", "sent"),
    [("IP:127.0.0.1", True, 20), ("IP:127.0.0.1", False, 0), ("DNS:elsewhere.example", True, 0)],
    ids=["trusted", "nobody vouches for it", "another's name"],
)
def test_s10_g1_only_a_verified_server_gets_anything(
    address: str, trusted: bool, sent: int, tmp_path: Path, new_run: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A certificate that is trusted and for this address is spoken to; any other gets nothing, and the job runs on."""
    cert, key = certificate(tmp_path, address)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    daemon = FakeDaemon()
    daemon._server.socket = context.wrap_socket(daemon._server.socket, server_side=True)
    monkeypatch.setenv("AUDITOR_URL", daemon.url.replace("http:", "https:"))
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(cert))
    with daemon:
        run = new_run()
        train(run, 20)
        run.finish(timeout=2.0 if sent else 0.7)
        assert balanced(run)["sent"] == sent == daemon.steps()
        assert bool(daemon.requests) == bool(sent)
