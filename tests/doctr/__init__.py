"""Reading with docTR itself, on torch: what `.venv` does not have."""
