#!/usr/bin/env python3
"""Makes tests/optim/torch_figures.txt again: what PyTorch's optimizers and schedules come to (Debian's python3-torch, 1.13).

A line is a case: its name, a colon, and numbers. Optimizers: the three parameters after steps 1, 10, 50 and 150 on
sum(x^4 / 4 + x) w. Schedules: the rates of two groups (0.1, 0.02) at the start and after each of 200 steps.
usage: /usr/bin/python3 tests/optim/torch_figures.py > tests/optim/torch_figures.txt
"""
import math

import torch
from torch.optim import lr_scheduler as schedule

torch.set_default_dtype(torch.float64)

OPTIMIZERS = {
    "SGD": [dict(lr=0.01), dict(lr=0.01, momentum=0.9), dict(lr=0.0005, momentum=0.9, dampening=0.5, maximize=True),
            dict(lr=0.01, momentum=0.8, weight_decay=0.1, nesterov=True)],
    "Adam": [dict(), dict(lr=0.1, betas=(0.8, 0.99), eps=1e-3), dict(lr=0.05, weight_decay=0.1, amsgrad=True),
             dict(lr=0.01, maximize=True, weight_decay=0.2)],
    "AdamW": [dict(), dict(lr=0.1, betas=(0.8, 0.99), eps=1e-3), dict(lr=0.05, weight_decay=0.1, amsgrad=True),
              dict(lr=0.01, maximize=True, weight_decay=0.2)],
    "Adagrad": [dict(), dict(lr=0.1, lr_decay=0.01, initial_accumulator_value=0.5),
                dict(lr=0.1, weight_decay=0.1, eps=1e-3), dict(lr=0.05, maximize=True)],
    "RMSprop": [dict(), dict(lr=0.02, momentum=0.5, alpha=0.9), dict(lr=0.02, centered=True, weight_decay=0.1),
                dict(lr=0.01, centered=True, momentum=0.9, eps=1e-4), dict(lr=0.001, maximize=True)],
    "Adadelta": [dict(), dict(lr=0.5, rho=0.8), dict(weight_decay=0.1, eps=1e-3), dict(maximize=True)],
    "Adamax": [dict(), dict(lr=0.1, betas=(0.8, 0.99)), dict(lr=0.05, weight_decay=0.1, eps=1e-3),
               dict(lr=0.01, maximize=True)],
    "NAdam": [dict(), dict(lr=0.1, betas=(0.8, 0.99)), dict(lr=0.05, weight_decay=0.1, eps=1e-3),
              dict(lr=0.02, momentum_decay=0.1)],
    "RAdam": [dict(), dict(lr=0.1, betas=(0.8, 0.99)), dict(lr=0.05, weight_decay=0.1, eps=1e-3),
              dict(lr=0.02, betas=(0.5, 0.6))],
    "ASGD": [dict(), dict(lr=0.02, lambd=0.1, alpha=0.5), dict(t0=20, weight_decay=0.1), dict(maximize=True, lr=0.001)],
    "Rprop": [dict(), dict(lr=0.1, etas=(0.3, 1.5)), dict(step_sizes=(1e-3, 0.05)), dict(maximize=True, lr=0.001)],
}
START = [1.0, -2.0, 3.0]


def numbers(values):
    return " ".join(float(v).hex() for v in values)


def run_optimizer(name, options):
    x = torch.tensor(START, requires_grad=True)
    optimizer = getattr(torch.optim, name)([x], **options)
    found = []
    for step in range(1, 151):
        optimizer.zero_grad()
        ((x.pow(4) / 4 + x).sum() * 0.05).backward()
        optimizer.step()
        if step in (1, 10, 50, 150):
            found += x.tolist()
    return numbers(found)


def run_lbfgs(options):
    x = torch.tensor([-1.5, 2.0], requires_grad=True)
    optimizer = torch.optim.LBFGS([x], **options)
    calls, found = 0, []

    def closure():
        nonlocal calls
        calls += 1
        optimizer.zero_grad()
        loss = (1 - x[0]) ** 2 + 10 * (x[1] - x[0] ** 2) ** 2
        loss.backward()
        return loss

    for _ in range(6):
        found.append(optimizer.step(closure).item())
        found += x.tolist() + [calls]
    return numbers(found)


def run_sparse_adam(options):
    table = torch.arange(12.0).reshape(4, 3).requires_grad_()
    optimizer = torch.optim.SparseAdam([table], **options)
    for step in range(150):
        optimizer.zero_grad()
        rows = torch.tensor([step % 4, (step * step) % 3, step % 4])
        (torch.nn.functional.embedding(rows, table, sparse=True).pow(2).sum() * 0.1).backward()
        optimizer.step()
    return numbers(table.detach().flatten())


