from workflows.executor.dispatcher import Column


def test_a_column_is_cut_along_the_batch_of_the_request():
    column = Column(lineage=("$inputs", "$steps.c"), values={(0, 0): "a", (2, 0): "b", (2, 1): None})
    assert [part.values for part in column.by_element(3)] == [{(0, 0): "a"}, {}, {(2, 0): "b", (2, 1): None}]
    assert {part.lineage for part in column.by_element(3)} == {column.lineage}


def test_values_of_no_element_belong_to_each():
    scalar = Column(lineage=(), values={(): 1})
    made_of_a_scalar = Column(lineage=("$steps.c",), values={(0,): 1, (1,): 2})
    assert scalar.by_element(2) == [scalar, scalar]
    assert made_of_a_scalar.by_element(2) == [made_of_a_scalar, made_of_a_scalar]
