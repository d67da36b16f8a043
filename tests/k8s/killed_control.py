"""Control planes to be killed: a process that has imported everything, and makes a child each time it is told to."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from deployments.control.access import OpenAccess
from deployments.control.machine_types import MachineTypes
from deployments.control.on_kubernetes.process import KubernetesOptions, run
from deployments.kubernetes.values import read_values
from deployments.storage.database import open_database
from tests.unit.deployments.kubernetes.shipped import ENVIRONMENT, SHIPPED


def main(values: Path, database_url: str, port: int) -> None:
    """One line on stdin, one child; its process id is the answer."""
    options = KubernetesOptions(
        host="127.0.0.1",
        port=port,
        values=read_values(values),
        shipped=SHIPPED,
        environment=ENVIRONMENT,
        machine_types=MachineTypes(),
    )
    for _ in sys.stdin:
        pid = os.fork()
        if pid == 0:
            os.close(0)  # the mother's
            run(options, open_database(database_url), OpenAccess())
            os._exit(0)
        print(pid, flush=True)
        os.waitpid(pid, 0)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
