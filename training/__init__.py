"""How the shipped weights were made, from data to ONNX. Imports torch and docTR; never served."""
