"""Runs RaBitQ's reference library for the peers bench: runner.ts describes its input and output."""

import json
import os
import sys
import time

import numpy as np
import rabitqlib

PROBES = [2, 4, 8, 16, 32, 64, 128]
LISTS = 1024


def read(vectors, dims):
    return np.fromfile(vectors["path"], np.float32).reshape(vectors["rows"], dims)


def k_means(train, count, rounds=10, seed=7):
    """Plain k-means: the library takes centroids and assignments from its caller."""
    random = np.random.default_rng(seed)
    centroids = train[random.choice(len(train), count, replace=False)].copy()
    for _ in range(rounds):
        assigned = nearest(train, centroids)
        for c in range(count):
            members = train[assigned == c]
            if len(members) > 0:
                centroids[c] = members.mean(0)
    return centroids


def nearest(rows, centroids):
    norms = (centroids**2).sum(1)
    parts = [
        np.argmax(2 * rows[i : i + 8192] @ centroids.T - norms, axis=1)
        for i in range(0, len(rows), 8192)
    ]
    return np.concatenate(parts).astype(np.uint32)


def per_second(run, queries, at_least=1.0):
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
    start = time.perf_counter()
    centroids = k_means(train, LISTS)
    index = rabitqlib.IvfIndex(dims, len(base), LISTS, int(task["index"]), "l2")
    index.build(base, centroids, nearest(base, centroids), threads)
    build_seconds = time.perf_counter() - start
    path = f"{task['folder']}/index.bin"
    index.save(path)
    fixed = centroids.nbytes
    bytes_per_vector = (os.path.getsize(path) - fixed) / len(base)
    few = queries[:200]
    for probes in PROBES:
        one = lambda: [index.search(few[i : i + 1], hits, probes) for i in range(len(few))]
        every = lambda: index.search(queries, hits, probes, num_threads=threads)
        single, batch = per_second(one, len(few)), per_second(every, len(queries))
        found = every()
        ids = next(part for part in found if np.issubdtype(np.asarray(part).dtype, np.integer))
        answers = f"{task['folder']}/{probes}.i32"
        np.asarray(ids).astype(np.int32).tofile(answers)
        line = {
            "effort": f"nprobe {probes}",
            "buildSeconds": build_seconds,
            "bytesPerVector": bytes_per_vector,
            "fixedBytes": fixed,
            "single": single,
            "batch": batch,
            "answers": answers,
        }
        print(json.dumps(line), flush=True)


main()
