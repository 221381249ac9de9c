"""
Conjugate gradients, 3 steps a half-sweep, as implicit has them (https://github.com/benfred/implicit): the objective and the
seconds after each sweep, as one line of JSON. Called by block.mjs.

    python block.py <folder of the .npy files> <rank> <lambda> <sweeps>
"""

import json
import sys
import time

import numpy as np
import scipy.sparse as sp
from implicit.cpu.als import AlternatingLeastSquares

folder, rank, ridge, sweeps = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])
load = lambda name: np.load(f"{folder}/{name}.npy")
m, n = load("V").shape[0], None
V = load("V").astype(np.float32)
pointers = load("pointers").astype(np.int32)
C = sp.csr_matrix((load("confidence").astype(np.float32), load("indices").astype(np.int32), pointers))
C.resize((len(pointers) - 1, V.shape[0]))
listed = C.tocoo()
model = AlternatingLeastSquares(
    factors=rank, regularization=ridge, use_native=True, use_cg=True, iterations=sweeps, num_threads=2, dtype=np.float32
)
model.cg_steps = 3
model.user_factors = np.zeros((C.shape[0], rank), dtype=np.float32)
model.item_factors = V.copy()


def objective():
    """Σ_listed c(1 − u·v)² + Σ_others (u·v)² + λ(‖U‖² + ‖V‖²), in f64."""
    U, W = model.user_factors.astype(np.float64), model.item_factors.astype(np.float64)
    total = np.sum((U.T @ U) * (W.T @ W)) + ridge * (np.sum(U * U) + np.sum(W * W))
    for start in range(0, listed.nnz, 100_000):
        part = slice(start, start + 100_000)
        p = np.sum(U[listed.row[part]] * W[listed.col[part]], axis=1)
        total += np.sum(listed.data[part] * (1 - p) ** 2 - p * p)
    return float(total)


way = []
clock = {"cpu": time.process_time()}


def after(_iteration, elapsed, _loss):
    used = time.process_time() - clock["cpu"]
    way.append({"seconds": elapsed, "cpu": used, "objective": objective()})
    clock["cpu"] = time.process_time()


model.fit(C, show_progress=False, callback=after)
print(json.dumps(way))
