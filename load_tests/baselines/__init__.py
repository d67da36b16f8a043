"""Servers to compare with, started by the load tests themselves: the same weights, the same question, another shape."""
