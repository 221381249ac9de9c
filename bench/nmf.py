"""scikit-learn's coordinate descent NMF on the matrix that bench/nmf.mjs wrote: seconds and final objective, as JSON lines.

Run by bench/nmf.mjs: python3 nmf.py <folder> <runs> <rank>
"""

import json
import pathlib
import sys
import time
import warnings

import numpy as np
from sklearn.decomposition import NMF

folder, runs, rank = pathlib.Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
warnings.filterwarnings("ignore")
for dtype in (np.float32, np.float64):
    A = np.load(folder / "A.npy").astype(dtype)
    W0 = np.load(folder / "U.npy").astype(dtype)
    H0 = np.ascontiguousarray(np.load(folder / "V.npy").astype(dtype).T)
    for run in range(runs):
        model = NMF(rank, init="custom", solver="cd", tol=1e-4, max_iter=200)
        began = time.perf_counter()
        W = model.fit_transform(A, W=W0.copy(), H=H0.copy())
        seconds = time.perf_counter() - began
        objective = float(np.linalg.norm(A - W @ model.components_) ** 2)
        said = dict(dtype=np.dtype(dtype).name, seconds=seconds, iterations=int(model.n_iter_), objective=objective)
        print(json.dumps(said), flush=True)
