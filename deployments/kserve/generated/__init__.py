"""Made from `open_inference.proto` by `make proto`; not edited, not checked for style."""
