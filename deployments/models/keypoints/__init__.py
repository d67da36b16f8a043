"""Models of key points: objects and named points on them."""
