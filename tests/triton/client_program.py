"""A user's program: NVIDIA's own client calls a server of ours, over HTTP and over gRPC.

    .venv-triton/bin/python tests/triton/client_program.py HTTP_ADDRESS GRPC_ADDRESS NAME VERSION TENSORS.npz

Prints one JSON object: for each of the two what the server said. `TENSORS.npz` holds every input of the network;
outputs are written beside it, `<way>-<output>.npy`.
"""

import json
import sys
from pathlib import Path

import numpy as np
import tritonclient.grpc
import tritonclient.http

http_address, grpc_address, name, version, path = sys.argv[1:]
feeds = dict(np.load(path))
TYPES = {"float32": "FP32", "int64": "INT64"}


def failure(call):
    """Status and message of a call that must fail."""
    try:
        call()
    except (tritonclient.http.InferenceServerException, tritonclient.grpc.InferenceServerException) as error:
        return [error.status(), error.message()]
    return None


def ask(way, library, client, **as_json):
    def infer(model, inputs, **more):
        return client.infer(model, inputs, **more)

    inputs = []
    for key, array in feeds.items():
        tensor = library.InferInput(key, list(array.shape), TYPES[array.dtype.name])
        tensor.set_data_from_numpy(array)
        inputs.append(tensor)
    metadata = client.get_model_metadata(name, version, **as_json)
    config = client.get_model_config(name, version, **as_json)
    result = infer(name, inputs, model_version=version, request_id="7")
    outputs = [output["name"] for output in metadata["outputs"]]
    for output in outputs:
        np.save(Path(path).with_name(f"{way}-{output}.npy"), result.as_numpy(output))
    one = infer(f"{name}/{version}", inputs, outputs=[library.InferRequestedOutput(outputs[0])])
    wrong = library.InferInput(next(iter(feeds)), [1], "FP32")
    wrong.set_data_from_numpy(np.zeros(1, np.float32))
    texts = library.InferInput(next(iter(feeds)), [1], "BYTES")
    texts.set_data_from_numpy(np.array([b"text"], dtype=np.object_))
    return {
        "live": client.is_server_live(),
        "ready": client.is_server_ready(),
        "model_ready": client.is_model_ready(name, version),
        "server": client.get_server_metadata(**as_json)["name"],
        "index": client.get_model_repository_index(**as_json),
        "metadata": metadata,
        "config": config,
        "id": result.get_response()["id"] if way == "http" else result.get_response().id,
        "first_output": one.as_numpy(outputs[0]).tolist(),
        "unknown_model": failure(lambda: infer("nope", inputs)),
        "wrong_shape": failure(lambda: infer(name, [wrong], model_version=version)),
        "texts": failure(lambda: infer(name, [texts], model_version=version)),
    }


print(
    json.dumps(
        {
            "http": ask("http", tritonclient.http, tritonclient.http.InferenceServerClient(http_address)),
            "grpc": ask("grpc", tritonclient.grpc, tritonclient.grpc.InferenceServerClient(grpc_address), as_json=True),
        }
    )
)
