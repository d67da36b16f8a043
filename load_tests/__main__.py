"""`python -m load_tests`."""

from load_tests.cli import app

app(prog_name="python -m load_tests")
