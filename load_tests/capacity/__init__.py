"""What a cluster around accelerators carries, measured with emulated ones."""
