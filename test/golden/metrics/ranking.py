"""Ranking metrics from their plain definitions, averaged over every order of tied candidates; NDCG also by scikit-learn.

    python ranking.py > ranking.json
"""
import itertools
import json
import math
import random

import numpy as np
from sklearn.metrics import ndcg_score


def orders(scores):
    """Every ranking of the candidates that sorts the scores, best first."""
    groups = [
        [i for i, s in enumerate(scores) if s == score] for score in sorted(set(scores), reverse=True)
    ]
    for parts in itertools.product(*(itertools.permutations(g) for g in groups)):
        yield [i for part in parts for i in part]


def of_order(order, gains, k):
    rel = [1 if gains[i] > 0 else 0 for i in order]
    R = sum(rel)
    top = rel[:k]
    first = next((i + 1 for i, r in enumerate(top) if r), None)
    dcg = sum(gains[i] / math.log2(p + 2) for p, i in enumerate(order[:k]))
    ideal = sum(g / math.log2(p + 2) for p, g in enumerate(sorted(gains, reverse=True)[:k]))
    return {
        "precision": sum(top) / k,
        "recall": sum(top) / R,
        "hr": 1 if first else 0,
        "mrr": 1 / first if first else 0,
        "map": sum(r * sum(rel[: i + 1]) / (i + 1) for i, r in enumerate(top)) / min(R, k),
        "ndcg": dcg / ideal,
    }


random.seed(7)
cases = []
for case in range(40):
    n = random.randint(2, 7)
    levels = random.choice([1, 2, 3, 100])
    scores = [random.randrange(levels) / 4 for _ in range(n)]
    graded = case % 2 == 1
    gains = [random.choice([0, 1, 2.5, 4] if graded else [0, 1]) for _ in range(n)]
    if not any(gains):
        gains[random.randrange(n)] = 1
    k = random.randint(1, 8)
    every = [of_order(order, gains, k) for order in orders(scores)]
    expected = {name: float(np.mean([e[name] for e in every])) for name in every[0]}
    sklearn = float(ndcg_score([gains], [scores], k=k))
    assert abs(sklearn - expected["ndcg"]) < 1e-12
    cases.append({"scores": scores, "gains": gains, "k": k, "expected": expected, "sklearnNdcg": sklearn})
print(json.dumps(cases, indent=1))
