"""Writes nnls.json: bounded least squares by scipy (nnls, and lsq_linear for boxes) on random problems.

Run: python3 nnls.py
"""

import json
import pathlib

import numpy as np
from scipy.optimize import lsq_linear, nnls

random = np.random.default_rng(5)
cases = []
for n, k in [(8, 3), (30, 6), (40, 12), (12, 12), (60, 20)]:
    X = random.normal(size=(n, k)).round(6)
    # Correlated columns, so that signs depend on each other.
    X[:, 1] = (0.9 * X[:, 0] + 0.1 * X[:, 1]).round(6)
    y = (X @ random.normal(size=k) + random.normal(size=n)).round(6)
    box = lsq_linear(X, y, bounds=(-0.25, 0.5), method="bvls", tol=1e-15)
    cases.append(dict(X=X.tolist(), y=y.tolist(), nonnegative=nnls(X, y)[0].tolist(), box=box.x.tolist()))
(pathlib.Path(__file__).parent / "nnls.json").write_text(json.dumps(cases, indent=1) + "\n")
