"""What keeps the house in shape: who may import whom, what nobody may do, how large a file may grow."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import auditor_agent
from support.checkout import ROOT, files, texts

AGENT = ROOT / "agents/auditor_agent"
LONGEST = 400
#: Modules that make objects of bytes, and so may run what a stranger sent.
UNPICKLERS = {"pickle", "_pickle", "cPickle", "cloudpickle", "dill", "joblib", "shelve", "marshal", "jsonpickle"}
#: What the agent may import at the top of a module outside of its integrations: the standard library and itself.
FRAMEWORKS = {
    *("torch", "tensorflow", "keras", "numpy", "sklearn", "scipy", "triton", "jax"),
    *("lightning", "pytorch_lightning", "transformers"),
}
#: Folders and modules that are loaded only where the framework is.
WITH_FRAMEWORK = (
    *("integrations", "capture", "parity"),
    *("keras.py", "lightning.py", "sklearn.py", "tensorflow.py", "transformers.py"),
)


def imports(path: Path) -> Iterator[tuple[str, int]]:
    """Every module that a file imports anywhere, with its line."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or "", node.lineno


def offenders(folder: str, forbidden: set[str]) -> list[str]:
    """``file:line: module`` for each import of a forbidden top-level module below ``folder``."""
    return [
        f"{path.relative_to(ROOT)}:{line}: {module}"
        for path in files(folder, ending=".py")
        for module, line in imports(path)
        if module.partition(".")[0] in forbidden
    ]


def test_the_agent_never_imports_the_daemon() -> None:
    """``auditor`` may import ``auditor_agent``, never the reverse."""
    assert offenders("agents", {"auditor"}) == []


def test_nobody_imports_a_second_copy_of_the_agent() -> None:
    """``agents`` is a source root, not a package."""
    assert [found for folder in ("agents", "auditor", "tests") for found in offenders(folder, {"agents"})] == []
    assert not (ROOT / "agents" / "__init__.py").exists()


def test_s1_agents_are_no_ray_clients() -> None:
    """A training process never imports Ray; what it sends goes over HTTP."""
    assert offenders("agents", {"ray"}) == []


def test_s1_nothing_is_unpickled() -> None:
    """No module that makes objects of bytes, no call that does or that runs a text."""
    assert offenders("agents", UNPICKLERS) + offenders("auditor", UNPICKLERS) == []
    calls = [
        f"{path.relative_to(ROOT)}:{node.lineno}: {ast.unparse(node.func)}"
        for path in files("agents", "auditor", ending=".py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and _runs_bytes(node)
    ]
    assert calls == []


def _runs_bytes(call: ast.Call) -> bool:
    name = ast.unparse(call.func)
    pickled = any(keyword.arg == "allow_pickle" and ast.unparse(keyword.value) != "False" for keyword in call.keywords)
    return pickled or name in {"eval", "exec", "torch.load", "yaml.load", "yaml.unsafe_load"}


def test_g13_the_agent_imports_frameworks_only_where_they_are() -> None:
    """Outside integrations and capture there is the standard library alone."""
    import sys

    known = sys.stdlib_module_names | {"auditor_agent", "__future__", ""}
    foreign = [
        f"{path.relative_to(ROOT)}:{line}: {module}"
        for path in files("agents", ending=".py")
        for module, line in imports(path)
        if module.partition(".")[0] not in known
        and not (module.partition(".")[0] in FRAMEWORKS and path.relative_to(AGENT).parts[0].startswith(WITH_FRAMEWORK))
    ]
    assert foreign == []


def test_no_file_is_longer_than_it_may_be() -> None:
    """Four hundred lines at most; beyond that it is two things."""
    lengths = {str(path.relative_to(ROOT)): len(text.splitlines()) for path, text in texts(ending=".py")}
    assert {path: length for path, length in lengths.items() if length > LONGEST} == {}


#: Folders of somebody's machine. Those of every machine (/proc, /usr, /dev, /etc, /var) may be named.
MACHINE_PATH = re.compile(r"(?<![\w.:/}~-])/(?:home|Users|root|work|tmp|mnt|opt/\w+/bin|private)/[\w.-]")


def test_no_file_names_a_folder_of_somebodys_machine() -> None:
    """The checkout works wherever it lies."""
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
        for path, text in texts("agents", "auditor", "benchmarks", "scripts", "tests", "docs", "Makefile", "README.md")
        for number, line in enumerate(text.splitlines(), 1)
        if MACHINE_PATH.search(line) and path != Path(__file__)
    ]
    assert found == []


def test_git_holds_no_file_that_is_made() -> None:
    """No compiled library, no cache, no database."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    made = re.compile(r"(\.(so|pyc|db|sqlite|whl|egg-info)|__pycache__|\.DS_Store)$")
    assert [name for name in listed.stdout.splitlines() if made.search(name)] == []


#: Packages that others import from, and all that they may.
SURFACE = {
    "auditor_agent": {
        *("Run", "__version__", "open_run", "watch"),
        *("keras", "lightning", "parity", "sklearn", "tensorflow", "transformers"),
    },
}


@pytest.mark.parametrize("package", SURFACE)
def test_the_public_surface_is_frozen(package: str) -> None:
    """Whoever adds or takes a name knows that users rely on it."""
    module = importlib.import_module(package)
    assert set(module.__all__) == SURFACE[package]
    assert module.__all__ == sorted(module.__all__)
    assert dir(module) == sorted(module.__all__)


def packages() -> list[str]:
    """Every module that declares ``__all__``."""
    return [
        ".".join(path.relative_to(ROOT / source).with_suffix("").parts).removesuffix(".__init__")
        for source, folder in (("agents", "agents"), (".", "auditor"))
        for path, text in texts(folder, ending=".py")
        if re.search(r"^__all__", text, re.MULTILINE) and "/site/" not in str(path)
    ]


@pytest.mark.parametrize("module", [name for name in packages() if name != "auditor_agent"])
def test_every_exported_name_exists(module: str) -> None:
    """``__all__`` names what is there, nothing private, nothing twice."""
    loaded = importlib.import_module(module)
    assert len(set(loaded.__all__)) == len(loaded.__all__)
    assert all(hasattr(loaded, name) and not name.startswith("_") for name in loaded.__all__)


@pytest.mark.parametrize("name", auditor_agent.__all__)
def test_every_name_of_the_agent_can_be_had(name: str) -> None:
    """The lazy ones too: asking for them loads what they need."""
    assert getattr(auditor_agent, name) is not None
