"""A user's program: calls a server through the unmodified `inference_sdk`, one call a line of JSON on standard input.

Runs in the SDK's own virtual environment. A call is `{"method", "kwargs", "mode"?, "configuration"?}`; an image in
`kwargs` is `{"$image": path, "as": "path"|"ndarray"|"pil"}`. The answer is `{"result"}` or `{"error": {...}}`.
"""

import json
import sys
import warnings

import cv2
import numpy as np
from inference_sdk import InferenceConfiguration, InferenceHTTPClient, VisualisationResponseFormat
from PIL import Image

warnings.filterwarnings("ignore")


def image_of(node):
    """Replace every image description below `node` by what the user would pass."""
    if isinstance(node, dict) and "$image" in node:
        if node.get("as") == "ndarray":
            return cv2.imread(node["$image"])
        return Image.open(node["$image"]) if node.get("as") == "pil" else node["$image"]
    if isinstance(node, dict):
        return {key: image_of(value) for key, value in node.items()}
    return [image_of(value) for value in node] if isinstance(node, list) else node


def plain(node):
    """JSON for a result; a decoded picture becomes its shape."""
    if isinstance(node, np.ndarray):
        return {"$ndarray": list(node.shape)}
    if isinstance(node, Image.Image):
        return {"$pil": list(node.size)}
    if isinstance(node, dict):
        return {key: plain(value) for key, value in node.items()}
    if isinstance(node, (list, tuple)):
        return [plain(value) for value in node]
    if hasattr(node, "__dataclass_fields__"):
        return {"$type": type(node).__name__} | {name: plain(getattr(node, name)) for name in node.__dataclass_fields__}
    return node


def answer(url, call):
    client = InferenceHTTPClient(api_url=url, api_key=call.get("api_key", "any-key"))
    if "configuration" in call:
        settings = dict(call["configuration"])
        if "output_visualisation_format" in settings:
            name = settings["output_visualisation_format"]
            settings["output_visualisation_format"] = VisualisationResponseFormat[name]
        client.configure(InferenceConfiguration(**settings))
    if call.get("mode") == "v0":
        client.select_api_v0()
    return getattr(client, call["method"])(**image_of(call.get("kwargs", {})))


def main():
    for line in sys.stdin:
        try:
            said = {"result": plain(answer(sys.argv[1], json.loads(line)))}
        except Exception as error:  # noqa: BLE001  whatever the client raises is the answer
            said = {
                "error": {
                    "type": type(error).__name__,
                    "status": getattr(error, "status_code", None),
                    "api_message": getattr(error, "api_message", None),
                    "text": str(error),
                }
            }
        print(json.dumps(said), flush=True)


if __name__ == "__main__":
    main()
