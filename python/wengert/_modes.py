"""Grad mode and inference mode, for a with statement or around a function."""

import functools

from . import _C


class _Mode:
    """Sets a mode for as long as a with statement or a call lasts."""

    def __call__(self, function):
        @functools.wraps(function)
        def within(*args, **kwargs):
            with self._again():
                return function(*args, **kwargs)

        return within

    def _again(self):
        return type(self)()


class no_grad(_Mode):
    """Nothing is recorded.

    >>> import wengert as torch
    >>> x = torch.ones(2, requires_grad=True)
    >>> with torch.no_grad():
    ...     print((2 * x).requires_grad)
    False
    """

    _enabled = False

    def __new__(cls, function=None):
        mode = object.__new__(cls)
        return mode if function is None else mode(function)

    def __enter__(self):
        self._before = _C.is_grad_enabled()
        _C._set_grad_enabled(self._enabled)

    def __exit__(self, *exception):
        _C._set_grad_enabled(self._before)


class enable_grad(no_grad):
    """Operations are recorded again, within no_grad."""

    _enabled = True


class set_grad_enabled(_Mode):
    """Sets grad mode at once, and sets it back at the end of a with statement."""

    def __init__(self, mode):
        self._before, self._mode = _C.is_grad_enabled(), mode
        _C._set_grad_enabled(mode)

    def _again(self):
        return set_grad_enabled(self._mode)

    def __enter__(self):
        _C._set_grad_enabled(self._mode)

    def __exit__(self, *exception):
        _C._set_grad_enabled(self._before)


class inference_mode(_Mode):
    """No grad mode, and more: tensors that are made in it no graph may save."""

    def __init__(self, mode=True):
        self._mode = mode

    def _again(self):
        return inference_mode(self._mode)

    def __enter__(self):
        self._before = _C.is_inference_mode_enabled(), _C.is_grad_enabled()
        _C._set_inference_mode(self._mode)
        _C._set_grad_enabled(not self._mode)

    def __exit__(self, *exception):
        _C._set_inference_mode(self._before[0])
        _C._set_grad_enabled(self._before[1])
