"""How the command ends where not with 0."""

BROKEN, UNUSABLE, LATE = 1, 2, 3
"""A threshold did not hold; a load had no good answer, or nothing was measured; the generator missed its schedule."""
