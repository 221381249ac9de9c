"""Writes the golden files of columnar and compressed formats with scipy, pandas, pyarrow and DuckDB, and what they hold as columns.json.

Run: python columns.py (numpy, scipy, pandas, pyarrow, duckdb). The files are committed; tests read them and never run this.
"""

import io
import json
import os
import zipfile
from decimal import Decimal

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import scipy
from scipy import sparse

os.chdir(os.path.dirname(os.path.abspath(__file__)))
rng = np.random.default_rng(20240607)
expected = {
    "numpy": np.__version__,
    "scipy": scipy.__version__,
    "pandas": pd.__version__,
    "pyarrow": pa.__version__,
    "duckdb": duckdb.__version__,
    "entries": {},
    "tables": {},
    "npz": {},
}

# ---- entries row, column, value

users = ["ann", "say \"hi\", bob", "line\nbreak", "λ", "007", "ann", "日本"]
# Beyond 2^53 two neighbours are one number in float64.
items = [1, 2**53, 2**53 + 1, -(2**63), 2**63 - 1, 2**53 + 1, 7]
ratings = [1.5, -2.0, 1e-310, 1.7976931348623157e308, -0.0, 3.0, 0.1]


def plain(number):
    return "-0" if number == 0 and np.signbit(number) else number


wanted = [[u, str(i), plain(r)] for u, i, r in zip(users, items, ratings)]
frame = pd.DataFrame({"user": users, "item": np.array(items, dtype="i8"), "rating": ratings})
table = pa.Table.from_pandas(frame, preserve_index=False)


def entries(name, holds=wanted):
    expected["entries"][name] = holds


for codec in ("none", "snappy", "gzip", "brotli", "zstd", "lz4"):
    pq.write_table(table, f"{codec}.parquet", compression=codec, row_group_size=3)
    entries(f"{codec}.parquet")
pq.write_table(table, "v2-pages.parquet", data_page_version="2.0", compression="zstd", use_dictionary=False)
entries("v2-pages.parquet")
pq.write_table(
    table,
    "delta.parquet",
    use_dictionary=False,
    column_encoding={"user": "DELTA_BYTE_ARRAY", "item": "DELTA_BINARY_PACKED", "rating": "BYTE_STREAM_SPLIT"},
)
entries("delta.parquet")
frame.assign(user=frame.user.astype("category")).to_parquet("category.parquet", index=False)
entries("category.parquet")
duckdb.sql("copy (select * from frame) to 'duckdb.parquet' (format parquet)")
entries("duckdb.parquet")
for codec in ("uncompressed", "lz4", "zstd"):
    feather.write_feather(frame, f"{codec}.feather", compression=codec)
    entries(f"{codec}.feather")
feather.write_feather(frame.assign(user=frame.user.astype("category")), "category.feather", compression="lz4")
entries("category.feather")
with pa.ipc.new_stream("stream.arrows", table.schema) as writer:
    for batch in table.to_batches(max_chunksize=3):
        writer.write_batch(batch)
entries("stream.arrows")
large = pa.schema([("user", pa.large_string()), ("item", pa.int64()), ("rating", pa.float64())])
with pa.ipc.new_file("large-strings.arrow", large) as writer:
    writer.write_table(table.cast(large))
entries("large-strings.arrow")
with open("lines.jsonl", "w", encoding="utf8") as file:
    for user, item, rating in zip(users, items, ratings):
        file.write(json.dumps({"user": user, "item": item, "rating": rating}) + "\n")
entries("lines.jsonl")

