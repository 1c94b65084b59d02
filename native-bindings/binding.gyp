{
  "targets": [
    {
      "target_name": "corvid",
      "sources": [
        "src/addon.cc",
        "src/codec/assign.cc",
        "src/codec/codec.cc",
        "src/codec/corners.cc",
        "src/codec/decode.cc",
        "src/codec/draft.cc",
        "src/codec/eigen.cc",
        "src/codec/encode.cc",
        "src/codec/kmeans.cc",
        "src/codec/layout.cc",
        "src/codec/level.cc",
        "src/codec/partition.cc",
        "src/codec/query.cc",
        "src/codec/routing.cc",
        "src/codec/train.cc",
        "src/crc32c.cc",
        "src/dispatch.cc",
        "src/error.cc",
        "src/frame.cc",
        "src/gemm.cc",
        "src/kernels/avx2.cc",
        "src/kernels/avx512.cc",
        "src/kernels/cpu.cc",
        "src/kernels/neon.cc",
        "src/kernels/scalar.cc",
        "src/lock.cc",
        "src/map.cc",
        "src/napi/base.cc",
        "src/napi/bridge.cc",
        "src/napi/codec.cc",
        "src/napi/packed.cc",
        "src/napi/search.cc",
        "src/napi/segment.cc",
        "src/napi/segment_writer.cc",
        "src/napi/synthetic.cc",
        "src/search/exact.cc",
        "src/search/route.cc",
        "src/search/searcher.cc",
        "src/segment/query_cache.cc",
        "src/segment/row_filter.cc",
        "src/segment/rows.cc",
        "src/segment/scan.cc",
        "src/segment/segment.cc",
        "src/segment/segment_files.cc",
        "src/segment/segment_writer.cc",
        "src/segment/spill.cc",
        "src/segment/stop.cc",
        "src/segment/verify.cc",
        "src/synthetic/generator.cc",
        "src/synthetic/page_cache.cc",
        "src/synthetic/pool.cc",
        "src/synthetic/shape.cc",
        "src/synthetic/statistics.cc",
        "src/synthetic/truth.cc",
        "src/system_file.cc",
        "src/packed.cc",
        "src/threads.cc",
        "src/unit.cc"
      ],
      "include_dirs": ["<!@(node -p \"require('node-addon-api').include\")", "src"],
      "dependencies": ["<!(node -p \"require('node-addon-api').targets\"):node_addon_api_except"],
      "defines": ["NAPI_VERSION=8"],
      "cflags_cc": ["-std=c++17", "-O3", "-ffp-contract=off", "-fno-math-errno", "-fvisibility=hidden", "-Wall", "-Wextra"],
      "cflags_cc!": ["-std=gnu++17", "-std=gnu++20", "-fno-exceptions"],
      "conditions": [
        ["OS=='mac'", {
          "xcode_settings": {
            "CLANG_CXX_LANGUAGE_STANDARD": "c++17",
            "GCC_ENABLE_CPP_EXCEPTIONS": "YES",
            "MACOSX_DEPLOYMENT_TARGET": "11.0",
            "OTHER_CPLUSPLUSFLAGS": ["-O3", "-ffp-contract=off", "-fno-math-errno"]
          }
        }],
        ["OS=='win'", {
          "msvs_settings": { "VCCLCompilerTool": { "ExceptionHandling": 1, "AdditionalOptions": ["/std:c++17", "/O2", "/fp:precise"] } }
        }]
      ]
    }
  ]
}
