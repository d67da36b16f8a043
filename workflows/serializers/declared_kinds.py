"""What every kind means, for the catalogue of blocks."""

from __future__ import annotations

from workflows.kinds import Kind

_DETECTIONS = ("dict", "Detections")

KINDS: dict[Kind, tuple[str, str, str]] = {
    Kind.ANY: ("Any value.", "Any", "Any"),
    Kind.IMAGE: ("A picture.", "dict", "Image"),
    Kind.VIDEO_METADATA: ("Which frame of which video a picture is.", "dict", "VideoMetadata"),
    Kind.ROBOFLOW_MODEL_ID: ("Identity of a model: project and version.", "str", "str"),
    Kind.ROBOFLOW_PROJECT: ("Name of a project.", "str", "str"),
    Kind.ROBOFLOW_SOLUTION: ("Name of a solution.", "str", "str"),
    Kind.ROBOFLOW_API_KEY: ("Key of an account.", "str", "str"),
    Kind.ROBOFLOW_MANAGED_KEY: ("Name of a key that the platform keeps.", "str", "str"),
    Kind.FLOAT_ZERO_TO_ONE: ("A number from 0 to 1.", "float", "float"),
    Kind.FLOAT: ("A number.", "float", "float"),
    Kind.INTEGER: ("A whole number.", "int", "int"),
    Kind.STRING: ("Text.", "str", "str"),
    Kind.BOOLEAN: ("True or false.", "bool", "bool"),
    Kind.DICTIONARY: ("Named values.", "dict", "dict[str, Any]"),
    Kind.LIST_OF_VALUES: ("Values of any type in order.", "List[Any]", "list[Any]"),
    Kind.TOP_CLASS: ("Name of the class that a classifier is surest of.", "str", "str"),
    Kind.SECRET: ("Text that is shown masked.", "str", "str"),
    Kind.BYTES: ("Raw bytes, base64 on the wire.", "str", "bytes"),
    Kind.TIMESTAMP: ("A moment, ISO 8601 on the wire.", "str", "datetime"),
    Kind.INFERENCE_ID: ("Identity of a model call.", "str", "str"),
    Kind.PARENT_ID: ("Identity of the picture or detection that a value was made from.", "str", "str"),
    Kind.IMAGE_METADATA: ("Width and height of a picture.", "dict", "dict[str, int]"),
    Kind.PREDICTION_TYPE: ("Name of the task that made a prediction.", "str", "str"),
    Kind.CLASSIFICATION_PREDICTION: ("Classes that a picture belongs to, with scores.", "dict", "Classification"),
    Kind.OBJECT_DETECTION_PREDICTION: ("Boxes of objects, with classes and scores.", *_DETECTIONS),
    Kind.INSTANCE_SEGMENTATION_PREDICTION: ("Objects with their outlines.", *_DETECTIONS),
    Kind.RLE_INSTANCE_SEGMENTATION_PREDICTION: ("Objects with masks as run lengths.", *_DETECTIONS),
    Kind.KEYPOINT_DETECTION_PREDICTION: ("Objects with their key points.", *_DETECTIONS),
    Kind.SEMANTIC_SEGMENTATION_PREDICTION: ("A mask for each class of a picture.", *_DETECTIONS),
    Kind.ACTION_RECOGNITION_PREDICTION: ("Actions seen in a video, with scores.", "List[dict]", "list[dict[str, Any]]"),
    Kind.DETECTION: (
        "One detection, inside the query language only.",
        "Tuple[list, Optional[list], Optional[float], Optional[float], Optional[int], dict]",
        "Detections",
    ),
    Kind.DETECTIONS_OVERLAPS: ("Which detections overlap which.", "List[Dict[str, Any]]", "list[dict[str, Any]]"),
    Kind.POINT: ("Two numbers: x and y.", "Tuple[int, int]", "list[float]"),
    Kind.LABELED_POINTS: ("Points that belong to an object or not.", "List[Dict[str, Any]]", "list[dict[str, Any]]"),
    Kind.ZONE: ("Corners of a polygon.", "List[Tuple[int, int]]", "list[list[float]]"),
    Kind.RGB_COLOR: ("A colour: text, or red, green and blue.", "Tuple[int, int, int]", "str | list[int]"),
    Kind.IMAGE_KEYPOINTS: ("Distinctive points of a picture.", "dict", "list[dict[str, Any]]"),
    Kind.CONTOURS: ("Outlines found in a picture.", "List[list]", "list[NDArray[int32]]"),
    Kind.LANGUAGE_MODEL_OUTPUT: ("Text that a language model wrote.", "str", "str"),
    Kind.NUMPY_ARRAY: ("Numbers in any number of dimensions.", "list", "NDArray"),
    Kind.TENSOR: ("Numbers in any number of dimensions, as a model gave them.", "list", "NDArray"),
    Kind.QR_CODE_DETECTION: ("QR codes, with their contents.", *_DETECTIONS),
    Kind.BAR_CODE_DETECTION: ("Bar codes, with their contents.", *_DETECTIONS),
    Kind.SERIALISED_PAYLOADS: ("Texts or objects ready to be stored.", "List[Union[str, dict]]", "list[Any]"),
    Kind.EMBEDDING: ("Numbers that place a picture or text near similar ones.", "List[float]", "list[float]"),
}
"""Kind -> description, type on the wire, type in the engine."""


def declared_kinds() -> list[dict[str, str | None]]:
    """Every kind in the form of the catalogue."""
    return [declared_kind(kind) for kind in KINDS]


def declared_kind(kind: Kind) -> dict[str, str | None]:
    """One kind in the form of the catalogue."""
    description, on_the_wire, in_the_engine = KINDS[kind]
    return {
        "name": str(kind),
        "description": description,
        "docs": None,
        "serialised_data_type": on_the_wire,
        "internal_data_type": in_the_engine,
    }
