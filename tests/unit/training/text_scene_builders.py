import numpy as np

from training.text_scenes import TextScene


def rectangle(left, top, right, bottom):
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)


def scene(quads=(), legible=(), unknown=()):
    return TextScene(
        rgb=np.zeros((60, 160, 3), np.uint8),
        quads=np.array(quads, np.float32).reshape(-1, 4, 2),
        legible=np.array(legible, bool),
        texts=tuple("word" for _ in quads),
        lines=np.zeros(len(quads), np.int64),
        unknown=np.array(unknown, np.float32).reshape(-1, 4, 2),
    )
