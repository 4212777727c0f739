"""S7: a corpus of secrets, put wherever a job has them; none is in what the agent sends or spools."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from auditor_agent.scrub import MASK
from support.agent import child_env
from support.fake_daemon import FakeDaemon

HEX, WORD = "0123456789abcdef" * 4, "Zq7Xv2Lm9Kp4Rt8Wb3Nc6Hd1Fg5Js0Ty"
NAMES = """
AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AZURE_CLIENT_SECRET AZURE_STORAGE_ACCOUNT_KEY GITHUB_TOKEN GH_TOKEN
GITLAB_PRIVATE_TOKEN HF_TOKEN HUGGING_FACE_HUB_TOKEN WANDB_API_KEY OPENAI_API_KEY ANTHROPIC_API_KEY
COMET_API_KEY NEPTUNE_API_TOKEN MLFLOW_TRACKING_PASSWORD MLFLOW_TRACKING_TOKEN KAGGLE_API_KEY DB_PASSWORD
DB_PASS MYSQL_PWD PGPASSWORD POSTGRES_PASSWORD REDIS_PASSWORD MONGO_PASSWORD SMTP_PASSWORD SLACK_BOT_TOKEN
TELEGRAM_TOKEN DISCORD_TOKEN SENTRY_DSN STRIPE_SECRET_KEY TWILIO_AUTH_TOKEN NPM_TOKEN PYPI_TOKEN TWINE_PASSWORD
DOCKER_PASSWORD DOCKERHUB_TOKEN KUBE_TOKEN VAULT_TOKEN CONSUL_HTTP_TOKEN NOMAD_TOKEN JWT_SECRET SESSION_SECRET
DJANGO_SECRET FLASK_SECRET_KEY ENCRYPTION_KEY SIGNING_KEY SSH_KEY_PASSPHRASE GPG_PASSPHRASE LICENSE_KEY
DEPLOY_KEY MASTER_KEY SERVICE_CREDENTIAL AUDITOR_TOKEN MY_APP_TOKEN_PROD SERVICE_AUTH LDAP_BIND_PASSWORD
"""
#: Secret variables: their values need no telling shape.
VARIABLES = {name: f"{at:02d}{WORD[at % 20 : at % 20 + 12]}" for at, name in enumerate(NAMES.split())}
ADDRESSES = {
    "DATABASE_URL": "postgresql://trainer:s3cr3t-in-a-url@db.internal:5432/runs",
    "REDIS_URL": "redis://:red1s-in-a-url@cache:6379/0",
    "HTTPS_PROXY": "http://user:pr0xy-in-a-url@proxy:3128",
    "AMQP_URL": "amqp://u:p%40ss-in-a-url@mq/v",
}
#: Secret by their shape alone, under harmless names.
SHAPES = (
    "AKIAIOSFODNN7EXAMPLE",
    "ASIAIOSFODNN7EXAMPLE",
    f"ghp_{WORD}",
    f"gho_{WORD}",
    f"ghs_{WORD}",
    f"github_pat_11{WORD}",
    "glpat-abcdefghij0123456789",
    f"hf_{WORD}",
    f"sk-proj-{WORD}",
    f"sk_live_{WORD}",
    f"rk_live_{WORD}",
    "xoxb-123456789012-abcdefABCDEF",
    "xoxp-123456789012-abcdefABCDEF",
    "xapp-1-A012345-abcdef",
    f"AIzaSy{WORD}Q",
    f"ya29.a0Af{WORD}",
    f"SG.{WORD[:22]}.{WORD}",
    f"npm_{WORD}",
    f"pypi-AgEIcHlwaS5vcmc{WORD}",
    f"dop_v1_{HEX}",
    f"key-{HEX[:32]}",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P",
    "https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXX",
)
PRIVATE_KEY = f"-----BEGIN RSA PRIVATE KEY-----\n{HEX}\n{WORD}\n-----END RSA PRIVATE KEY-----"
#: Behind an option or a name; short ones too.
OPTIONS = {
    "--password": "opt-hunter2",
    "--api-key": "opt-abc",
    "--hf-token": "opt-tok-1",
    "--secret": "opt-sec-2",
    "--db-password": "opt-db-3",
    "--auth": "opt-auth-4",
    "--access-key": "opt-acc-5",
    "--client-secret": "opt-cli-6",
}
PARTS = ("s3cr3t-in-a-url", "red1s-in-a-url", "pr0xy-in-a-url", "p%40ss-in-a-url", "p@ss-in-a-url", HEX, WORD[:20])
SECRETS = (*VARIABLES.values(), *SHAPES, *PARTS, *OPTIONS.values(), "by-name-1", "by-name-2")

JOB = f"""
import os, sys
sys.path.insert(0, {str(Path(__file__).resolve().parent.parent)!r})
import torch
import auditor_agent
model = torch.nn.Linear(2, 1)
model.api_key = "by-name-1"          # an attribute of a layer, as a manifest reads them
model.hint = os.environ["HF_TOKEN"]
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
run = auditor_agent.watch(model, optimizer, name="run with " + os.environ["DB_PASSWORD"], project="p")
model(torch.ones(1, 2)).sum().backward(); optimizer.step()
everything = {{"environ": dict(os.environ), "argv": sys.argv, "line": " ".join(sys.argv), "shapes": {SHAPES!r},
    "key": {PRIVATE_KEY!r}, "deep": [{{"x": [{{"password": "by-name-2"}}]}}], os.environ["WANDB_API_KEY"]: 1}}
