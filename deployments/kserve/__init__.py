"""The Open Inference Protocol (KServe V2) over gRPC, for every model that is served."""
