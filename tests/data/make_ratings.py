#!/usr/bin/env python3
"""Writes ratings.csv: 8000 ratings of 300 users and 200 items, from biases, three factors and noise; half stars.

usage: tests/data/make_ratings.py > tests/data/ratings.csv
"""
import random

random.seed(1)
USERS, ITEMS, RATINGS, FACTORS = 300, 200, 8000, 3


def normal(deviation):
    return random.gauss(0, deviation)


users = [(normal(0.4), [normal(0.6) for _ in range(FACTORS)]) for _ in range(USERS)]
items = [(normal(0.5), [normal(0.6) for _ in range(FACTORS)]) for _ in range(ITEMS)]
print("user,item,rating")
seen = set()
while len(seen) < RATINGS:
    # Some items are much more popular than others.
    i, j = random.randrange(USERS), min(random.randrange(ITEMS), random.randrange(ITEMS))
    if (i, j) in seen:
        continue
    seen.add((i, j))
    (user, p), (item, q) = users[i], items[j]
    value = 3.5 + user + item + sum(a * b for a, b in zip(p, q)) + normal(0.5)
    print(f"user{i + 1},item{j + 1},{round(2 * min(5, max(0.5, value))) / 2:g}")
