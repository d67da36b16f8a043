"""Classifiers: which of its classes a picture belongs to."""
