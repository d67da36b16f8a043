"""Measuring what the server costs and how fast it is."""
