"""A control plane over a real database in a file, a platform in memory, and a clock that is set."""

from __future__ import annotations

import copy
import shutil

from sqlalchemy import event

from deployments.control.bodies import AddBody, shown_status
from deployments.control.machine_types import MachineType, MachineTypes
from deployments.control.reconciler import Reconciler
from deployments.control.service import EndpointService
from deployments.storage.database import open_database, sqlite_url
from tests.unit.deployments.control.fake_platform import FakeEdge, FakePlatform

TYPES = MachineTypes([MachineType(name="small", tier="dev", num_cpus=1), MachineType(name="big", num_cpus=2)])
WORKSPACE, NAME = "acme", "plates"


class House:
    """A control plane that can be killed and started anew over the same database and platform."""

    def __init__(self, path, like=None):
        self.path = path
        if like is not None:
            shutil.copy(like.path / "e.db", path / "e.db")
        self.database = open_database(sqlite_url(path / "e.db"))
        # No test cuts the power: nothing waits for the disk.
        event.listen(self.database._engine, "connect", lambda raw, _: raw.execute("PRAGMA synchronous=OFF"))
        self.database.close()
        self.platform = FakePlatform() if like is None else copy.deepcopy(like.platform)
        self.edge = FakeEdge()
        self.now = 1_000_000.0 if like is None else like.now
        self.naps = []
        self.goes_on = True
        self.start()

    def start(self):
        self.reconciler = Reconciler(
            self.database, self.platform, self.edge, TYPES, clock=lambda: self.now, start_timeout_s=600
        )
        self.service = EndpointService(
            self.database, TYPES, lambda: None, domain="localhost", clock=lambda: self.now, sleep=self.sleep
        )

    def add(self, name=NAME, kind="small", **more):
        return self.service.add(WORKSPACE, AddBody(deployment_name=name, machine_type=kind, **more))

    def sleep(self, seconds):
        """The reconciler goes on while the service waits, unless the test says that it does not."""
        self.naps.append(seconds)
        if self.goes_on:
            self.settle()

    def rounds(self, count=1):
        for _ in range(count):
            self.reconciler.round()
            self.now += 0.5

    def settle(self):
        for _ in range(6):
            self.rounds()
            self.platform.progress()
        self.rounds()

    def status(self, name=NAME):
        found = [e for e in self.service.all_of(WORKSPACE) if e.name == name]
        return shown_status(found[0]) if found else "gone"

    def endpoint(self, name=NAME):
        return self.service.get(WORKSPACE, name)
