"""`nodeforge`: chooses the command line or the window, importing only that one."""

from __future__ import annotations


def main() -> None:
    from nodeforge.cli.main import main as command_line

    command_line()


if __name__ == "__main__":
    main()
