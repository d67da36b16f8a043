"""PP-OCR: the networks that the package `rapidocr` brings, run by our engine."""
