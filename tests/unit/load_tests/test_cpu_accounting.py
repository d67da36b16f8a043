from __future__ import annotations

import subprocess
import sys

import pytest

from load_tests.cpu_accounting import ProcessTree, TreeState, TreeWatch, kind_of, watched


@pytest.mark.parametrize(
    ("command", "kind"),
    [
        ("ray::ServeReplica:plates:ObjectDetector.handle_request", "ObjectDetector"),
        ("ray::ServeReplica:plates:WorkflowRouter", "WorkflowRouter"),
        ("ray::ServeController.listen", "ServeController"),
        ("python -m deployments.cli.main serve", "deployments.cli.main"),
        ("python ray/_private/workers/default_worker.py --raylet-name=sockets/raylet", "other"),
        ("raylet/raylet --raylet_socket_name=sockets/raylet", "raylet"),
        ("bash", "other"),
        ("", "other"),
    ],
)
def test_a_process_is_of_the_kind_that_its_command_says(command: str, kind: str) -> None:
    assert kind_of(command) == kind


def state(at_s: float, **cpu_s: float) -> TreeState:
    return TreeState(at_s=at_s, cpu_s=cpu_s, processes=dict.fromkeys(cpu_s, 1), memory_mib=10)


def test_cost_is_what_was_spent_between_the_first_look_and_the_last() -> None:
    watch = TreeWatch([state(0, router=1), state(1, router=1.5, detector=2), state(2, router=2, detector=3)])
    assert watch.cpu_ms(10) == {"router": 100, "detector": 300}
    assert [(sample.at_s, sample.cpu_cores) for sample in watch.samples()] == [(1, 2.5), (2, 1.5)]


def test_nothing_costs_nothing() -> None:
    assert TreeWatch().cpu_ms(5) == {}
    assert TreeWatch([state(0, router=1), state(1, router=2)]).cpu_ms(0) == {}
    assert TreeWatch().samples() == ()
    with watched(None) as watch:
        pass
    assert watch.states == []


def test_a_tree_is_counted_with_what_its_ended_processes_spent() -> None:
    burn = "import time\nwhile time.process_time() < 0.3: pass\nprint(flush=True)\ninput()\n"
    root = subprocess.Popen(
        [sys.executable, "-c", f"import subprocess, sys; subprocess.run([sys.executable, '-c', {burn!r}]); input()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert root.stdin
    assert root.stdout
    try:
        tree = ProcessTree(root.pid)
        root.stdout.readline()
        during = tree.look()
        root.stdin.write("\n")
        root.stdin.flush()
        while len(tree.look().processes) and tree.look().processes["other"] > 1:
            pass
        after = tree.look()
    finally:
        root.stdin.close()
        root.wait()
    assert during.processes == {"other": 2}
    assert after.processes == {"other": 1}
    assert during.cpu_s["other"] >= 0.3
    assert after.cpu_s["other"] >= during.cpu_s["other"]


def test_watching_looks_before_and_after_the_block() -> None:
    sleeper = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    with watched(sleeper.pid) as watch:
        pass
    sleeper.communicate(b"\n")
    assert len(watch.states) >= 2
    assert watch.states[0].processes == {"other": 1}
