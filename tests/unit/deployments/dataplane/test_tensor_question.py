import numpy as np

from deployments.dataplane.tensor_question import TensorQuestion


def question(rows=1, width=2, dtype=np.float32, name="x"):
    return TensorQuestion(feeds={name: np.zeros((rows, width), dtype=dtype)})


def test_questions_share_a_run_whatever_their_number_of_rows():
    assert question(rows=1).signature == question(rows=3).signature


def test_another_name_type_or_width_is_another_signature():
    others = [question(name="y"), question(dtype=np.float64), question(width=3)]
    assert len({question().signature, *(other.signature for other in others)}) == 4


def test_the_size_is_that_of_the_inputs():
    assert question(rows=3).size_bytes == 24
    assert TensorQuestion(feeds={}).size_bytes == 0
