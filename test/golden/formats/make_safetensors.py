"""Makes the .safetensors of test/formats/safetensors.test.ts: python make_safetensors.py (safetensors 0.6, numpy 2)."""
import pathlib
import numpy as np
from safetensors.numpy import save_file

here = pathlib.Path(__file__).parent
for name, dtype in (("f4", np.float32), ("f8", np.float64)):
    rows = (np.arange(12, dtype=dtype) / 7 - 0.5).reshape(4, 3)
    columns = (np.arange(6, dtype=dtype) ** 2 / 3).reshape(2, 3)
    bias = np.array([0.1, -1e-30], dtype=dtype)
    tensors = {"rows": rows, "columns": columns, "column_bias": bias}
    save_file(tensors, here / f"{name}.safetensors", metadata={"labels": '["say \\"hi\\"", "line\\nbreak", "λ"]'})
