"""A backend for the tests, in Triton's Python backend: runs the `model.onnx` of each version with ONNX Runtime.

It runs inside Triton, with the Python of its virtual environment. Requests that Triton's dynamic batcher gathered are
run as one batch. The parameter `delay_s` of a model makes each run last longer.
"""

import json
import time
from pathlib import Path

import numpy as np
import onnxruntime as ort
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def initialize(self, args):
        config = json.loads(args["model_config"])
        path = Path(args["model_repository"]) / args["model_version"] / "model.onnx"
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = ort.InferenceSession(str(path), options)
        self.batched = config["max_batch_size"] > 0
        self.delay_s = float(config["parameters"].get("delay_s", {"string_value": "0"})["string_value"])

    def execute(self, requests):
        groups = [requests] if self.batched else [[request] for request in requests]
        return [response for group in groups for response in self.run(group)]

    def run(self, requests):
        time.sleep(self.delay_s)
        names = [node.name for node in self.session.get_inputs()]
        feeds = [
            {name: pb_utils.get_input_tensor_by_name(request, name).as_numpy() for name in names}
            for request in requests
        ]
        outputs = self.session.run(None, {name: np.concatenate([feed[name] for feed in feeds]) for name in names})
        ends = np.cumsum([len(feed[names[0]]) for feed in feeds])[:-1]
        split = [np.split(output, ends) for output in outputs]
        made = [node.name for node in self.session.get_outputs()]
        return [
            pb_utils.InferenceResponse(
                [pb_utils.Tensor(name, parts[at]) for name, parts in zip(made, split, strict=True)]
            )
            for at in range(len(requests))
        ]
