"""Runs inside valgrind's callgrind: counts what each inference takes, between two dumps that it asks callgrind for.

The request is one JSON object on stdin: `programs` (name → path), `lengths` and `runs`.
"""

import json
import os
import subprocess
import sys


def main() -> None:
    request = json.load(sys.stdin)
    import torch

    from mobile_export.programs.runtime import load_runtime, set_threads

    load_runtime()
    set_threads(1)
    from executorch.runtime import Runtime

    def control(option: str) -> None:
        subprocess.run(["callgrind_control", option, str(os.getpid())], check=True, stdout=subprocess.DEVNULL)

    for name, path in request["programs"].items():
        method = Runtime.get().load_program(path).load_method("forward")
        for length in request["lengths"]:
            inputs = [torch.ones(1, length, dtype=torch.int64)]
            method.execute(inputs)  # the first at a length makes room for it
            for runs in (0, request["runs"]):  # asking callgrind takes instructions, too
                control("--zero")
                for _ in range(runs):
                    method.execute(inputs)
                control(f"--dump={name}@{length}@{runs}")
    os._exit(0)  # tearing PyTorch down takes valgrind minutes


main()
