"""What the daemon can be told, and what it refuses to be told."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.settings import SettingsError, is_loopback, load_settings


def test_defaults_are_embedded_and_closed(auditor_home: Path) -> None:
    """Loopback, the documented port, SQLite in the home."""
    settings = load_settings()
    assert (settings.host, settings.port, settings.secret) == ("127.0.0.1", 9470, None)
    assert settings.db_url == f"sqlite:///{auditor_home}/auditor.db"
    assert settings.url == "http://127.0.0.1:9470"


def test_the_environment_is_read_and_arguments_go_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """An option on the command line beats the variable; an option that was not given does not."""
    monkeypatch.setenv("AUDITOR_PORT", "9999")
    monkeypatch.setenv("AUDITOR_RULES", '{"loss_spike": {"mute": true}}')
    assert load_settings(port=None).port == 9999
    assert load_settings(port=5).port == 5
    assert load_settings().rules == {"loss_spike": {"mute": True}}


def test_s2_an_open_address_needs_a_token(monkeypatch: pytest.MonkeyPatch) -> None:
    """Closed by default; the message says what to do."""
    for host in ("0.0.0.0", "::", "192.0.2.7", "example.org"):
        with pytest.raises(SettingsError, match="AUDITOR_TOKEN"):
            load_settings(host=host)
    opened = load_settings(host="0.0.0.0", token="t", external_url="https://a.example/")
    assert (opened.local_url, opened.url) == ("http://127.0.0.1:9470", "https://a.example")
    assert load_settings(host="::1").local_url == "http://[::1]:9470"
    with pytest.raises(SettingsError, match="AUDITOR_TOKEN"):
        load_settings(host="0.0.0.0", token="")


def test_s3_the_token_masks_itself() -> None:
    """Printing or logging the settings does not print the token."""
    settings = load_settings(token="hunter2")
    assert "hunter2" not in repr(settings) + str(settings) + settings.model_dump_json()
    assert settings.secret == "hunter2"


@pytest.mark.parametrize(
    ("name", "value"),
    [("PORT", "many"), ("PORT", "70000"), ("STALL_SECONDS", "-1"), ("ALERTMANAGER_URL", "ftp://x"), ("RULES", "{")],
)
def test_what_cannot_be_used_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    """The error names the setting."""
    monkeypatch.setenv(f"AUDITOR_{name}", value)
    with pytest.raises(SettingsError, match=f"(?i){name}"):
        load_settings()


def test_loopback_is_recognised_in_all_its_spellings() -> None:
    """IPv4's whole block, IPv6, the name."""
    assert all(is_loopback(host) for host in ("127.0.0.1", "127.9.9.9", "::1", "[::1]", "localhost"))
    assert not any(is_loopback(host) for host in ("0.0.0.0", "::", "10.0.0.1", "localhost.example.org", ""))
