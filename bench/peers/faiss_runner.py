"""Runs one FAISS index for the peers bench: runner.ts describes its input and output."""

import json
import sys
import time

import faiss
import numpy as np

# Efforts: lists probed, or candidates of the graph.
PROBES = [1, 2, 4, 8, 16, 32, 64, 128]
CANDIDATES = [16, 32, 64, 128, 256]


def read(vectors, dims):
    return np.fromfile(vectors["path"], np.float32).reshape(vectors["rows"], dims)


def per_second(run, queries, at_least=1.0):
    """Median of three rates of run(); each repeats it for at least a third of `at_least` seconds."""
    rates = []
    for _ in range(3):
        start, done = time.perf_counter(), 0
        while time.perf_counter() - start < at_least / 3:
            run()
            done += queries
        rates.append(done / (time.perf_counter() - start))
    return sorted(rates)[1]


def main():
    task = json.load(open(sys.argv[1]))
    dims, threads, hits = task["dims"], task["threads"], task["hits"]
    train, base, queries = (read(task[name], dims) for name in ("train", "base", "queries"))
    faiss.omp_set_num_threads(threads)
    start = time.perf_counter()
    if task["index"] == "Flat":
        index = faiss.IndexFlatL2(dims)
    else:
        index = faiss.index_factory(dims, task["index"], faiss.METRIC_L2)
    index.train(train)
    fixed = len(faiss.serialize_index(index))
    index.add(base)
    build_seconds = time.perf_counter() - start
    total = len(faiss.serialize_index(index))
    graph = task["index"].startswith("HNSW")
    efforts = CANDIDATES if graph else [0] if task["index"] == "Flat" else PROBES
    few = queries[:200]
    for effort in efforts:
        name = "all"
        if graph:
            index.hnsw.efSearch = effort
            name = f"efSearch {effort}"
        elif effort > 0:
            faiss.ParameterSpace().set_index_parameter(index, "nprobe", effort)
            name = f"nprobe {effort}"
        faiss.omp_set_num_threads(1)
        single = per_second(lambda: [index.search(few[i : i + 1], hits) for i in range(len(few))], len(few))
        faiss.omp_set_num_threads(threads)
        batch = per_second(lambda: index.search(queries, hits), len(queries))
        _, found = index.search(queries, hits)
        path = f"{task['folder']}/{effort}.i32"
        found.astype(np.int32).tofile(path)
        line = {
            "effort": name,
            "buildSeconds": build_seconds,
            "bytesPerVector": (total - fixed) / len(base),
            "fixedBytes": fixed,
            "single": single,
            "batch": batch,
            "answers": path,
        }
        print(json.dumps(line), flush=True)


main()
