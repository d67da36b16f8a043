"""Instance segmenters: objects and the pixels they cover."""
