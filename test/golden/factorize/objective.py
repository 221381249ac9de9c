"""Writes objective.json: objective and gradient of the saved models in models/, from the .npy files alone, in numpy.

f(U,V) = ||W o (A - mean - b1' - 1c' - UV')||_F^2 + sum_i l_i ||u_i||^2 + sum_j l_j ||v_j||^2 + sum_i t_i b_i^2 + sum_j t_j c_j^2
Run: python3 objective.py (after record-models.mjs)
"""

import json
import pathlib

import numpy as np

here = pathlib.Path(__file__).parent
models = here / "models"
A = np.load(models / "A.npy")
weights = np.load(models / "W.npy")
results = {}
for folder in sorted(path for path in models.iterdir() if path.is_dir()):
    said = json.loads((folder / "model.json").read_text())
    options = said["fit"]["options"]
    U = np.load(folder / "U.npy").astype(float)
    V = np.load(folder / "V.npy").astype(float)
    load_bias = lambda name, size: np.load(folder / name).astype(float) if (folder / name).exists() else np.zeros(size)
    b = load_bias("row_bias.npy", len(U))
    c = load_bias("column_bias.npy", len(V))
    is_observed = ~np.isnan(A)
    W = np.where(is_observed, 1.0 if "unweighted" in folder.name else weights, 0.0)
    W2 = W**2
    mean = (W2 * np.nan_to_num(A)).sum() / W2.sum() if options["biases"] != "none" else 0.0

    P = mean + b[:, None] + c[None, :] + U @ V.T
    R = np.where(W > 0, P - np.nan_to_num(A), 0.0)
    scale = {"row": np.ones_like(W), "count": (W > 0) * 1.0, "weight": W2}[options["lambdaScale"]]
    by_row, by_column = (np.ones(len(U)), np.ones(len(V))) if options["lambdaScale"] == "row" else (scale.sum(1), scale.sum(0))
    lam, tau = options["lambda"], options["biasLambda"]
    loss = (W2 * R**2).sum()
    regularization = lam * (by_row @ (U**2).sum(1) + by_column @ (V**2).sum(1)) + tau * (by_row @ b**2 + by_column @ c**2)
    G = 2 * W2 * R
    fits_rows, fits_columns = (options["biases"] in kinds for kinds in (("rows", "both"), ("columns", "both")))
    gradient = {
        "U": G @ V + 2 * lam * by_row[:, None] * U,
        "V": G.T @ U + 2 * lam * by_column[:, None] * V,
        "b": G.sum(1) + 2 * tau * by_row * b if fits_rows else np.zeros(0),
        "c": G.sum(0) + 2 * tau * by_column * c if fits_columns else np.zeros(0),
    }
    norm_U = np.hypot(np.linalg.norm(gradient["U"]), np.linalg.norm(gradient["b"]))
    norm_V = np.hypot(np.linalg.norm(gradient["V"]), np.linalg.norm(gradient["c"]))
    size = 2 * (W2 * np.where(W > 0, np.nan_to_num(A) - mean, 0) ** 2).sum()
    parts = zip(gradient.values(), (U, V, b, c))
    product = sum(np.linalg.norm(g) * np.linalg.norm(x) for g, x in parts)
    results[folder.name] = dict(
        mean=float(mean), loss=float(loss), regularization=float(regularization), objective=float(loss + regularization),
        normU=float(norm_U), normV=float(norm_V), relativeGradientNorm=float(product / size),
        rmse=float(np.sqrt((R[W > 0] ** 2).mean())),
        gradient={name: g.ravel().tolist() for name, g in gradient.items()},
    )
(here / "objective.json").write_text(json.dumps(results, indent=1) + "\n")
