"""``python -m auditor``: the command line without the installed script."""

from auditor.cli import main

if __name__ == "__main__":
    main()
