"""The Open Inference Protocol (KServe V2) over HTTP, for every model that is served."""
