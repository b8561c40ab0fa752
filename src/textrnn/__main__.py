"""`python -m textrnn` is the command `textrnn`."""

from textrnn.cli.main import entry

if __name__ == "__main__":
    entry()
