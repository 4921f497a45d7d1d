"""Runs lanes of make's targets beside each other: side_by_side.py "test-slow test-console" "test-kafka check-ops".

The targets of a lane follow each other; a lane ends with its first target that fails. What a target says is printed as
a whole when it ends. The exit code is that of the first target that failed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

_PRINTING = threading.Lock()


def lane(targets: Sequence[str]) -> int:
    """Run the targets one after the other; the exit code of the one that failed, else 0."""
    for target in targets:
        began = time.monotonic()
        done = subprocess.run(
            [os.environ.get("MAKE", "make"), "--no-print-directory", target],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        with _PRINTING:
            result = f"failed with exit code {done.returncode}" if done.returncode else "passed"
            print(f"\n--- make {target}: {result} after {time.monotonic() - began:.0f} s", flush=True)
            sys.stdout.buffer.write(done.stdout)
            sys.stdout.flush()
        if done.returncode:
            return done.returncode
    return 0


def main(lanes: Sequence[str]) -> int:
    """Run all lanes to their ends."""
    with ThreadPoolExecutor(max(1, len(lanes))) as workers:
        codes = list(workers.map(lambda targets: lane(targets.split()), lanes))
    return next((code for code in codes if code), 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
