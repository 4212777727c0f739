"""Takes secrets out of what a run tells about itself, before it reaches a frame.

Three nets, each for what the others miss: *names* (the value of ``api_key`` is masked whatever it
looks like), *values known to be secret* (those of secret-named environment variables and command
line options are masked wherever they turn up, such as in the message of an exception), and *shapes*
(keys of well-known services, passwords in URLs, private keys).

The names that machine learning gives its own tokens and keys (``pad_token``, ``max_tokens``,
``key_dim``) are left alone.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from typing import Any, Final
from urllib.parse import unquote

from auditor_agent.plain import MAX_TEXT

MASK: Final = "[scrubbed]"
_SHORTEST: Final = 5
"""A shorter value, secret or not, would be found by chance within other words."""
_MOST_KNOWN: Final = 512

# Endings of the words of a name; a word may be glued to others ("hftoken"). The first are secret
# wherever they stand and whatever the value; the second as the last word, and if the value is a text.
_ALWAYS: Final = ("password", "passwords", "passwd", "passphrase", "secret", "secrets", "apikey", "credential")
_LAST: Final = ("token", "credentials", "authorization", "jwt", "dsn", "bearer", "cookie", "accesskey", "privatekey")
_ALONE: Final = frozenset({"pwd", "auth", "pass", "pat"})
"""Words like ``_LAST`` that mean other things too, unless the name is that of an environment variable."""
_KEYS: Final = frozenset(
    {"api", "access", "private", "secret", "account", "signing", "encryption", "ssh", "license", "master", "deploy"}
)
_TEXT_TOKENS: Final = frozenset(
    {"pad", "eos", "bos", "unk", "sep", "cls", "mask", "image", "audio", "video", "start", "end", "stop", "special"}
)
_FOLDERS: Final = frozenset({"PWD", "OLDPWD"})


_NO_SECRET: Final = frozenset({MASK, "None", "null", "true", "false"})
_NUMBER: Final = re.compile(r"[+-]?[\d.]+(?:[eE][+-]?\d+)?")


def scrubbed(value: Any, environ: Mapping[str, str] | None = None, argv: Sequence[str] | None = None) -> Any:
    """``value``, plain as JSON, with :data:`MASK` in place of every secret and long texts cut.

    Args:
        value: what ``plain`` gives.
        environ: where known secrets are looked up; ``os.environ`` unless given.
        argv: likewise; ``sys.argv`` unless given.
    """
    known = _known(os.environ if environ is None else environ, sys.argv if argv is None else argv)
    return _walk(value, known)


def is_secret(name: str) -> bool:
    """Whether what goes by this name is a secret, by the words of the name."""
    return _weight(name[:200]) > 0


@cache
def _words() -> re.Pattern[str]:
    return re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


@lru_cache(maxsize=4096)  # every text scrubbed asks about the whole environment
def _weight(name: str) -> int:
    """0: no secret; 1: if the value is a text; 2: whatever the value."""
    words = [word.lower() for word in _words().findall(name)]
    if name in _FOLDERS or not words:
        return 0
    if any(w.endswith(_ALWAYS) or (w == "key" and b in _KEYS) for b, w in zip(["", *words], words, strict=False)):
        return 2
    variable = name.isupper()
    for before, word in zip(["", *words], words, strict=False):
        last = variable or word is words[-1]
        if last and word.endswith(_LAST) and before not in _TEXT_TOKENS:
            return 1
        if variable and word in _ALONE:
            return 1
    return int(words[-1] in {"pwd", "auth"})


def _walk(value: Any, known: re.Pattern[str] | None) -> Any:
    if isinstance(value, str):
        return _text(value, known)
    if isinstance(value, Mapping):
        return {_text(key, known): _named(str(key), item, known) for key, item in value.items()}
    if isinstance(value, list):
        return _row(value, known)
    return value


def _named(name: str, value: Any, known: re.Pattern[str] | None) -> Any:
    weight = _weight(name[:200])
    if not weight or value is None or isinstance(value, bool) or value in ("", [], {}):
        return _walk(value, known)
    return MASK if weight > 1 or isinstance(value, str) else _walk(value, known)


def _row(values: list[Any], known: re.Pattern[str] | None) -> list[Any]:
    """A list; it may be a command line, in which a secret follows the option that names it."""
    row: list[Any] = []
    masks = False
    for value in values:
        row.append(MASK if masks and isinstance(value, str) and not value.startswith("--") else _walk(value, known))
        masks = isinstance(value, str) and value.startswith("-") and "=" not in value and is_secret(value)
    return row


def _text(text: str, known: re.Pattern[str] | None) -> str:
    if known is not None:
        text = known.sub(MASK, text)
    if len(text) >= _SHORTEST:
        text = _shapes().sub(_masked_shape, text)
        if "=" in text or ":" in text:
            text = _masked_values(_pairs(), text)
        if "-" in text:
            text = _masked_values(_options(), text)
    return text[:MAX_TEXT]


def _masked_shape(found: re.Match[str]) -> str:
    return f"{found['keep'] or ''}{MASK}"


def _masked_values(pattern: re.Pattern[str], text: str) -> str:
    """``text`` with the value of every secret-named pair masked; what follows a harmless name may be a pair itself."""
    parts, done, at = [], 0, 0
    while (found := pattern.search(text, at)) is not None:
        name, _, value = found.groups()
        weight = _weight(name)
        if not weight or value in _NO_SECRET or (weight == 1 and _NUMBER.fullmatch(value)):
            at = found.start(3)
            continue
        parts += [text[done : found.start(3)], MASK]
        done = at = found.end(3)
    return "".join((*parts, text[done:]))


@cache
def _pairs() -> re.Pattern[str]:
    """``name=value``, ``name: value``, ``"name": "value"``."""
    name = r"([\w.-]{0,60}(?:pass|pwd|secret|token|key|cred|auth|jwt|dsn|bearer|cookie|pat)[\w.-]{0,40})"
    return re.compile(name + r"""(["']?\s{0,3}[=:]\s{0,3}["']?)([^\s"',;&}]+)""", re.IGNORECASE)


@cache
def _options() -> re.Pattern[str]:
    """``--name value``."""
    return re.compile(r"""(--?[A-Za-z][\w-]{0,100})(\s{1,3}["']?)([^\s"'-][^\s"']*)""")


@cache
def _shapes() -> re.Pattern[str]:
    """Secrets that look like what they are. What stands in the group ``keep`` stays."""
    return re.compile(
        r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"
        r"|(?P<keep>[a-z][a-z0-9+.-]{1,30}://[^\s:/@]{0,100}:)[^\s/]{1,500}(?=@)"
        r"|(?:(?<=Bearer )|(?<=bearer )|(?<=Basic )|(?<=basic ))[A-Za-z0-9._~+/=-]{6,}"
        r"|\beyJ[\w-]{5,}\.eyJ[\w-]{5,}\.[\w-]*"
        r"|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"
        r"|\bgh[pousr]_\w{20,}|\bgithub_pat_\w{20,}|\bglpat-[\w-]{16,}"
        r"|\bhf_[A-Za-z0-9]{16,}|\bnpm_\w{20,}|\bpypi-[\w-]{16,}|\bdop_v1_\w{20,}"
        r"|\b(?:sk|pk|rk)[-_][\w-]{16,}|\bxox[abeoprs]-[\w-]{10,}|\bxapp-[\w-]{10,}"
        r"|\bAIza[\w-]{30,}|\bya29\.[\w.-]{10,}|\bSG\.[\w-]{10,}\.[\w-]{10,}|\bkey-[0-9a-f]{32}\b"
        r"|\bhooks\.slack\.com/services/[\w/]+"
        r"|(?<=[?&]sig=)[^\s&]+|(?<=X-Amz-Signature=)[^\s&]+"
    )


def _known(environ: Mapping[str, str], argv: Sequence[str]) -> re.Pattern[str] | None:
    """A pattern of the values that this process knows to be secret; None if there are none."""
    values = {value.strip() for name, value in environ.items() if is_secret(name)}
    values |= {password for value in environ.values() for password in _passwords(value)}
    values |= set(_told(argv))
    longest_first = sorted((value for value in values if _telling(value)), key=len, reverse=True)
    return re.compile("|".join(map(re.escape, longest_first[:_MOST_KNOWN]))) if longest_first else None


def _telling(value: str) -> bool:
    return len(value) >= _SHORTEST and value.lower() not in {"false", "none", "default"}


def _passwords(value: str) -> list[str]:
    """The password of an address, as written and as meant."""
    scheme, separator, rest = value.partition("://")
    if not separator or not scheme.isascii():
        return []
    user, at, _ = rest.rpartition("@")
    password = user.partition(":")[2]
    return [password, unquote(password)] if at and password else []


def _told(argv: Sequence[str]) -> list[str]:
    """The values of secret-named options, ``--name value`` and ``--name=value``, and passwords of addresses."""
    told = []
    for at, word in enumerate(argv):
        name, equals, value = word.partition("=")
        if equals and is_secret(name):
            told.append(value)
        elif word.startswith("-") and is_secret(word) and at + 1 < len(argv) and not argv[at + 1].startswith("-"):
            told.append(argv[at + 1])
        told += _passwords(value if equals else word)
    return told
