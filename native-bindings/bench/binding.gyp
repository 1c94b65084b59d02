{
  "targets": [
    {
      "target_name": "corvid_bench",
      "sources": [
        "addon.cc",
        "synthetic/generator.cc",
        "synthetic/page_cache.cc",
        "synthetic/pool.cc",
        "synthetic/shape.cc",
        "synthetic/statistics.cc",
        "synthetic/truth.cc",
        "../src/base/error.cc",
        "../src/base/threads.cc",
        "../src/codec/format/normalize.cc",
        "../src/codec/format/panels.cc",
        "../src/linalg/eigen.cc",
        "../src/io/mapped_file.cc",
        "../src/napi/bridge.cc",
        "../src/search/ground_truth.cc",
        "../src/simd/aarch64/neon.cc",
        "../src/simd/dispatch.cc",
        "../src/simd/generic/crc32c.cc",
        "../src/simd/generic/gemm.cc",
        "../src/simd/generic/loops.cc",
        "../src/simd/generic/scalar.cc",
        "../src/simd/top_k.cc",
        "../src/simd/x86_64/amx.cc",
        "../src/simd/x86_64/avx2.cc",
        "../src/simd/x86_64/avx2_loops.cc",
        "../src/simd/x86_64/avx512.cc",
        "../src/simd/x86_64/avx512_loops.cc",
        "../src/simd/x86_64/cpu.cc",
        "../src/simd/x86_64/crc32c.cc"
      ],
      "includes": ["../flags.gypi"],
      "include_dirs": ["../src", ".."]
    }
  ]
}
