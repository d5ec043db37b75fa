"""Runs inside the emulated ARM processor: answers texts with a program, one JSON line each.

Standard library, numpy and the runtime only. The request is one JSON object on stdin: `program` (a path), `inputs`
(names) and `texts` (what a golden example holds). Each line on stdout is the list of the outputs, batch included.
"""

import json
import sys

import executorch_numpy_runtime
import numpy as np


def main() -> None:
    request = json.load(sys.stdin)
    method = executorch_numpy_runtime.Runtime.get().load_program(request["program"]).load_method("forward")
    for text in request["texts"]:
        answers = method([np.array([text[name]], dtype=np.int64) for name in request["inputs"]])
        print(json.dumps([np.asarray(answer, np.float32).tolist() for answer in answers]), flush=True)


main()
