"""Networks on a Triton Inference Server, asked over gRPC."""
