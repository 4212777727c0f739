"""S7: what counts as a secret, and what machine learning calls by the same words."""

from __future__ import annotations

import time

import pytest

from auditor_agent.ending import one_line
from auditor_agent.plain import MAX_TEXT, READ_TEXT, plain
from auditor_agent.scrub import MASK, is_secret, scrubbed

HARMLESS = (
    *("num_tokens", "max_tokens", "pad_token_id", "pad_token", "tokenizer", "token_embedding.weight", "PWD", "OLDPWD"),
    *("key_dim", "query_key_value", "keys", "encoder.0.attn.key.weight", "TOKENIZERS_PARALLELISM", "MAX_TOKENS"),
    *("author", "authenticity_loss", "bypass", "forward_pass", "passes", "secretion", "compass", "lr", ""),
)
SECRET = (
    *("password", "db_password", "DB_PASS", "userPassword", "apiKey", "OPENAI_API_KEY", "api-key", "hf_token", "token"),
    *("AWS_SECRET_ACCESS_KEY", "aws_secret_access_key", "GITHUB_TOKEN", "GITHUB_TOKEN_PROD", "client_secret", "auth"),
    *("Authorization", "SENTRY_DSN", "private_key", "account_key", "WANDB_API_KEY", "--api-key", "credentials", "jwt"),
)


@pytest.mark.parametrize("name", SECRET)
def test_s7_a_secret_is_known_by_its_name(name: str) -> None:
    """In the spelling of variables, options, attributes and headers."""
    assert is_secret(name)
    assert scrubbed({name: "x1y2z3"}, {}, []) == {name: MASK}


@pytest.mark.parametrize("name", HARMLESS)
def test_s7_the_words_of_the_trade_are_no_secrets(name: str) -> None:
    """Tokens of texts and keys of attention keep their values: a manifest without them could not be compared."""
    body = {name: "value", "inner": {name: {"shape": [3, 4]}}, "numbers": {name: 3}}
    assert scrubbed(body, {}, []) == body


def test_s7_what_is_no_text_stays_what_it_is() -> None:
    """Numbers, flags and structures come back as they are; a number is masked where only a password can stand."""
    body = {"a": [1, 2.5, None, True], "b": {"token": 50_256, "c": float("inf")}, "password": None, "secret": ""}
    assert scrubbed(body, {}, []) == body
    assert scrubbed({"password": 12345678, "credentials": {"user": "x"}, "api_keys": ["a"]}, {}, []) == {
        "password": MASK,
        "credentials": {"user": "x"},
        "api_keys": ["a"],
    }


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("postgresql://me:hunter2@db/x", f"postgresql://me:{MASK}@db/x"),
        ("curl -H 'Authorization: Bearer abcdef123456'", "curl -H 'Authorization: "),
        ("login failed: password=hunter2, retry", f"login failed: password={MASK}, retry"),
        ("key: password=hunter2 and token: abc", f"key: password={MASK} and token: {MASK}"),
        ('{"api_key": "abc123"}', f'{{"api_key": "{MASK}"}}'),
        ("train.py --lr 0.1 --hf-token abc --steps 3", f"train.py --lr 0.1 --hf-token {MASK} --steps 3"),
        ("num_tokens=512 lr=0.1 pad_token=<pad>", "num_tokens=512 lr=0.1 pad_token=<pad>"),
        ("token: 17 of 20", "token: 17 of 20"),
        ("step 3: loss=nan", "step 3: loss=nan"),
    ],
)
def test_s7_texts_lose_their_secrets_and_nothing_else(text: str, left: str) -> None:
    """Pairs, options and addresses within a sentence."""
    assert scrubbed(text, {}, []).startswith(left)


def test_s7_a_command_line_keeps_its_options() -> None:
    """In a list the secret follows its option."""
    line = ["--lr", "0.1", "--password", "x", "--name", "--token", "--verbose", "run"]
    assert scrubbed(line, {}, []) == ["--lr", "0.1", "--password", MASK, "--name", "--token", "--verbose", "run"]


def test_s7_a_known_secret_is_found_where_it_does_not_belong() -> None:
    """The message of an exception, in the middle of a word, in a key."""
    known = {"SERVICE_PASSWORD": "correct-horse", "DATABASE_URL": "mysql://u:p%40ssw0rd@h/d", "PWD": "/here/is/code"}
    body = {"why": "cannot open xcorrect-horsex", "correct-horse": 1, "also": ["p@ssw0rd", "/here/is/code"]}
    assert scrubbed(body, known, ["train.py", "--api-key=zyxwv98"]) == {
        "why": f"cannot open x{MASK}x",
        MASK: 1,
        "also": [MASK, "/here/is/code"],
    }
    assert scrubbed("zyxwv98", {}, ["train.py", "--api-key=zyxwv98"]) == MASK


def test_s7_a_secret_is_masked_before_a_text_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a secret would not be known as one."""
    monkeypatch.setenv("SERVICE_PASSWORD", "correct-horse-battery")
    for before in (MAX_TEXT - 5, READ_TEXT - 5):
        assert "corre" not in scrubbed(plain("x" * before + "correct-horse-battery"))
    assert "corre" not in one_line(ValueError("x " * 140 + "correct-horse-battery"))


@pytest.mark.parametrize(
    "piece", ["a", "key", "key=:", "key=pass:", "token=", "eyJ", "-a ", "://:", "-----BEGIN ", "Bearer "]
)
def test_s7_no_text_takes_long(piece: str) -> None:
    """A few milliseconds for the longest text there is, whatever it says: the job waits for it."""
    text = piece * (READ_TEXT // len(piece))
    begin = time.perf_counter()
    scrubbed(text, {}, [])
    assert time.perf_counter() - begin < 0.2
