"""`pocket-ticket COMMAND …`: every command under one name. Each is also a module: `python -m compress.run …`."""

import importlib
import sys

from compress import __version__
from compress.console import exit_code

COMMANDS = {
    "run": ("compress.run", "find a ticket, export it, measure the program, write the report, build the app"),
    "check": ("compress.check", "show data and model as a run would read them, and how long it would take"),
    "cross-validate": ("compress.cross_validate", "for few texts: a run for each fold, every text is tested once"),
    "study": ("compress.study.__main__", "which tickets win: sparsities, seeds, controls, cheaper searches, transfer"),
    "verify": ("mobile_export.verify", "check a bundle: hashes, token ids, known answers; on emulated ARM, too"),
    "measure": ("mobile_export.measure", "measure a run's program on a connected phone, add the row to its report"),
    "apk": ("mobile_export.apk", "build the demo app around a bundle"),
    "report": ("compress.report.__main__", "print a finished run's summary and write its report files again"),
    "sensitivity": ("compress.sensitivity", "which matrices lose most when they are stored in 4 bits"),
}
_HELP = f"""usage: pocket-ticket COMMAND [options]

Find a lottery ticket in a pre-trained text encoder and put it on a phone.

commands:
{"".join(f"  {name:<15}{words}{chr(10)}" for name, (_, words) in COMMANDS.items())}
examples:
  pocket-ticket run --target android                           the embedded model and task, no network
  pocket-ticket check --data reviews/                          how your data is read, before a run
  pocket-ticket run --data reviews/ --recipe balanced          your task, much smaller and faster
  pocket-ticket verify runs/mine/android

`pocket-ticket COMMAND --help` lists the options of a command."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command that the first argument names. Returns its exit code; 2 for an unknown command."""
    words = sys.argv[1:] if arguments is None else arguments
    if not words or words[0] in ("-h", "--help", "help"):
        print(_HELP)
        return 0
    if words[0] == "--version":
        print(f"pocket-ticket {__version__}")
        return 0
    if words[0] not in COMMANDS:
        print(f"pocket-ticket: there is no command '{words[0]}'; use {', '.join(COMMANDS)}.", file=sys.stderr)
        return 2
    return exit_code(lambda: importlib.import_module(COMMANDS[words[0]][0]).main(words[1:]))


if __name__ == "__main__":
    sys.exit(main())