run.event(1, "configured", message="connecting to " + os.environ["DATABASE_URL"], everything=everything)
run.manifest(everything)
import time; time.sleep(0.5)
raise RuntimeError("no login with " + os.environ["PGPASSWORD"] + " at " + os.environ["AMQP_URL"] + " " + sys.argv[2])
"""


def test_s7_the_corpus_is_as_large_as_promised() -> None:
    """A hundred secrets, each told from the others."""
    assert len({*VARIABLES.values(), *SHAPES, PRIVATE_KEY, *ADDRESSES.values(), *OPTIONS.values()}) >= 90
    assert len(set(SECRETS)) >= 95


def test_s7_no_secret_of_the_corpus_is_in_any_byte_that_leaves(
    fake_daemon: FakeDaemon, repo_env: dict[str, str], auditor_home: Path
) -> None:
    """A user who puts environment and command line into everything still tells no secret."""
    env = child_env(repo_env | VARIABLES | ADDRESSES, AUDITOR_URL=fake_daemon.url, NO_PROXY="*")
    arguments = [word for pair in OPTIONS.items() for word in pair]
    bodies: list[bytes] = []
    fake_daemon.misbehaviour = lambda handler: bodies.append(handler.body) is not None
    script = auditor_home.parent / "train.py"
    script.write_text(JOB)
    command = [sys.executable, str(script), *arguments, f"--config={SHAPES[2]}", f"--token={OPTIONS['--api-key']}"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 1, done.stderr
    assert "RuntimeError: no login" in done.stderr
    sent = b"".join(bodies)
    for secret in SECRETS:
        assert secret.encode() not in sent, secret
    (finish,) = fake_daemon.headers("finish")
    assert finish["reason"].startswith("RuntimeError: no login with [scrubbed] at amqp://u:")
    told = [h["manifest"]["environ"] for h in fake_daemon.headers("manifest") if "environ" in h["manifest"]]
    assert told  # once, and again whenever something of the run was observed
    assert {environ["AWS_SECRET_ACCESS_KEY"] for environ in told} == {MASK}
    assert {environ["AUDITOR_URL"] for environ in told} == {fake_daemon.url}
    assert sent.count(MASK.encode()) > len(SECRETS)
