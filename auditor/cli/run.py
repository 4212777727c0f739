"""``auditor run``: a training script under audit, no line of it changed.

The script's own output, input and exit code are left alone: what the audit says goes to stderr.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from rich.text import Text

from auditor.cli.client import Client, run_path
from auditor.cli.host import Where, host
from auditor.cli.problems import Problem
from auditor.cli.render import clean, console
from auditor.cli.show import print_run
from auditor.cli.spool import Result, deliver, leftovers
from auditor.home import home
from auditor_agent import jsonfinite

#: Seconds that the last frames have to arrive after the script has ended, and that a daemon has which answers, but
#: takes none of them: on a crowded machine a request of many frames takes its time.
SETTLE_SECONDS = 10.0
BUSY_SECONDS = 60.0
_POLL_SECONDS = 0.2


@click.command(
    "run",
    short_help="Run any training script under audit; no line of it changes.",
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@click.option("--name", help="Name of the run for people; default: the script's.")
@click.option("--project", help="Project of the run.  [default: AUDITOR_PROJECT, else default]")
@click.option(
    "--baseline",
    metavar="NAME",
    help="Hold the run against this baseline; or the id of a run to compare with at the end.",
)
@click.option(
    "--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
    help="Write the result to FILE: the JSON of `auditor show`, and how many frames are `undelivered`.",
)  # fmt: skip
@click.option(
    "--stop-on",
    type=click.Choice(["critical", "warning"]),
    help="End the training at an alert so grave. Off by default.",
)
@click.argument("command_line", nargs=-1, required=True, metavar="-- COMMAND...", type=click.UNPROCESSED)
def command(  # noqa: PLR0917  # click passes options by name
    name: str | None, project: str | None, baseline: str | None, json_file: Path | None, stop_on: str | None,
    command_line: Sequence[str],
) -> None:  # fmt: skip
    """Run any training script under audit; no line of it changes.

    Uses the daemon at AUDITOR_URL or a local one, else audits within this process into the embedded
    database. Prints the verdict to stderr and exits with the script's own exit code.

    With --stop-on the training ends itself after the step at which the verdict is known: Keras by
    stop_training, fit of scikit-learn early, a PyTorch script by SystemExit (exit code 1) in its
    optimizer's step. One that cannot, or goes on for 15 s, is sent SIGINT (130), then SIGTERM (143); it
    is never killed. The run's status is then "stopped", and what it sent before is stored.

    Example: auditor run --name first-try -- python train.py --epochs 3
    """
    from auditor.launch import launch

    run = os.environ.get("AUDITOR_RUN") or new_run_id(name or _script(command_line))
    project = project or os.environ.get("AUDITOR_PROJECT") or "default"
    with host() as where:
        reachable = where.answers()
        made = baseline if baseline and reachable and _is_baseline(where, baseline) else None
        if not reachable:
            _say(f"no answer from {where.url}: the run goes on, its data go to the spool in {home() / 'spool'}")
        code = launch(
            list(command_line), url=where.url, run=run, name=name, project=project, token=where.token, stop_on=stop_on,
            baseline=made, stop=_asked(where, run, stop_on) if stop_on and reachable else None,
        )  # fmt: skip
        other = None if made else baseline
        result = _result(where, run, code, other, patience=SETTLE_SECONDS if reachable else 0.0)
    if json_file:
        write_json(json_file, result)
    sys.exit(code)


def _asked(where: Where, run: str, stop_on: str) -> Callable[[], bool]:
    """Asks whether the run's verdict is grave enough to end it. No answer is no."""
    grave = {"diverged"} if stop_on == "critical" else {"diverged", "suspect"}

    def ask() -> bool:
        try:
            with where.client() as client:
                known = _known(client, run)
        except Problem:
            return False
        return known is not None and known["verdict"] in grave and known["status"] == "running"

    return ask


def _is_baseline(where: Where, name: str) -> bool:
    """Whether ``name`` is a baseline, rather than a run."""
    try:
        with where.client() as client:
            return bool(client.get("/v1/baselines", name=name)["baselines"])
    except Problem as problem:  # the script is to run all the same
        _say(problem.format_message())
        return False


def new_run_id(name: str) -> str:
    """A run id that people recognise and that does not come twice: the name and six random hex digits."""
    word = "".join(char if char.isascii() and (char.isalnum() or char in "._-") else "-" for char in name)[:24]
    return f"{word.strip('-.') or 'run'}-{os.urandom(3).hex()}"


def _script(command_line: Sequence[str]) -> str:
    """The script's name without folder and ending; the program's if no script can be made out."""
    scripts = [part for part in command_line if part.endswith(".py")]
    if scripts:
        return Path(scripts[0]).stem
    if "-m" in command_line[:-1]:
        return command_line[command_line.index("-m") + 1]
    return Path(command_line[0]).name


