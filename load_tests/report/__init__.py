"""Results as pages that a browser opens from disk, and two results side by side."""
