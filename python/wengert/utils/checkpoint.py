"""Memory for time."""

from .. import _C


def checkpoint(function, *args, preserve_rng_state=True, use_reentrant=False):
    """function(*args), without what its graph would save: backward runs it again.

    >>> import wengert as torch
    >>> x = torch.tensor([0.5], requires_grad=True)
    >>> torch.utils.checkpoint.checkpoint(lambda x: x.exp() * x, x).backward()
    >>> x.grad
    tensor([2.4731])
    """
    several = []

    def of_tuple(*values):
        result = function(*values)
        several[:] = [isinstance(result, (tuple, list))]
        return result

    results = _C._checkpoint(of_tuple, args, preserve_rng_state)
    return results if several[0] else results[0]
