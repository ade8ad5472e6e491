"""The peer of `npm run bench -- svd`: scipy.linalg.svd, one matrix after another, BLAS on the threads of its environment.

Protocol: one JSON line in per turn {"file": path, "rows": m, "columns": n, "dtype": "float32", "count": c}, where the file
holds c matrices, row-major; one JSON line out {"ms": for all of them, "cpuMs": ..., "first": singular values, ...}.
"""
import ctypes
import glob
import json
import os
import sys
import time

import numpy
import scipy
import scipy.linalg


def kernels():
    """What the OpenBLAS beside scipy says of itself."""
    root = os.path.join(os.path.dirname(os.path.dirname(scipy.__file__)), "scipy.libs")
    for path in glob.glob(os.path.join(root, "*openblas*")):
        get_config = ctypes.CDLL(path).scipy_openblas_get_config
        get_config.restype = ctypes.c_char_p
        return get_config().decode().strip()
    return "BLAS unknown"


loaded = {}
for line in sys.stdin:
    turn = json.loads(line)
    key = turn["file"]
    if key not in loaded:
        shape = (turn["count"], turn["rows"], turn["columns"])
        loaded = {key: numpy.fromfile(key, turn["dtype"]).reshape(shape)}
    first = []
    start, cpu = time.perf_counter(), time.process_time()
    for matrix in loaded[key]:
        _, s, _ = scipy.linalg.svd(matrix, full_matrices=False)
        first.append(float(s[0]))
    ms, cpu_ms = (time.perf_counter() - start) * 1e3, (time.process_time() - cpu) * 1e3
    answer = {"ms": ms, "cpuMs": cpu_ms, "first": first, "scipy": scipy.__version__, "kernels": kernels()}
    print(json.dumps(answer), flush=True)
