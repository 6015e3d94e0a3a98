"""`python -m monitor`, and the entry point of the `monitor` command."""

from monitor.cli.app import main

if __name__ == "__main__":
    main()