def _result(where: Where, run: str, code: int, baseline: str | None, patience: float) -> dict[str, Any]:
    """The run's JSON after its last frame has arrived, printed on the way."""
    if not where.answers(patience):  # one that answered before may be busy, or on its way back
        _say(f"the daemon at {where.url} does not answer. The data of {run} lie in the spool;")
        _say("`auditor sync` delivers them once it does.")
        return unknown(run, code, "the daemon does not answer")
    try:
        with where.client() as client:
            result = _settled(client, where, run, code)
            if result is None:
                _say(f"nothing was recorded for {run}: no training step was seen")
                return unknown(run, code, "nothing was recorded")
            if "why" in result:
                _say(f"{result['why']} for {run}: it was heard of, but none of its training steps")
            _print(result)
            if baseline:
                result = result | {"baseline": _compared(client, baseline, run)}
            return result
    except Problem as problem:  # the script has run: what became of the audit must not change its exit code
        _say(problem.format_message())
        return unknown(run, code, problem.format_message())


def _settled(client: Client, where: Where, run: str, code: int) -> dict[str, Any] | None:
    """The run once nothing of it is under way any more; None if nothing of it ever came.

    ``undelivered`` counts the frames that are still in the spool: then the rest is said of a part of the run.
    """
    undelivered = 0
    for late in _delivered(where, run):
        _say(f"not all of {late.words()}; `auditor sync` delivers them later")
        undelivered += late.remaining
    known = _known(client, run)
    if known is None:
        return None
    client.post(run_path(run, "exit"), {"code": code, "signal": _signal(code)})
    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        result = client.run(run)
        # Its agent's last word on what is pending was written before that very word was sent: what
        # tells that nothing more comes is that nothing changes.
        quiet = result["updated_at"] == known["updated_at"]
        if (result["status"] != "running" and quiet) or time.monotonic() > deadline:
            return result | {"undelivered": undelivered}
        known = result
        time.sleep(_POLL_SECONDS)


def _delivered(where: Where, run: str) -> list[Result]:
    """Delivers what the agent could not send in its last two seconds; what was left of it, where it made no headway."""
    begun = time.monotonic()
    while True:
        found = [deliver(item, where.url, where.token) for item in leftovers(home() / "spool", run)]
        late = [one for one in found if one.error]
        if any(one.frames for one in found):  # a daemon with much to do takes them bit by bit
            begun = time.monotonic()
        waited = time.monotonic() - begun
        if not late or waited > BUSY_SECONDS or (waited > SETTLE_SECONDS and not where.answers(SETTLE_SECONDS)):
            return late
        time.sleep(_POLL_SECONDS)


def _signal(code: int) -> str | None:
    """The name of the signal that ended the script, read off its exit code as a shell says it (128 + n)."""
    try:
        return signal.Signals(code - 128).name if code > 128 else None
    except ValueError:
        return None


def _known(client: Client, run: str) -> dict[str, Any] | None:
    listed = client.get("/v1/runs", limit=1000)["runs"]
    return next((row for row in listed if row["run"] == run), None)


def _print(result: Mapping[str, Any]) -> None:
    out = console(stderr=True)
    out.print()
    out.rule("audit", style="dim")
    print_run(out, result)
    if unjudged := result.get("unjudged"):
        rules = "1 rule" if len(unjudged) == 1 else f"{len(unjudged)} rules"
        why = f"\n{rules} could not judge this run; why: auditor show {clean(result['run'])}"
        out.print(Text(why, "dim"), soft_wrap=True)


def _compared(client: Client, baseline: str, run: str) -> dict[str, Any]:
    from auditor.cli.compare import print_comparison

    found = client.get("/v1/compare", a=baseline, b=run)
    out = console(stderr=True)
    out.rule(f"against {baseline}", style="dim")
    print_comparison(out, found)
    return found


def unknown(run: str, code: int, why: str) -> dict[str, Any]:
    """The result of a run of which the audit knows nothing: verdict ``unknown``, and ``why``."""
    status = "finished" if code == 0 else "failed"
    return {
        "run": run, "status": status, "framework": None, "steps": 0, "verdict": "unknown", "alerts": [],
        "lost": {"dropped": 0, "reasons": {}}, "why": why,
    }  # fmt: skip


def write_json(path: Path, result: Mapping[str, Any]) -> None:
    """Writes the result; a file that cannot be written is said, and changes no exit code."""
    try:
        path.write_text(jsonfinite.dumps(result, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        _say(f"cannot write {path}: {error.strerror}")


def _say(line: str) -> None:
    click.echo(f"auditor: {line}", err=True)
