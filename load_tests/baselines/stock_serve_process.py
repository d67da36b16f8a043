"""Ray, and on it the application of `stock_serve`: `python -m load_tests.baselines.stock_serve_process --port 9200`.

Nothing of Serve is set but the address to listen on. Ray is told that the machine has room for the four replicas, which
ask for one CPU each, and to leave them at the priority of everybody else.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import threading
from pathlib import Path
from queue import SimpleQueue

import ray
from ray import serve

from deployments.cli.processes import adopt_orphans, end_with_parent, stop_descendants
from load_tests.baselines.stock_serve import application

REPLICAS = 4


def main() -> None:
    """Serve until SIGTERM; says `warm` when it runs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--ray-dir", type=Path, required=True, help="folder for Ray's files, of a short path")
    arguments = parser.parse_args()
    adopt_orphans()
    end_with_parent(os.getppid())
    ray.init(
        address="local",
        num_cpus=max(os.cpu_count() or 1, REPLICAS),
        include_dashboard=False,
        log_to_driver=False,
        logging_level=logging.ERROR,
        _temp_dir=str(arguments.ray_dir),
        _node_ip_address="127.0.0.1",
    )
    stopped: SimpleQueue[int] = SimpleQueue()  # unlike an event, whose lock a handler may find taken by its own thread
    signal.signal(signal.SIGTERM, lambda number, _: stopped.put(number))
    serve.start(http_options={"host": "127.0.0.1", "port": arguments.port})
    serve.run(application)
    print("warm", flush=True)
    stopped.get()
    stop_descendants(os.getpid(), patience_s=2.0, hurry=threading.Event())
    os._exit(0)


if __name__ == "__main__":
    main()
