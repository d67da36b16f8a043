"""Text recognizers: one line of text on a crop."""
