"""The command `report`: a finished run's summary in the terminal, and its report files written again."""

import sys
from pathlib import Path

from compress.console import Console, Parser, console_mode, exit_code
from compress.errors import PocketTicketError


def main(arguments: list[str] | None = None) -> int:
    """Run the command line. Returns the exit code: 0 done, 2 a folder that holds no report."""
    parser = Parser(
        prog="pocket-ticket report",
        description="Print a finished run's summary, and write report.html, report.md and report.json again from "
        "its report.json and the phones' measurements beside it.",
        epilog="example: pocket-ticket report runs/mine",
    )
    parser.add_argument("run", type=Path, metavar="RUN_DIR", help="the folder of a finished run")
    parser.add_argument("--quiet", action="store_true", help="print nothing but errors")
    parser.add_argument("--json", action="store_true", help="results as JSON lines on standard output")
    parsed = parser.parse_args(arguments)
    return exit_code(lambda: _show(parsed.run, Console(console_mode(parsed))))


def _show(folder: Path, console: Console) -> None:
    from compress.files import read_json
    from compress.report import summary_table, write_report
    from compress.report.phones import with_phones

    file = folder / "report.json"
    if not file.is_file():
        raise PocketTicketError("there is no report.json", where=str(folder), remedy="give a finished run's folder")
    report = with_phones(read_json(file), folder)
    files = write_report(report, folder)
    console.show(summary_table(report), report=str(files.json))
    console.note(f"report: {files.html}")


if __name__ == "__main__":
    sys.exit(main())
