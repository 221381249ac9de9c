"""Writes losses.json: minimisers of one row's objective by scipy, for every loss.

min over x of sum l(w, a, x.v) + lambda |x|^2, x >= 0 for poisson, by L-BFGS-B started again from its own answer.
Run: python3 losses.py
"""

import json
import pathlib

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

random = np.random.default_rng(11)
n, k, lam = 40, 3, 0.3
V = random.normal(size=(n, k)).round(6)
w = random.uniform(0.5, 1.5, size=n).round(6)
x0 = random.normal(size=k)
noisy = (V @ x0 + random.normal(size=n) + 8 * (random.uniform(size=n) < 0.15)).round(6)
P = np.abs(V)
counts = random.poisson(P @ np.abs(x0))
labels = np.where(random.uniform(size=n) < expit(2 * V @ x0), 1.0, -1.0)


def huber(z, d):
    return np.where(np.abs(z) <= d, z**2, 2 * d * np.abs(z) - d**2), np.where(np.abs(z) <= d, 2 * z, 2 * d * np.sign(z))


def value_and_slope(name, d, a):
    def of(p):
        r = p - a
        if name == "huber":
            value, slope = huber(w * r, d)
            return value, w * slope
        if name == "rawHuber":
            value, slope = huber(r, d)
            return w**2 * value, w**2 * slope
        if name == "l1":
            root = np.sqrt(r**2 + d**2)
            return w**2 * (root - d), w**2 * r / root
        if name == "logistic":
            return w**2 * np.logaddexp(0, -a * p), -(w**2) * a * expit(-a * p)
        safe = np.maximum(p, 1e-300)
        log = np.where(a > 0, a * np.log(np.where(a > 0, a, 1) / safe), 0)
        return w**2 * (log - a + p), w**2 * (1 - a / safe)

    return of


cases = []
for name, d, a, X in [
    ("huber", 1.0, noisy, V),
    ("rawHuber", 1.0, noisy, V),
    ("l1", 0.3, noisy, V),
    ("logistic", 0.0, labels, V),
    ("poisson", 0.0, counts.astype(float), P),
]:
    loss = value_and_slope(name, d, a)

    def f(x):
        value, slope = loss(X @ x)
        return value.sum() + lam * x @ x, X.T @ slope + 2 * lam * x

    bounds = [(0, None)] * k if name == "poisson" else None
    best = minimize(f, np.full(k, 0.5), jac=True, method="L-BFGS-B", bounds=bounds, options=dict(ftol=1e-16, gtol=1e-12, maxiter=5000))
    for _ in range(3):
        best = minimize(f, best.x, jac=True, method="L-BFGS-B", bounds=bounds, options=dict(ftol=1e-16, gtol=1e-12, maxiter=5000))
    cases.append(dict(loss=name, parameter=d, V=X.tolist(), a=a.tolist(), w=w.tolist(), x=best.x.tolist(), f=float(best.fun)))
(pathlib.Path(__file__).parent / "losses.json").write_text(json.dumps(dict(lam=lam, cases=cases), indent=1) + "\n")
