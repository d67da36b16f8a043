"""Text detectors: where on a picture words or lines of text stand."""
