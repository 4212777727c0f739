"""What the daemon can be told: one class, read from ``AUDITOR_*`` variables and keyword arguments."""

from __future__ import annotations

import ipaddress
import json
from pathlib import Path
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from auditor.home import DEFAULT_HOME, database

DEFAULT_PORT = 9470


class SettingsError(ValueError):
    """A setting that cannot be used; the message names the variable and what to do."""


class Settings(BaseSettings):
    """Settings of the daemon. Every field is ``AUDITOR_`` + its name in the environment.

    Durations are seconds, sizes bytes.
    """

    model_config = SettingsConfigDict(
        env_prefix="AUDITOR_", extra="ignore", frozen=True, env_ignore_empty=True, use_attribute_docstrings=True
    )

    home: Path = Field(default=Path(DEFAULT_HOME), validate_default=True)
    """Folder of the embedded database and of ``daemon.json``."""
    db: str = ""
    """SQLAlchemy URL of the store; empty: SQLite in ``home``."""
    host: str = "127.0.0.1"
    """Address to listen on. Anything but loopback needs a token."""
    port: int = Field(default=DEFAULT_PORT, ge=0, le=65535)
    """TCP port; 0 lets the system choose."""
    token: SecretStr | None = None
    """Bearer token that every request but the health checks must carry."""
    external_url: str | None = None
    """Where people and Prometheus reach the daemon, if not at host:port."""
    alertmanager_url: str | None = None
    """Alertmanager (v2 API) to post alerts to; none: no posts."""
    stall_seconds: float = Field(default=300.0, gt=0)
    """Alive without a step for so long (and ten median steps) is stalled."""
    silent_seconds: float = Field(default=120.0, gt=0)
    """Neither heartbeat nor step for so long, without an end, is silent."""
    metrics_linger: float = Field(default=300.0, ge=0)
    """An ended run stays in ``/metrics`` for so long."""
    max_live_runs: int = Field(default=200, ge=1)
    """Runs whose detectors are kept in memory; the longest untouched give way."""
    max_body: int = Field(default=32 << 20, ge=1024)
    """Largest request body."""
    max_inflated: int = Field(default=128 << 20, ge=1024)
    """Largest sum of inflated blocks in one request."""
    watchdog_interval: float = Field(default=1.0, gt=0)
    """How often the rules that watch the clock are asked."""
    standby: bool = True
    """``auditor serve`` keeps a second process ready to take the port at once when the first one dies."""
    rules: Annotated[Path | dict[str, dict[str, Any]], NoDecode] = Field(default_factory=dict)
    """Path of a TOML file that tunes and mutes rules (docs/tuning.md), or JSON: `{"rule": {"parameter": value}}`.

    ``auditor.toml`` in ``home`` is read before it.
    """

    @field_validator("rules", mode="before")
    @classmethod
    def _path_or_json(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        if not value.lstrip().startswith("{"):
            return Path(value).expanduser().absolute()
        try:
            return json.loads(value)
        except ValueError as error:
            raise ValueError(f"begins like JSON but is none: {error}") from error

    @field_validator("home")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @field_validator("alertmanager_url", "external_url")
    @classmethod
    def _http(cls, value: str | None) -> str | None:
        if value is not None and urlsplit(value).scheme not in {"http", "https"}:
            raise ValueError(f"{value!r} is no http:// or https:// address")
        return value

    @model_validator(mode="after")
    def _closed_by_default(self) -> Self:
        if not is_loopback(self.host) and not self.secret:
            raise ValueError(
                f"host {self.host} is reachable from outside: set AUDITOR_TOKEN, or listen on 127.0.0.1",
            )
        return self

    @property
    def secret(self) -> str | None:
        """The token in clear, or None."""
        return self.token.get_secret_value() if self.token else None

    @property
    def db_url(self) -> str:
        """URL of the store."""
        return self.db or database(self.home)

    @property
    def url(self) -> str:
        """Where the daemon is reached."""
        return (self.external_url or self._at(self.host)).rstrip("/")

    @property
    def local_url(self) -> str:
        """Where programs of this machine reach the daemon."""
        everywhere = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - looked up, not listened on
        return self._at(everywhere.get(self.host, self.host))

    def _at(self, host: str) -> str:
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"


def is_loopback(host: str) -> bool:
    """Whether ``host`` names this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def load_settings(**overrides: Any) -> Settings:
    """Settings from the environment, ``overrides`` (those that are not None) going first.

    Raises:
        SettingsError: if one cannot be used; the message names it.
    """
    try:
        return Settings(**{name: value for name, value in overrides.items() if value is not None})
    except ValidationError as error:
        raise SettingsError("; ".join(_complaint(item) for item in error.errors(include_url=False))) from error
    except ValueError as error:  # pydantic-settings: a variable that should be JSON is not
        raise SettingsError(f"{error}: {error.__cause__}") from error


def _complaint(item: Any) -> str:
    where = ".".join(str(part) for part in item["loc"])
    message = str(item["msg"]).removeprefix("Value error, ")
    return f"AUDITOR_{where.upper()}: {message}" if where else message
