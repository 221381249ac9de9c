"""One fit of a peer: a job as JSON on the command line, a line of JSON for each point of its curve on stdout.

Job: tool, folder, k, lambda, alpha, threads, steps (rising), out (prefix of factor files, absent: none are written),
text (a CSV to read in place of the raw arrays: the whole process is then what is timed from outside).
Seconds and processor seconds are of the call that fits; the evaluation of points is not in them.
"""
import ctypes
import json
import sys
import time

import numpy as np
import scipy.sparse as sp

job = json.loads(sys.argv[1])
k, threads, steps = job["k"], job["threads"], job["steps"]


def matrix():
    shape = json.load(open(f"{job['folder']}/shape.json"))
    if "text" in job:
        import pandas

        table = pandas.read_csv(job["text"], header=None, dtype={0: np.uint32, 1: np.uint32, 2: np.float32})
        rows, columns, values = (table[c].to_numpy() for c in range(3))
    else:
        rows, columns = (np.fromfile(f"{job['folder']}/train.{part}", np.uint32) for part in ("rows", "columns"))
        values = np.fromfile(f"{job['folder']}/train.values", np.float32)
    return sp.csr_matrix((values, (rows, columns)), shape=shape, dtype=np.float32)


spent = [0.0, 0.0]
began = None


def resume():
    global began
    began = (time.perf_counter(), time.process_time())


def pause():
    spent[0] += time.perf_counter() - began[0]
    spent[1] += time.process_time() - began[1]


def point(step, U, V):
    if "out" in job:
        np.ascontiguousarray(U, np.float32).tofile(f"{job['out']}.{step}.U")
        np.ascontiguousarray(V, np.float32).tofile(f"{job['out']}.{step}.V")
    print(json.dumps({"step": step, "seconds": spent[0], "cpuSeconds": spent[1]}), flush=True)


def implicit_als(A, use_cg):
    from implicit.cpu.als import AlternatingLeastSquares

    model = AlternatingLeastSquares(
        factors=k, regularization=job["lambda"], alpha=job["alpha"], dtype=np.float32, use_cg=use_cg,
        iterations=steps[-1], num_threads=threads, random_state=1,
    )

    def after(epoch, *_):
        pause()
        if epoch + 1 in steps:
            point(epoch + 1, model.user_factors, model.item_factors)
        resume()

    resume()
    model.fit(A, show_progress=False, callback=after)


def irspack_als(A, solver):
    from irspack.recommenders.ials import IALSTrainer, str_to_loss_type, str_to_solver_type

    # The values of A would weigh its entries; the objective of the paper, and ours, weighs all that is listed alike.
    listed = sp.csr_matrix((np.ones_like(A.data), A.indices, A.indptr), shape=A.shape)
    resume()
    trainer = IALSTrainer(
        listed, k, job["alpha"], job["lambda"], 1.0, 0.1, str_to_solver_type(solver), 3, min(64, k),
        str_to_loss_type("IALSPP"), 1, threads, 5, 7,
    )
    for step in range(1, steps[-1] + 1):
        trainer.run_epoch()
        pause()
        if step in steps:
            point(step, trainer.core_trainer.user, trainer.core_trainer.item)
        resume()


def cmfrec_als(A, is_implicit, use_cg):
    from cmfrec import CMF, CMF_implicit

    # Entries by column: 3.5.1 permutes those that are not.
    entries = A.tocsc().tocoo()
    for step in steps:
        common = dict(k=k, lambda_=job["lambda"], method="als", use_cg=use_cg, niter=step, nthreads=threads,
                      finalize_chol=False, use_float=True, verbose=False, random_state=1, precompute_for_predictions=False)
        if is_implicit:
            model = CMF_implicit(alpha=job["alpha"], **{name: value for name, value in common.items() if name != "method"})
        else:
            model = CMF(scale_lam=True, center=False, user_bias=False, item_bias=False, **common)
        spent[:] = [0.0, 0.0]
        resume()
        model.fit(entries)
        pause()
        point(step, model.A_, model.B_)


def libmf(A):
    """The library's own call, entries in memory to factors in memory, as the other tools' fits are."""
    from ctypes import POINTER, Structure, byref, c_bool, c_float, c_int, c_longlong, c_void_p

    class Problem(Structure):
        _fields_ = [("m", c_int), ("n", c_int), ("nnz", c_longlong), ("R", c_void_p)]

    class Parameter(Structure):
        _fields_ = (
            [(name, c_int) for name in ("fun", "k", "nr_threads", "nr_bins", "nr_iters")]
            + [(name, c_float) for name in ("lambda_p1", "lambda_p2", "lambda_q1", "lambda_q2", "eta", "alpha", "c")]
            + [(name, c_bool) for name in ("do_nmf", "quiet", "copy_data")]
        )

    library = ctypes.CDLL(job["library"])
    library.mf_get_default_param.restype = Parameter
    library.mf_train.argtypes = [POINTER(Problem), Parameter]
    library.mf_train.restype = c_void_p
    entries = A.tocoo()
    R = np.empty(A.nnz, dtype=[("u", np.int32), ("v", np.int32), ("r", np.float32)])
    R["u"], R["v"], R["r"] = entries.row, entries.col, entries.data
    given = library.mf_get_default_param()
    given.k, given.nr_threads, given.nr_iters, given.quiet = k, threads, steps[-1], True
    given.lambda_p2 = given.lambda_q2 = job["lambda"]
    # As mf-train sets it: the entries may be changed, since nobody needs them any more.
    given.copy_data = False
    resume()
    model = library.mf_train(byref(Problem(*A.shape, A.nnz, R.ctypes.data)), given)
    pause()
    assert model, "LIBMF has made no model"
    print(json.dumps({"step": steps[-1], "seconds": spent[0], "cpuSeconds": spent[1]}), flush=True)


tools = {
    "libmf": libmf,
    "implicit-cg": lambda A: implicit_als(A, True),
    "implicit-cholesky": lambda A: implicit_als(A, False),
    "irspack-cg": lambda A: irspack_als(A, "CG"),
    "irspack-cholesky": lambda A: irspack_als(A, "CHOLESKY"),
    "irspack-ialspp": lambda A: irspack_als(A, "IALSPP"),
    "cmfrec-cg": lambda A: cmfrec_als(A, job["kind"] == "implicit", True),
    "cmfrec-cholesky": lambda A: cmfrec_als(A, job["kind"] == "implicit", False),
}
tools[job["tool"]](matrix())
