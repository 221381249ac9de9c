"""Writes the golden files of this folder with numpy and scipy, and what they hold as expected.json.

Run: python make.py (numpy, scipy). The files are committed; tests read them and never run this.
"""

import gzip
import hashlib
import io
import json
import os

import numpy as np
import scipy
from scipy import io as sio
from scipy import sparse

os.chdir(os.path.dirname(os.path.abspath(__file__)))
rng = np.random.default_rng(20240607)


def plain(number):
    """A JSON number; NaN, infinities and -0, which JSON or Python would lose, as strings."""
    number = float(number)
    if np.isnan(number):
        return "NaN"
    if np.isinf(number):
        return "Infinity" if number > 0 else "-Infinity"
    if number == 0 and np.signbit(number):
        return "-0"
    return number


expected = {"numpy": np.__version__, "scipy": scipy.__version__, "npy": {}, "mtx": {}, "write": {}}

# ---- .npy


def npy(name, array, version=None):
    out = io.BytesIO()
    np.lib.format.write_array(out, array, version=version)
    data = out.getvalue()
    if name.endswith(".gz"):
        data = gzip.compress(data, mtime=0)
    with open(name, "wb") as file:
        file.write(data)
    expected["npy"][name] = {
        "shape": list(array.shape),
        "isFortranOrder": bool(array.flags.f_contiguous and not array.flags.c_contiguous),
        "isSingle": array.dtype.kind == "f" and array.dtype.itemsize == 4,
        # Row by row, whatever the order in memory.
        "values": [plain(x) for x in array.astype("f8").ravel(order="C")],
    }


real = rng.normal(size=(5, 3))
real[1, 2] = np.nan
real[0, 0] = 1e-310
real[4, 0] = -0.0
real[3, 1] = 1.7976931348623157e308
with np.errstate(over="ignore"):
    single = rng.normal(size=(4, 6)).astype("f4")
single[2, 3] = np.nan
npy("f8-c.npy", real)
npy("f8-fortran.npy", np.asfortranarray(real))
npy("f8-big-endian.npy", real.astype(">f8"))
npy("f8-big-endian-fortran.npy", np.asfortranarray(real.astype(">f8")))
npy("f8-v2.npy", real, version=(2, 0))
npy("f8-v3.npy", real, version=(3, 0))
npy("f8.npy.gz", real)
npy("f4-c.npy", single)
npy("f4-fortran.npy", np.asfortranarray(single))
npy("f4-big-endian.npy", single.astype(">f4"))
npy("f4-1d.npy", single[0].copy())
npy("f8-0d.npy", np.array(2.5))
npy("f8-3d.npy", rng.normal(size=(2, 3, 2)))
npy("f8-empty.npy", np.zeros((0, 3)))
npy("bool.npy", rng.random((3, 4)) < 0.5)
for dtype in ("i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8"):
    info = np.iinfo(dtype)
    low, high = max(info.min, -(2**53)), min(info.max, 2**53)
    ends = np.array([[low, high, 0], [1, 7, max(low, -1)]], dtype=dtype)
    npy(f"{dtype}.npy", ends)
    if dtype not in ("i1", "u1"):
        npy(f"{dtype}-big-endian.npy", np.asfortranarray(ends.astype(">" + dtype)))
# What is refused.
np.save("refused-c16.npy", np.ones((2, 2), dtype="c16"))
np.save("refused-f2.npy", np.ones((2, 2), dtype="f2"))
np.save("refused-text.npy", np.array([["a", "b"]]))
np.save("refused-object.npy", np.array([[None, 1]], dtype=object), allow_pickle=True)
np.save("refused-structured.npy", np.zeros((2, 2), dtype=[("a", "<f4"), ("b", "<i4")]))

# ---- .mtx


