"""Models without a server: packages on disk, engines that run tensors, and what turns tensors into values."""