# Decimals: ids of databases, beyond what a double tells apart, and prices.
ids = [Decimal(f"9007199254740993000.0{i}") for i in range(1, 5)] + [Decimal(7), Decimal("-0.5"), Decimal("-9007199254740993000.01")]
prices = [Decimal(i) / 10 for i in range(1, 8)]
decimals = pa.table(
    {
        "id": pa.array(ids, type=pa.decimal128(30, 2)),
        "item": pa.array([Decimal(10**20 + i) for i in range(7)], type=pa.decimal128(38, 0)),
        "price": pa.array(prices, type=pa.decimal128(9, 2)),
    }
)
held = [
    [f"{id.normalize():f}", str(10**20 + i), float(price)] for i, (id, price) in enumerate(zip(ids, prices))
]
pq.write_table(decimals, "decimal.parquet")
entries("decimal.parquet", held)
with pa.ipc.new_file("decimal.arrow", decimals.schema) as writer:
    writer.write_table(decimals)
entries("decimal.arrow", held)

# Buffers of many LZ4 blocks, each reaching back into the one before; the test knows the rule.
steps = np.arange(12_000)
long = pa.table({"user": [f"user-{i % 97}" for i in steps], "item": steps // 300, "rating": (steps % 7) / 2})
feather.write_feather(long, "long.feather", compression="lz4", chunksize=12_000)

# Kinds of labels: dates, times, unsigned, booleans, floats; values of every kind of number.
kinds = pa.table(
    {
        "day": pa.array([0, 19782, -1], pa.int32()).cast(pa.date32()),
        "time": pa.array([0, 1, 1_700_000_000_123_456_789], pa.timestamp("ns")),
        "value": pa.array([1, 2, 3], pa.uint8()),
    }
)
kinds_hold = [
    ["1970-01-01", "1970-01-01", 1],
    ["2024-02-29", "1970-01-01T00:00:00.000000001Z", 2],
    ["1969-12-31", "2023-11-14T22:13:20.123456789Z", 3],
]
pq.write_table(kinds, "times.parquet", version="2.6")
entries("times.parquet", kinds_hold)
feather.write_feather(kinds, "times.feather", compression="uncompressed")
entries("times.feather", kinds_hold)
more = pa.table(
    {
        "unsigned": pa.array([2**64 - 1, 0], pa.uint64()),
        "flag": pa.array([True, False]),
        "value": pa.array([pa.scalar(1.25).as_py(), -2.5]).cast(pa.decimal128(10, 3)),
    }
)
more_hold = [[str(2**64 - 1), "true", 1.25], ["0", "false", -2.5]]
pq.write_table(more, "kinds.parquet")
entries("kinds.parquet", more_hold)
feather.write_feather(more, "kinds.feather", compression="uncompressed")
entries("kinds.feather", more_hold)

# ---- dense tables

dense = pd.DataFrame(
    {"x": [1.5, np.nan, 3.0], "y,z": [4.0, 5.0, np.nan], "\"": [7, 8, 9]},
    index=pd.Index(["a", "line\nbreak", "c"], name="sample"),
)
dense_hold = {
    "rows": ["a", "line\nbreak", "c"],
    "columns": ["x", "y,z", "\""],
    "values": [1.5, 4, 7, None, 5, 8, 3, None, 9],
}
# pandas puts the index last, and says which it is.
dense.to_parquet("table-pandas.parquet")
expected["tables"]["table-pandas.parquet"] = dense_hold
plain_dense = pa.Table.from_pandas(dense.reset_index(), preserve_index=False).replace_schema_metadata(None)
pq.write_table(plain_dense, "table.parquet")
expected["tables"]["table.parquet"] = dense_hold
feather.write_feather(plain_dense, "table.feather", compression="lz4")
expected["tables"]["table.feather"] = dense_hold

# ---- .npz

matrix = sparse.coo_matrix(
    (np.array([1.5, -2, 0, 4, 5e-324]), (np.array([0, 2, 3, 3, 1]), np.array([4, 0, 1, 4, 2]))), shape=(5, 6)
)
holds = sorted([int(i), int(j), float(x)] for i, j, x in zip(matrix.row, matrix.col, matrix.data))


def npz(name, shape=(5, 6), entries=holds):
    expected["npz"][name] = {"shape": list(shape), "entries": entries}


for kind in ("csr", "csc", "coo"):
    sparse.save_npz(f"{kind}.npz", matrix.asformat(kind))
    npz(f"{kind}.npz")
sparse.save_npz("stored.npz", matrix.tocsr(), compressed=False)
npz("stored.npz")
sparse.save_npz("array.npz", sparse.csr_array(matrix))
npz("array.npz")
wide = matrix.tocsr()
wide.indices = wide.indices.astype("i8")
wide.indptr = wide.indptr.astype("i8")
wide.data = wide.data.astype("f4")
sparse.save_npz("wide-indices.npz", wide)
npz("wide-indices.npz", entries=[[i, j, float(np.float32(x))] for i, j, x in holds])
np.savez("triples.npz", row=matrix.row, col=matrix.col, data=matrix.data)
npz("triples.npz", shape=(4, 5))
np.savez_compressed("dense.npz", np.asfortranarray([[1, 2, 3], [4, 5, 6.5]]))
npz("dense.npz", shape=(2, 3), entries=[[0, 0, 1], [0, 1, 2], [0, 2, 3], [1, 0, 4], [1, 1, 5], [1, 2, 6.5]])
sparse.save_npz("refused-bsr.npz", sparse.bsr_matrix(np.eye(4)))
np.savez("refused-pickled.npz", np.array([{"a": 1}, None], dtype=object))
np.savez("refused-two.npz", a=np.eye(2), b=np.eye(2))

# ---- what is not taken

pq.write_table(pa.table({"u": ["a"], "i": ["b"], "r": pa.array([[1.0]])}), "refused-nested.parquet")
pq.write_table(pa.table({"u": ["a", "a"], "i": ["b", "c"], "r": pa.array([1.0, None])}), "refused-null.parquet")
pq.write_table(pa.table({"u": ["a", "a"], "i": ["b", "c"], "r": pa.array([1.0, np.nan])}), "refused-nan.parquet")
pq.write_table(pa.table({"u": ["a", None], "i": ["b", "c"], "r": [1.0, 2.0]}), "refused-label.parquet")
pq.write_table(
    pa.Table.from_arrays([pa.array(["a"]), pa.array(["b"]), pa.array([1.0])], names=["u", "u", "r"]), "refused-names.parquet"
)
feather.write_feather(pa.table({"u": ["a", "a"], "i": ["b", "c"], "r": pa.array([1.0, None])}), "refused-null.feather")
feather.write_feather(pa.table({"u": ["a"], "i": ["b"], "r": pa.array([[1.0]])}), "refused-nested.feather")
feather.write_feather(frame[["item", "rating"]], "refused-old.feather", version=1)

# ---- archives that lie


def archive(name, header, data=b"", method=zipfile.ZIP_DEFLATED):
    """An array "arr_0" of which the header says what it likes."""
    text = (header + " " * 64)[: 128 - 11] + "\n"
    member = b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode() + data
    with zipfile.ZipFile(name, "w", method) as file:
        file.writestr(zipfile.ZipInfo("arr_0.npy"), member, compress_type=method)


archive("refused-announces.npz", "{'descr': '<f8', 'fortran_order': False, 'shape': (1000000, 1000000), }", bytes(64))
# 8 MiB of zeros in 8 kB, announced as 640 bytes in the directory.
archive("bomb.npz", "{'descr': '<f8', 'fortran_order': False, 'shape': (64, 1), }", bytes(2**23))
data = bytearray(open("bomb.npz", "rb").read())
at = data.rfind(b"PK\x01\x02")
data[at + 24 : at + 28] = (128 + 64 * 8).to_bytes(4, "little")
open("refused-bomb.npz", "wb").write(bytes(data))
os.remove("bomb.npz")

with open("columns.json", "w", encoding="utf8") as file:
    json.dump(expected, file, indent=1, ensure_ascii=False)
    file.write("\n")
