"""A program as people write it, for mypy (test_types.py)."""

from typing import Tuple

import numpy as np

import wengert as torch
from wengert import Tensor


class Square(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, grad: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return 2 * x * grad


def train(D: Tensor, rank: int) -> Tuple[Tensor, float]:
    C = torch.rand(D.size(0), rank, requires_grad=True)
    optimizer = torch.optim.SGD([C], lr=0.1)
    loss = torch.zeros(())
    for _ in range(3):
        optimizer.zero_grad()
        loss = ((D.sum(1, keepdim=True) - C) ** 2).mean()
        loss.backward()
        optimizer.step()
    grad = C.grad
    assert grad is not None
    with torch.no_grad():
        C -= 0.1 * grad
    return C, float(loss)


values, indices = torch.rand(3, 4).max(1)
total: Tensor = Square.apply(values).sum()
sizes: torch.Size = total.shape
count: int = values.numel()
array = np.asarray(values)
kind: torch.dtype = values.dtype
factors, last = train(torch.rand(5, 4), 2)
