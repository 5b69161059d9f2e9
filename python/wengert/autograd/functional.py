"""Derivatives of functions, as torch.autograd.functional has them."""

from .. import _C


def _tuple(values):
    return values if isinstance(values, tuple) else tuple(values) if isinstance(values, list) else (values,)


def _like(values, original):
    return tuple(values) if isinstance(original, (tuple, list)) else values[0]


def _outputs(func, inputs):
    """func of a tuple, and whether it returns several tensors."""
    several = []

    def of_tuple(*values):
        result = func(*values)
        several[:] = [isinstance(result, (tuple, list))]
        return _tuple(result)

    return of_tuple, several


def jacobian(func, inputs, create_graph=False, strict=False, vectorize=False):
    """Derivatives of all outputs by all inputs: of the output's shape followed by the input's.

    >>> import wengert as torch
    >>> torch.autograd.functional.jacobian(lambda x: x ** 2, torch.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """
    of_tuple, several = _outputs(func, inputs)
    rows = [_like(row, inputs) for row in _C._jacobian(of_tuple, _tuple(inputs), create_graph)]
    return tuple(rows) if several[0] else rows[0]


def hessian(func, inputs, create_graph=False, strict=False, vectorize=False):
    """Second derivatives of one number."""
    of_tuple, _ = _outputs(func, inputs)
    return _like([_like(row, inputs) for row in _C._hessian(of_tuple, _tuple(inputs), create_graph)], inputs)


def vjp(func, inputs, v=None, create_graph=False, strict=False):
    """(func(inputs), v^T J)."""
    of_tuple, several = _outputs(func, inputs)
    outputs, product = _C._vjp(of_tuple, _tuple(inputs), None if v is None else _tuple(v), create_graph)
    return outputs if several[0] else outputs[0], _like(product, inputs)


def jvp(func, inputs, v=None, create_graph=False, strict=False):
    """(func(inputs), J v)."""
    of_tuple, several = _outputs(func, inputs)
    if v is None:
        v = tuple(_C.ones_like(x) for x in _tuple(inputs))
    outputs, product = _C._jvp(of_tuple, _tuple(inputs), _tuple(v), create_graph)
    return (outputs, product) if several[0] else (outputs[0], product[0])


def hvp(func, inputs, v=None, create_graph=False, strict=False):
    """(func(inputs), H v), of one number."""
    of_tuple, _ = _outputs(func, inputs)
    v = tuple(_C.ones_like(x) for x in _tuple(inputs)) if v is None else _tuple(v)
    output, product = _C._hvp(of_tuple, _tuple(inputs), v, create_graph)
    return output, _like(product, inputs)


def vhp(func, inputs, v=None, create_graph=False, strict=False):
    """(func(inputs), v^T H), of one number."""
    of_tuple, _ = _outputs(func, inputs)
    v = tuple(_C.ones_like(x) for x in _tuple(inputs)) if v is None else _tuple(v)
    output, product = _C._vhp(of_tuple, _tuple(inputs), v, create_graph)
    return output, _like(product, inputs)
