"""docTR itself, run by torch: an extra, of which nothing is imported before a package asks for it."""
