"""What helps with training."""

from . import checkpoint  # noqa: F401