SCHEDULES = {
    "StepLR": lambda o: schedule.StepLR(o, 30, 0.5),
    "MultiStepLR": lambda o: schedule.MultiStepLR(o, [10, 50, 50, 120], 0.3),
    "ConstantLR": lambda o: schedule.ConstantLR(o, 0.25, 40),
    "LinearLR": lambda o: schedule.LinearLR(o, 0.1, 0.9, 50),
    "ExponentialLR": lambda o: schedule.ExponentialLR(o, 0.97),
    "PolynomialLR": lambda o: schedule.PolynomialLR(o, 150, 2.0),
    "CosineAnnealingLR": lambda o: schedule.CosineAnnealingLR(o, 40, 0.001),
    "CosineAnnealingWarmRestarts": lambda o: schedule.CosineAnnealingWarmRestarts(o, 10, 2, 0.001),
    "CyclicLR.triangular": lambda o: schedule.CyclicLR(o, 0.01, 0.1, 20, 30),
    "CyclicLR.triangular2": lambda o: schedule.CyclicLR(o, 0.01, 0.1, 20, mode="triangular2"),
    "CyclicLR.exp_range": lambda o: schedule.CyclicLR(o, 0.01, 0.1, 20, mode="exp_range", gamma=0.99),
    "OneCycleLR": lambda o: schedule.OneCycleLR(o, 0.5, 201),
    "OneCycleLR.linear": lambda o: schedule.OneCycleLR(o, 0.5, 201, pct_start=0.2, anneal_strategy="linear"),
    "OneCycleLR.three_phase": lambda o: schedule.OneCycleLR(o, 0.5, 201, three_phase=True),
    "LambdaLR": lambda o: schedule.LambdaLR(o, lambda t: 0.95 ** t),
    "MultiplicativeLR": lambda o: schedule.MultiplicativeLR(o, lambda t: 0.9 + 0.001 * t),
    "SequentialLR": lambda o: schedule.SequentialLR(
        o, [schedule.ConstantLR(o, 0.1, 20), schedule.ExponentialLR(o, 0.9)], [30]),
    "SequentialLR.warmup": lambda o: schedule.SequentialLR(
        o, [schedule.LinearLR(o, 0.1, 1.0, 10), schedule.CosineAnnealingLR(o, 50), schedule.StepLR(o, 7, 0.9)], [10, 60]),
    "ChainedScheduler": lambda o: schedule.ChainedScheduler(
        [schedule.ConstantLR(o, 0.1, 20), schedule.ExponentialLR(o, 0.9)]),
    "ReduceLROnPlateau": lambda o: schedule.ReduceLROnPlateau(o, factor=0.5, patience=3, cooldown=2, min_lr=1e-3),
    "ReduceLROnPlateau.max": lambda o: schedule.ReduceLROnPlateau(
        o, mode="max", factor=0.5, patience=3, threshold=0.01, threshold_mode="abs"),
}


def run_schedule(make):
    groups = [dict(params=[torch.zeros(1, requires_grad=True)], lr=lr) for lr in (0.1, 0.02)]
    optimizer = torch.optim.SGD(groups, lr=1, momentum=0.9)
    scheduler = make(optimizer)
    found = []
    for step in range(201):
        found += [g["lr"] for g in optimizer.param_groups]
        if hasattr(scheduler, "cycle_momentum"):
            found += [g["momentum"] for g in optimizer.param_groups]
        optimizer.step()
        if step == 200:
            break
        if isinstance(scheduler, schedule.ReduceLROnPlateau):
            scheduler.step(1 / (1 + step // 7) + 0.1 * math.sin(step))
        else:
            scheduler.step()
    return numbers(found)


for name, cases in OPTIMIZERS.items():
    for i, options in enumerate(cases):
        print(f"{name}.{i}: {run_optimizer(name, options)}")
for i, options in enumerate([dict(), dict(lr=0.5, max_iter=4), dict(line_search_fn="strong_wolfe"),
                             dict(line_search_fn="strong_wolfe", history_size=3, max_iter=5, lr=0.8)]):
    print(f"LBFGS.{i}: {run_lbfgs(options)}")
for i, options in enumerate([dict(), dict(lr=0.1, betas=(0.8, 0.9)), dict(eps=1e-3, lr=0.01),
                             dict(maximize=True)]):
    print(f"SparseAdam.{i}: {run_sparse_adam(options)}")
for name, make in SCHEDULES.items():
    print(f"{name}: {run_schedule(make)}")
