"""Writes lstsq.json: the minimum-norm least-squares solutions of numpy.linalg.lstsq. Run: python3 lstsq.py"""

import json
import pathlib

import numpy as np

rng = np.random.default_rng(20240501)
cases = []


def add(name, X, y=None, rcond=None):
    X = np.asarray(X, dtype=float)
    y = rng.standard_normal(X.shape[0]) if y is None else np.asarray(y, dtype=float)
    rcond = max(X.shape) * 2.0**-52 if rcond is None else rcond
    z, _, rank, s = np.linalg.lstsq(X, y, rcond=rcond)
    cases.append(dict(name=name, X=X.tolist(), y=y.tolist(), rcond=rcond, rank=int(rank), z=z.tolist(),
                      condition=float(s[0] / s[rank - 1]) if rank else 1.0))


def with_singular_values(n, p, s):
    Q, _ = np.linalg.qr(rng.standard_normal((n, len(s))))
    P, _ = np.linalg.qr(rng.standard_normal((p, len(s))))
    return Q * s @ P.T


add("tall, full rank", rng.standard_normal((9, 4)))
add("very tall", rng.standard_normal((60, 3)))
add("square", rng.standard_normal((5, 5)))
add("wide", rng.standard_normal((3, 7)))
add("one row", rng.standard_normal((1, 4)))
add("one column", rng.standard_normal((6, 1)))
add("1 by 1", [[2.5]], [3.0])
add("tall, rank 2 of 5", rng.standard_normal((8, 2)) @ rng.standard_normal((2, 5)))
add("wide, rank 2 of 3", rng.standard_normal((3, 2)) @ rng.standard_normal((2, 6)))
add("integers, rank 1", np.outer([1, 2, 3, 4], [2, -1, 3]))
X = rng.standard_normal((7, 4))
X[:, 2] = 0
add("a zero column", X)
X = rng.standard_normal((2, 5))
X[:, [0, 3]] = 0
add("wide with zero columns", X)
X = rng.standard_normal((7, 3))
add("a column twice", np.column_stack([X, X[:, 1]]))
add("rows twice", np.repeat(rng.standard_normal((2, 4)), 3, axis=0))
add("a zero row", np.vstack([np.zeros(3), rng.standard_normal((4, 3))]))
add("all zero", np.zeros((4, 3)))
add("right-hand side zero", rng.standard_normal((4, 6)), np.zeros(4))
add("tiny numbers", 1e-140 * rng.standard_normal((6, 3)) @ np.diag([1, 2, 0]), 1e-140 * rng.standard_normal(6))
add("huge numbers", 1e140 * rng.standard_normal((6, 3)), 1e140 * rng.standard_normal(6))
add("condition 1e6", with_singular_values(12, 5, [1e3, 1, 0.3, 0.1, 1e-3]))
add("cut at 1e-6", with_singular_values(10, 4, [1, 0.1, 1e-3, 1e-9]), rcond=1e-6)
add("kept at 1e-10", with_singular_values(10, 4, [1, 0.1, 1e-3, 1e-9]), rcond=1e-10)
add("f32 rounding of rank 3", (rng.standard_normal((9, 3)) @ rng.standard_normal((3, 6))).astype(np.float32), rcond=9 * 2.0**-23)
add("weights over ten decades", np.diag(10.0 ** -np.arange(0, 10)) @ rng.standard_normal((10, 4)))

path = pathlib.Path(__file__).with_name("lstsq.json")
path.write_text("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")
