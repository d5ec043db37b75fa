"""Does a bundle keep its word? `python -m mobile_export.verify BUNDLE_DIR` needs nothing but the bundle.

It checks the manifest against its schema, every hash, the token ids from the vocabulary and the tokenizer's settings,
and the program's answers to the golden texts: as this machine computes them or, with `--arch arm64`, as emulated ARM
processors do.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from compress.console import Parser, exit_code
from mobile_export.bundle.verification import Verification, verify_bundle
from mobile_export.programs.arm import CORES, cores_of

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["Verification", "verify_bundle"]


def main(arguments: list[str] | None = None) -> int:
    """The command: 0 when the bundle keeps its word, 2 with one sentence when it does not."""
    parser = Parser(
        prog="pocket-ticket verify",
        description="Check a bundle: manifest, hashes, token ids, and the program's answers to the golden texts.",
        epilog="example: pocket-ticket verify runs/mine/android --arch arm64",
    )
    parser.add_argument("bundle", type=Path, metavar="BUNDLE_DIR", help="folder with manifest.json and what it names")
    parser.add_argument("--arch", choices=["arm64"], help="run the program on emulated processors of this kind instead")
    parser.add_argument(
        "--cpu", metavar="CORES", help=f"with --arch: QEMU's names of them, with commas (default: {','.join(CORES)})"
    )
    given = parser.parse_args(arguments)
    if given.cpu is not None and given.arch is None:
        parser.error("--cpu says which ARM cores to emulate: add --arch arm64")

    def work() -> None:
        from rich.console import Console

        cores = [None] if given.arch is None else CORES if given.cpu is None else cores_of(given.cpu)
        findings = {core: verify_bundle(given.bundle, core=core) for core in cores}
        Console().print(_table(findings))

    return exit_code(work)


def _table(findings: dict[str | None, Verification]) -> "Table":
    from rich.table import Table

    found = next(iter(findings.values()))
    table = Table("check", "result", title=found.name)
    table.add_row("manifest, hashes", "as recorded")
    table.add_row("token ids from the vocabulary", f"equal for {found.examples} texts")
    for core, found in findings.items():
        on = f" on {core}" if core else ""
        table.add_row(
            f"answers{on}", f"differ by at most {found.largest_difference:.2g} (allowed: {found.tolerance:g})"
        )
        table.add_row(f"predictions{on}", f"{found.agreement:.1%} the same")
    table.add_row("program", f"{found.bytes / 1e6:.2f} MB")
    return table


if __name__ == "__main__":
    sys.exit(main())
