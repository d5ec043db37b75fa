"""The other end of `in_fresh_process`: reads one request (JSON) from stdin and prints its answer (JSON)."""

import json
import sys

from mobile_export.programs.latency import memory_worker, time_worker
from mobile_export.programs.threads import threads_worker

WORKERS = {"time": time_worker, "memory": memory_worker, "threads": threads_worker}

if __name__ == "__main__":
    request = json.load(sys.stdin)
    print(json.dumps(WORKERS[request["what"]](request)))
