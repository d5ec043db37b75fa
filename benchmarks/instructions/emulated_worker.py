"""Runs inside the emulated ARM processor, whose plugin says at each getppid() how many instructions there were so far.

Standard library, numpy and the runtime only. The request is one JSON object on stdin: `programs` (name → path),
`lengths` and `runs`. Of each program at each length there are three marks: start, after no call, after `runs` calls.
"""

import ctypes
import gc
import json
import os
import sys

import executorch_numpy_runtime
import numpy as np

WARMUPS = 3  # the first call at a length allocates memory for it, the next ones warm up the interpreter
POOL = "_ZN10executorch9extension10threadpool"  # the C++ namespace of the runtime's thread pool


def one_thread() -> None:
    """Waiting threads take instructions, never as many. Only the library, not its Python interface, sets the number."""
    library = ctypes.CDLL(executorch_numpy_runtime._core.__file__)
    pool = library[f"{POOL}14get_threadpoolEv"]
    reset = library[f"{POOL}10ThreadPool24_unsafe_reset_threadpoolEj"]
    pool.restype, reset.argtypes, reset.restype = ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_uint32], ctypes.c_bool
    if not reset(pool(), 1):
        sys.exit("the runtime keeps its threads")


def main() -> None:
    request = json.load(sys.stdin)
    gc.disable()
    one_thread()
    for path in request["programs"].values():
        method = executorch_numpy_runtime.Runtime.get().load_program(path).load_method("forward")
        for length in request["lengths"]:
            inputs = [np.ones((1, length), dtype=np.int64)]
            for _ in range(WARMUPS):
                method(inputs)
            os.getppid()
            for runs in (0, request["runs"]):
                for _ in range(runs):
                    method(inputs)
                os.getppid()


main()
