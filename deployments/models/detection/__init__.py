"""Object detectors: pre-processing, non-maximum suppression, and one file an architecture."""
