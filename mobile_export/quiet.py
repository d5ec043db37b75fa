"""Silence for the exporters' chatter, lasting exactly as long as a `with` block: nothing is changed on import."""

import contextlib
import logging
import os
import sys
import tempfile
import warnings
from collections.abc import Iterator


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Hide warnings, log records below ERROR, and what C++ code writes to the process's stderr.

    The runtime logs from C++ straight to file descriptor 2, which no Python setting reaches, so the descriptor itself
    points elsewhere inside the block. Python's own `sys.stderr` (a progress bar in another thread) goes on working.
    """
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), _native_stderr_hidden():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


@contextlib.contextmanager
def _native_stderr_hidden() -> Iterator[None]:
    try:
        saved = os.dup(2)
    except OSError:  # no stderr at all, such as under a service manager
        yield
        return
    with contextlib.ExitStack() as stack:
        stack.callback(os.close, saved)
        if _writes_to_descriptor_2():
            stack.enter_context(contextlib.redirect_stderr(stack.enter_context(os.fdopen(os.dup(saved), "w", 1))))
        os.dup2(stack.enter_context(tempfile.TemporaryFile()).fileno(), 2)
        stack.callback(os.dup2, saved, 2)
        yield


def _writes_to_descriptor_2() -> bool:
    try:
        sys.stderr.flush()
        return sys.stderr.fileno() == 2
    except (AttributeError, OSError, ValueError):  # replaced by a stream without a descriptor
        return False
