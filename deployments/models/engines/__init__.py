"""Engines run named tensors and know nothing of boxes or text."""
