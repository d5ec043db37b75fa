"""What a person or a machine sees of a command: progress with time left, notes, results, and how it fails.

Three modes: "rich" for people (bars on a terminal, plain lines elsewhere), "quiet" (only errors), and "json"
(one JSON object a line on standard output, for machines).
"""

import argparse
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Literal, NoReturn

from rich.console import Console as RichConsole
from rich.console import RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from compress.errors import PocketTicketError

Mode = Literal["rich", "quiet", "json"]
Advance = Callable[..., None]


class Parser(argparse.ArgumentParser):
    """The parser of every command: a wrong flag is one sentence and exit code 2, as every other wrong input is."""

    def __init__(self, **settings: Any) -> None:
        settings.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        super().__init__(**settings, allow_abbrev=False)

    def error(self, message: str) -> NoReturn:
        """Print the sentence and end the process."""
        self.exit(2, f"pocket-ticket: {message.rstrip('.')}; see {self.prog} --help.\n")


def exit_code(work: Callable[[], int | None]) -> int:
    """Run a command's `work`. Returns its exit code, 0 where it returns none.

    2 after one sentence on a wrong input or a missing tool; 130 after Ctrl-C, also where a library that was loading
    turned it into an error of its own.
    """
    # Threads that wait actively take the cores from each other as soon as anything else runs: 2.4 times slower steps.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    with _interrupts() as pressed:
        try:
            return work() or 0
        except (Exception, KeyboardInterrupt) as error:
            if isinstance(error, KeyboardInterrupt) or pressed.is_set():
                sentence, code = "interrupted; run the same command again; complete stages are kept.", 130
            elif isinstance(error, PocketTicketError):
                sentence, code = str(error), 2
            elif isinstance(error, OSError) and error.errno is not None:
                place = f"{error.filename}: " if error.filename else ""
                remedy = "fix that and run the same command again; complete stages are kept"
                sentence, code = f"{place}{error.strerror}; {remedy}.", 2
            else:
                raise
    print(f"pocket-ticket: {sentence}", file=sys.stderr)
    return code


@contextmanager
def _interrupts() -> Iterator[threading.Event]:
    """An event that says whether Ctrl-C was pressed inside; it raises KeyboardInterrupt there, as always."""
    pressed = threading.Event()

    def note(number: int, frame: FrameType | None) -> None:
        pressed.set()
        raise KeyboardInterrupt

    usual = threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGINT)
    if not callable(usual):  # another thread has no handlers; a process in the background ignores Ctrl-C
        yield pressed
        return
    signal.signal(signal.SIGINT, note)
    try:
        yield pressed
    finally:
        signal.signal(signal.SIGINT, usual)


def console_mode(parsed: argparse.Namespace) -> Mode:
    """How much is shown: --json or --quiet."""
    return "json" if parsed.json else "quiet" if parsed.quiet else "rich"


class Console:
    """The output of a command. `step` yields `advance(n=1, **facts)`: facts are short numbers shown beside the bar."""

    def __init__(self, mode: Mode = "rich") -> None:
        self.mode = mode
        self.rich = RichConsole(stderr=True, quiet=mode != "rich", highlight=False)

    def note(self, text: str, **facts: Any) -> None:
        """One line that stays on the screen."""
        if self.mode == "json":
            self._event("note", text=text, **facts)
        self.rich.print(text, markup=False)

    def show(self, content: RenderableType, **facts: Any) -> None:
        """A table or panel for people; `facts` for machines."""
        if self.mode == "json" and facts:
            self._event("result", **facts)
        self.rich.print(content)

    @contextmanager
    def step(self, name: str, total: int) -> Iterator[Advance]:
        """A long step of `total` units."""
        started = time.monotonic()
        if self.mode == "rich" and self.rich.is_terminal:
            with self._bars(name, total) as advance:
                yield advance
        elif self.mode == "json":
            yield self._events(name, total, started)
        else:
            yield lambda n=1, **facts: None
        seconds = time.monotonic() - started
        if self.mode == "json":
            self._event("step_done", step=name, seconds=round(seconds, 2))
        self.rich.print(f"  {name}: done in {_span(seconds)}", markup=False, style="dim")

    @contextmanager
    def _bars(self, name: str, total: int) -> Iterator[Advance]:
        columns = (
            TextColumn("  {task.description}"),
            BarColumn(bar_width=28),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[facts]}"),
        )
        with Progress(*columns, console=self.rich, transient=True) as bars:
            task = bars.add_task(name, total=total, facts="")

            def advance(n: int = 1, **facts: Any) -> None:
                bars.update(task, advance=n)
                if facts:
                    bars.update(task, facts=_facts(facts))

            yield advance

    def _events(self, name: str, total: int, started: float) -> Advance:
        done, last = 0, 0.0

        def advance(n: int = 1, **facts: Any) -> None:
            nonlocal done, last
            done += n
            now = time.monotonic()
            if now - last >= 1 or done == total:
                last = now
                left = (now - started) / max(done, 1) * (total - done)
                self._event("progress", step=name, done=done, total=total, seconds_left=round(left, 1), **facts)

        return advance

    @staticmethod
    def _event(event: str, **fields: Any) -> None:
        print(json.dumps({"event": event, **fields}, ensure_ascii=False, default=str), file=sys.stdout, flush=True)


def _facts(facts: dict[str, Any]) -> str:
    return "  ".join(f"{k} {v:.4g}" if isinstance(v, float) else f"{k} {v}" for k, v in facts.items())


def _span(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 90 else f"{seconds / 60:.1f} min"
