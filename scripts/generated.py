"""Write, or with --check verify, every file of the repository that is generated from code.

Each generator is a module with ``--check``: exit status 1 and a line naming the file when what is
checked in is not what the code says today.
"""

from __future__ import annotations

import subprocess
import sys

GENERATORS = (
    "auditor.alerts.metrics",
    "auditor.alerts.dashboards",
    "auditor.detect.docs",
    "auditor.compare.catalogue.docs",
    "auditor.cli.reference",
    "auditor.configuration_page",
)


def main(arguments: list[str]) -> int:
    """Run every generator with ``arguments``; the number of those that failed."""
    failed = [
        module
        for module in GENERATORS
        if subprocess.run([sys.executable, "-m", module, *arguments], check=False).returncode
    ]
    for module in failed:
        sys.stderr.write(f"{module} failed: run `make docs` and commit what changed\n")
    return len(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
