from __future__ import annotations

import importlib
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from auditor_agent import autoload
from auditor_agent.autoload.hook import AfterImport


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a module that can be imported and is not yet."""
    (tmp_path / "fresh_module.py").write_text("loader = __spec__.loader\nvalue = 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "meta_path", sys.meta_path[:])
    monkeypatch.delitem(sys.modules, "fresh_module", raising=False)
    return "fresh_module"


def test_the_function_runs_once_the_module_is_whole(module: str) -> None:
    """After its code has run, before the import statement returns, and only the first time."""
    seen: list[object] = []
    sys.meta_path.insert(0, AfterImport([module], lambda name: seen.append(sys.modules[name].value)))
    loaded = importlib.import_module(module)
    importlib.reload(loaded)
    assert seen == [1]


def test_the_loader_stays_what_it_was(module: str) -> None:
    """Tools that look at loaders (inspect, resources, coverage) find the one that they know."""
    sys.meta_path.insert(0, AfterImport([module], lambda _: None))
    loaded = importlib.import_module(module)
    assert type(loaded.loader).__name__ == "SourceFileLoader"
    assert "exec_module" not in vars(loaded.loader)


def test_a_module_that_is_not_there_stays_so() -> None:
    """A missing framework fails as ever, and may come later."""
    finder = AfterImport(["no_such_module_at_all"], lambda _: None)
    sys.meta_path.insert(0, finder)
    try:
        with pytest.raises(ModuleNotFoundError):
            importlib.import_module("no_such_module_at_all")
        assert finder.find_spec("other_module") is None
    finally:
        sys.meta_path.remove(finder)


def test_asking_whether_a_module_is_there_is_not_importing_it(module: str) -> None:
    """What was only looked for is still waited for, and told once when it runs."""
    seen: list[str] = []
    sys.meta_path.insert(0, AfterImport([module], seen.append))
    assert importlib.util.find_spec(module) is not None
    assert seen == []
    importlib.import_module(module)
    assert seen == [module]


def test_a_failing_import_fails_as_ever(module: str, tmp_path: Path) -> None:
    """The module's own error passes; nothing is installed."""
    (tmp_path / "fresh_module.py").write_text("raise RuntimeError('its own')")
    seen: list[str] = []
    sys.meta_path.insert(0, AfterImport([module], seen.append))
    with pytest.raises(RuntimeError, match="its own"):
        importlib.import_module(module)
    assert seen == []


def python(code: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run ``code`` in a fresh interpreter."""
    command = [sys.executable, "-c", code]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def bare() -> dict[str, str]:
    """An environment in which nothing of ours can be imported but what autoload brings."""
    return autoload.environment({name: value for name, value in os.environ.items() if name != "PYTHONPATH"})


def test_the_agent_is_found_where_it_is_not_installed(bare: dict[str, str]) -> None:
    """The script's interpreter may be another one than the auditor's; nothing else becomes importable."""
    done = python(
        "import sys, importlib.util as u; print('auditor_agent.autoload.hook' in sys.modules, 'torch' in sys.modules)",
        bare,
    )
    assert (done.stdout.strip(), done.stderr, done.returncode) == ("True False", "", 0)


def test_the_machines_own_sitecustomize_runs_too(bare: dict[str, str], tmp_path: Path) -> None:
    """It takes its place as if ours had not been there, and ours leaves ``sys.path``."""
    (tmp_path / "sitecustomize.py").write_text("mark = 'theirs'")
    bare["PYTHONPATH"] += os.pathsep + str(tmp_path)
    done = python(f"import sys, sitecustomize; print(sitecustomize.mark, {str(autoload.SITE)!r} in sys.path)", bare)
    assert done.stdout.strip() == "theirs False"


def test_children_of_the_child_are_watched_too(bare: dict[str, str]) -> None:
    """The environment is inherited: a launcher that starts the trainer is no obstacle."""
    grandchild = "import sys; print('auditor_agent.autoload.hook' in sys.modules)"
    done = python(f"import subprocess, sys; subprocess.run([sys.executable, '-c', {grandchild!r}])", bare)
    assert done.stdout.strip() == "True"


def test_g1_a_broken_agent_does_not_keep_the_script_from_running(bare: dict[str, str], tmp_path: Path) -> None:
    """An ``auditor_agent`` that cannot be imported: not a word, not a code."""
    (tmp_path / "auditor_agent").mkdir()
    (tmp_path / "auditor_agent" / "__init__.py").write_text("raise RuntimeError('broken')")
    bare["PYTHONPATH"] += os.pathsep + str(tmp_path)
    bare.pop("AUDITOR_RAISE", None)
    done = python("print('ran')", bare)
    assert (done.stdout, done.stderr, done.returncode) == ("ran\n", "", 0)


def test_without_the_switch_nothing_is_installed(bare: dict[str, str]) -> None:
    """A PYTHONPATH that outlived the run does no harm."""
    del bare[autoload.SWITCH]
    done = python("import sys; print(any(name.startswith('auditor_agent') for name in sys.modules))", bare)
    assert done.stdout.strip() == "False"
