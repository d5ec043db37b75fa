"""Silence for the exporters' chatter, lasting exactly as long as a `with` block: nothing is changed on import."""

import contextlib
import io
import logging
import os
import sys
import tempfile
import threading
import warnings
from collections.abc import Iterator
from typing import TextIO


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Hide warnings, log records below ERROR, progress bars, and what C++ code writes to the process's stderr.

    C++ code logs to file descriptor 2, which no Python setting reaches, or through `sys.stderr`; both point elsewhere
    inside the block. Other threads keep their `sys.stderr`, so a progress display goes on.
    """
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), _stderr_hidden():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


class _OtherThreadsOnly(io.TextIOBase):
    """Passes on what other threads write and drops what the thread that made it writes."""

    def __init__(self, stream: TextIO) -> None:
        self._stream, self._owner = stream, threading.get_ident()

    def write(self, text: str) -> int:
        return len(text) if threading.get_ident() == self._owner else self._stream.write(text)

    def flush(self) -> None:
        self._stream.flush()

    def isatty(self) -> bool:
        return self._stream.isatty()


@contextlib.contextmanager
def _stderr_hidden() -> Iterator[None]:
    try:
        saved = os.dup(2)
    except OSError:  # no stderr at all, such as under a service manager
        yield
        return
    with contextlib.ExitStack() as stack:
        stack.callback(os.close, saved)
        stream = sys.stderr
        if _writes_to_descriptor_2():
            stream = stack.enter_context(os.fdopen(os.dup(saved), "w", 1))
        if stream is not None:
            stack.enter_context(contextlib.redirect_stderr(_OtherThreadsOnly(stream)))
        os.dup2(stack.enter_context(tempfile.TemporaryFile()).fileno(), 2)
        stack.callback(os.dup2, saved, 2)
        yield


def _writes_to_descriptor_2() -> bool:
    try:
        sys.stderr.flush()
        return sys.stderr.fileno() == 2
    except (AttributeError, OSError, ValueError):  # replaced by a stream without a descriptor
        return False