def mtx(name, matrix, **how):
    out = io.BytesIO()
    sio.mmwrite(out, matrix, **how)
    data = out.getvalue()
    with open(name, "wb") as file:
        file.write(gzip.compress(data, mtime=0) if name.endswith(".gz") else data)
    back = sio.mmread(io.BytesIO(data))
    entry = {"shape": list(back.shape)}
    if sparse.issparse(back):
        back = back.tocoo()
        order = np.lexsort((back.col, back.row))
        entry["rows"] = [int(x) for x in back.row[order]]
        entry["columns"] = [int(x) for x in back.col[order]]
        entry["values"] = [plain(x) for x in back.data.astype("f8")[order]]
    else:
        entry["dense"] = [plain(x) for x in np.asarray(back, dtype="f8").ravel(order="C")]
    expected["mtx"][name] = entry


dense = rng.normal(size=(6, 4))
sparse_real = sparse.coo_array(np.where(rng.random((6, 4)) < 0.5, dense, 0.0))
square = rng.normal(size=(5, 5))
kept = rng.random((5, 5)) < 0.6
symmetric = np.where(kept & kept.T, square + square.T, 0.0)
skew = np.where(kept & kept.T, square - square.T, 0.0)
integers = sparse.coo_array(np.where(rng.random((6, 4)) < 0.5, rng.integers(-9, 10, size=(6, 4)), 0))
mtx("coordinate-real.mtx", sparse_real, comment=" a comment\n and a second line", precision=17)
mtx("coordinate-real.mtx.gz", sparse_real, precision=17)
mtx("coordinate-integer.mtx", integers)
mtx("coordinate-unsigned.mtx", abs(integers).astype("u4"))
mtx("coordinate-pattern.mtx", sparse_real, field="pattern")
mtx("coordinate-symmetric.mtx", sparse.coo_array(symmetric), symmetry="symmetric", precision=17)
mtx("coordinate-skew.mtx", sparse.coo_array(skew), symmetry="skew-symmetric", precision=17)
mtx("coordinate-pattern-symmetric.mtx", sparse.coo_array(symmetric), field="pattern", symmetry="symmetric")
mtx("array-real.mtx", dense, precision=17)
mtx("array-integer.mtx", rng.integers(-100, 100, size=(3, 5)))
mtx("array-symmetric.mtx", square + square.T, symmetry="symmetric", precision=17)
mtx("array-skew.mtx", square - square.T, symmetry="skew-symmetric", precision=17)
missing = dense.copy()
missing[2, 1] = missing[5, 3] = np.nan
mtx("array-nan.mtx", missing, precision=17)
# A listed 0 is an observed 0.
zeros = sparse.coo_array(([0.0, 2.0], ([1, 0], [1, 2])), shape=(2, 3))
mtx("coordinate-explicit-zero.mtx", zeros)
sio.mmwrite("refused-complex.mtx", sparse.coo_array(np.array([[1 + 2j, 0], [0, 3]])))
sio.mmwrite("refused-hermitian.mtx", np.array([[1, 2j], [-2j, 3]]), symmetry="hermitian")

# ---- What writeNpy must write: numpy's own bytes of arrays that a test can make again.

for name, dtype, shape in (
    ("f8-2d", "f8", (7, 3)),
    ("f4-2d", "f4", (7, 3)),
    ("f8-1d", "f8", (11,)),
    ("f4-large", "f4", (1000, 10)),
    ("f8-long-shape", "f8", (100000, 1)),
):
    # (i·7 mod 101 − 50) / 4 is the same number in either type.
    array = ((np.arange(np.prod(shape)) * 7 % 101 - 50) / 4).astype(dtype).reshape(shape)
    out = io.BytesIO()
    np.save(out, array)
    data = out.getvalue()
    expected["write"][name] = {
        "shape": list(shape),
        "dtype": dtype,
        "bytes": len(data),
        "head": data[:128].hex(),
        "sha256": hashlib.sha256(data).hexdigest(),
    }

with open("expected.json", "w") as file:
    json.dump(expected, file, indent=1)
    file.write("\n")
