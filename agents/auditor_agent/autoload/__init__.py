"""Zero-code start: watching a script in which no line was changed.

``auditor run -- python train.py`` sets the environment of :func:`environment` for the child. Its
interpreter then finds ``site/sitecustomize.py`` first, which puts a finder in front of the import
system and goes on to whatever ``sitecustomize`` the machine has. Once the script has imported torch
or keras, the framework's integration is installed; a run is opened at the first training step and
not before, so that data loader workers, helpers and ``python --version`` make none.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

#: Set to 1 where the interpreter shall watch by itself.
SWITCH: Final = "AUDITOR_AUTOLOAD"
SITE: Final = Path(__file__).parent / "site"


def environment(base: Mapping[str, str]) -> dict[str, str]:
    """``base`` with what makes a Python child, and its own children, watch themselves."""
    paths = [str(SITE), *[path for path in base.get("PYTHONPATH", "").split(os.pathsep) if path]]
    return {**base, SWITCH: "1", "PYTHONPATH": os.pathsep.join(dict.fromkeys(paths))}
