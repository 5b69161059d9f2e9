"""Derivatives of functions, as torch.autograd.functional has them."""

from .. import _C


def _tuple(values):
    return values if isinstance(values, tuple) else tuple(values) if isinstance(values, list) else (values,)


def _like(values, original):
    return tuple(values) if isinstance(original, (tuple, list)) else values[0]


def _direction(v, inputs):
    """v, or ones."""
    return tuple(_C.ones_like(x) for x in _tuple(inputs)) if v is None else _tuple(v)


def outputs_as_tuple(func):
    """func with a tuple for its result, and a list that holds, once it was called, whether it returns several tensors."""
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
    of_tuple, several = outputs_as_tuple(func)
    rows = [_like(row, inputs) for row in _C._jacobian(of_tuple, _tuple(inputs), create_graph)]
    return tuple(rows) if several[0] else rows[0]


def hessian(func, inputs, create_graph=False, strict=False, vectorize=False):
    """Second derivatives of one number."""
    of_tuple, _ = outputs_as_tuple(func)
    return _like([_like(row, inputs) for row in _C._hessian(of_tuple, _tuple(inputs), create_graph)], inputs)


def vjp(func, inputs, v=None, create_graph=False, strict=False):
    """(func(inputs), v^T J)."""
    of_tuple, several = outputs_as_tuple(func)
    outputs, product = _C._vjp(of_tuple, _tuple(inputs), None if v is None else _tuple(v), create_graph)
    return outputs if several[0] else outputs[0], _like(product, inputs)


def jvp(func, inputs, v=None, create_graph=False, strict=False):
    """(func(inputs), J v)."""
    of_tuple, several = outputs_as_tuple(func)
    outputs, product = _C._jvp(of_tuple, _tuple(inputs), _direction(v, inputs), create_graph)
    return (outputs, product) if several[0] else (outputs[0], product[0])


def hvp(func, inputs, v=None, create_graph=False, strict=False):
    """(func(inputs), H v), of one number."""
    of_tuple, _ = outputs_as_tuple(func)
    output, product = _C._hvp(of_tuple, _tuple(inputs), _direction(v, inputs), create_graph)
    return output, _like(product, inputs)


def vhp(func, inputs, v=None, create_graph=False, strict=False):
    """(func(inputs), v^T H), of one number."""
    of_tuple, _ = outputs_as_tuple(func)
    output, product = _C._vhp(of_tuple, _tuple(inputs), _direction(v, inputs), create_graph)
    return output, _like(product, inputs)
