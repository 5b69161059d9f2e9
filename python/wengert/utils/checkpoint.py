"""Memory for time."""

from .. import _C
from ..autograd.functional import outputs_as_tuple


def checkpoint(function, *args, preserve_rng_state=True, use_reentrant=False):
    """function(*args), without what its graph would save: backward runs it again.

    >>> import wengert as torch
    >>> x = torch.tensor([0.5], requires_grad=True)
    >>> torch.utils.checkpoint.checkpoint(lambda x: x.exp() * x, x).backward()
    >>> x.grad
    tensor([2.4731])
    """
    of_tuple, several = outputs_as_tuple(function)
    results = _C._checkpoint(of_tuple, args, preserve_rng_state)
    return results if several[0] else results[0]
