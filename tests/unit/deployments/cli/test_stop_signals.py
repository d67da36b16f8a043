import signal
import subprocess
import sys
import time

PROGRAM = """
from threading import Event
from deployments.cli.stop_signals import stop_on_signals

stopping, hurry = Event(), Event()
stop_on_signals(stopping, hurry)
print("listening", flush=True)
while not (stopping.wait(1e-4) and hurry.wait(1e-4)):
    pass
print("hurried", flush=True)
while input() != "end":
    stopping.set()
"""


def test_signals_that_come_close_together_stop_nothing_from_being_stopped():
    with subprocess.Popen([sys.executable, "-c", PROGRAM], stdin=-1, stdout=-1, text=True) as process:
        try:
            assert process.stdout.readline() == "listening\n"
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP) * 300:
                process.send_signal(number)
            process.communicate("on\n" * 10 + "end\n", timeout=20)
        finally:
            process.kill()
    assert process.returncode == 0


def test_the_first_signal_stops_and_the_second_hurries():
    with subprocess.Popen([sys.executable, "-c", PROGRAM], stdin=-1, stdout=-1, text=True) as process:
        try:
            assert process.stdout.readline() == "listening\n"
            process.send_signal(signal.SIGTERM)
            time.sleep(0.1)
            process.send_signal(signal.SIGTERM)
            assert process.stdout.readline() == "hurried\n"
            process.communicate("end\n", timeout=20)
        finally:
            process.kill()
    assert process.returncode == 0
