"""The directory layouts of a model package, one file each."""
