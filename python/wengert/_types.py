"""Types that the module's other half makes objects of."""


class Size(tuple):
    """A tensor's sizes: a tuple with a name of its own."""

    __slots__ = ()

    def __repr__(self):
        return f"torch.Size({list(self)})"

    def numel(self):
        """The number of elements."""
        count = 1
        for size in self:
            count *= size
        return count

    def __getitem__(self, key):
        item = tuple.__getitem__(self, key)
        return Size(item) if isinstance(key, slice) else item


def new_tensor(*args, **kwargs):
    """What Tensor(...) makes: of sizes elements that are undefined, of data a float32 tensor."""
    from . import _C

    if all(isinstance(arg, int) for arg in args):
        return _C.empty(*args, **kwargs) if args else _C.empty(0, **kwargs)
    if len(args) != 1 or kwargs:
        raise TypeError("Tensor() takes sizes or one sequence of data")
    (data,) = args
    return data if isinstance(data, _C.Tensor) else _C.tensor(data, dtype=_C.get_default_dtype())
