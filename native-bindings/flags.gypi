{
  "include_dirs": ["<!@(node -p \"require('node-addon-api').include\")"],
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
