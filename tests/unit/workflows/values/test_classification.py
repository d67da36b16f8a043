import numpy as np
import pytest

from workflows.values.classification import Classification


def classification(names, confidence, **fields):
    return Classification(
        class_name=np.array(names, dtype=np.str_),
        class_id=np.arange(len(names)),
        confidence=np.array(confidence, dtype=np.float64),
        **fields,
    )


def test_columns_of_different_length_are_refused():
    with pytest.raises(ValueError, match="confidence must have 2 rows"):
        classification(["cat", "dog"], [0.5])


def test_a_single_label_result_predicts_its_top_class():
    result = classification(["dog", "cat"], [0.75, 0.25], top_class="dog", top_confidence=0.75)
    assert not result.multi_label
    assert result.predicted_confidence() == (0.75,)


def test_a_single_label_result_may_name_nothing():
    assert classification([], []).predicted_confidence() == ()


def test_scores_of_a_multi_label_result_follow_the_predicted_classes():
    result = classification(["cat", "dog", "cow"], [0.9, 0.1, 0.6], predicted_classes=("cow", "cat"))
    assert result.multi_label
    assert result.predicted_confidence() == (0.6, 0.9)


def test_a_multi_label_result_may_predict_nothing():
    result = classification(["cat"], [0.1], predicted_classes=())
    assert result.multi_label
    assert result.predicted_confidence() == ()
