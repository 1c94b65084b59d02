// Every instruction set's kernels against the scalar reference.
//
// Invariants: scan_tables and scan_hamming give the same hits in the same order for every start,
// length, filter, threshold and capacity, however often they have to be called; the float kernels
// give the same bits; the loops of every level, the scalar one too, give the bits of
// loops_reference.h; the scalar fused multiply-add gives those of the C library; nothing is read or
// written outside of what simd/contract.h names (buffers end at a page that may not be touched,
// where the system has mmap).
//
// usage: kernels_test [seed]. Prints one TAP line per instruction set and kernel. The canaries,
// broken kernels, must be found out.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "loops_checks.h"
#include "memory.h"
#include "simd/contract.h"
#include "simd/generic/multiply_add.h"

using corvid::Fenced;
using corvid::fill_floats;
using corvid::generator;
using corvid::kBlockBytes;
using corvid::kBlockRows;
using corvid::Kernels;
using corvid::pick;
using corvid::ScanHit;
using corvid::ScanRange;

namespace {

// Calls a scan until it has consumed everything, with a small buffer that is emptied in between.
std::vector<ScanHit> drain(uint32_t rows, size_t capacity,
                           const std::function<uint32_t(uint32_t, ScanHit*, size_t*)>& scan) {
  std::vector<ScanHit> all, buffer(capacity);
  for (uint32_t done = 0; done < rows;) {
    size_t count = 0;
    const uint32_t consumed = scan(done, buffer.data(), &count);
    if (count > capacity || (consumed == 0 && count == 0)) return {{0xFFFFFFFFu, done}};
    for (size_t i = 0; i < count; ++i) all.push_back({buffer[i].sum, buffer[i].row + done});
    done += consumed;
  }
  return all;
}

bool same(const std::vector<ScanHit>& a, const std::vector<ScanHit>& b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i].sum != b[i].sum || a[i].row != b[i].row) return false;
  }
  return true;
}

bool scans_tables_alike(const Kernels& reference, const Kernels& tested) {
  for (int round = 0; round < 3000; ++round) {
    const uint64_t first = pick(200);
    const uint32_t rows = static_cast<uint32_t>(pick(300));
    const size_t blocks = (first + rows + kBlockRows - 1) / kBlockRows;
    const Fenced plane(blocks * kBlockBytes), filter(blocks * 4), tables(256);
    if (pick(8) == 0) std::memset(tables.data(), 255, 256);
    const bool filtered = pick(2) == 0;
    const uint32_t threshold = static_cast<uint32_t>(pick(3) == 0 ? pick(5000) : 1800 + pick(900));
    const size_t capacity = kBlockRows + pick(2) * pick(400);
    const auto run = [&](const Kernels& kernels, size_t room) {
      return drain(rows, room, [&](uint32_t done, ScanHit* hits, size_t* count) {
        const ScanRange range = {plane.data(), first + done, rows - done,
                                 filtered ? filter.data() : nullptr};
        return kernels.scan_tables(range, tables.data(), threshold, hits, room, count);
      });
    };
    if (!same(run(reference, 1024), run(tested, capacity))) return false;
  }
  return true;
}

bool scans_hamming_alike(const Kernels& reference, const Kernels& tested) {
  for (int round = 0; round < 2000; ++round) {
    const size_t stride = 8 * (1 + pick(16));
    const uint32_t rows = static_cast<uint32_t>(pick(150));
    const uint64_t first = pick(70);
    const Fenced codes(stride * rows), query(stride), filter((first + rows + 31) / 32 * 4);
    const bool filtered = pick(2) == 0;
    const uint32_t threshold = static_cast<uint32_t>(stride * 4 - 12 + pick(24));
    const auto run = [&](const Kernels& kernels, size_t room) {
      return drain(rows, room, [&](uint32_t done, ScanHit* hits, size_t* count) {
        return kernels.scan_hamming(codes.data() + done * stride, stride, first + done, rows - done,
                                    query.data(), threshold, filtered ? filter.data() : nullptr,
                                    hits, room, count);
      });
    };
    if (!same(run(reference, 512), run(tested, kBlockRows + pick(64)))) return false;
    std::vector<uint16_t> a(rows), b(rows);
    reference.hamming(codes.data(), stride, rows, query.data(), a.data());
    tested.hamming(codes.data(), stride, rows, query.data(), b.data());
    if (a != b) return false;
  }
  return true;
}

bool dots_alike(const Kernels& reference, const Kernels& tested) {
  for (size_t dims = 0; dims < 300; ++dims) {
    const Fenced a(dims * 4), b(dims * 4);
    fill_floats(a.as<float>(), dims);
    fill_floats(b.as<float>(), dims);
    const float float_pair[2] = {reference.dot(a.as<float>(), b.as<float>(), dims),
                                 tested.dot(a.as<float>(), b.as<float>(), dims)};
    if (std::memcmp(&float_pair[0], &float_pair[1], 4) != 0) return false;
  }
  return true;
}

bool multiplies_bytes_alike(const Kernels& reference, const Kernels& tested) {
  for (int round = 0; round < 300; ++round) {
    const size_t dims = round == 0 ? 4096 : pick(300), vectors = 1 + pick(9), rows = pick(40);
    const Fenced a(vectors * dims), b(rows * dims), x(vectors * rows * 4), y(vectors * rows * 4);
    // The first round has all bytes at their largest.
    const auto byte = [&] { return round == 0 ? -127 : static_cast<int>(pick(255)) - 127; };
    for (size_t i = 0; i < vectors * dims; ++i) a.as<int8_t>()[i] = static_cast<int8_t>(byte());
    for (size_t i = 0; i < rows * dims; ++i) b.as<int8_t>()[i] = static_cast<int8_t>(byte());
    reference.products_i8(a.as<int8_t>(), vectors, b.as<int8_t>(), rows, dims, x.as<int32_t>());
    tested.products_i8(a.as<int8_t>(), vectors, b.as<int8_t>(), rows, dims, y.as<int32_t>());
    if (std::memcmp(x.data(), y.data(), vectors * rows * 4) != 0) return false;
  }
  return true;
}

bool sums_trellises_alike(const Kernels& reference, const Kernels& tested) {
  for (int round = 0; round < 3000; ++round) {
    const size_t bits = 64 * (1 + pick(4));
    const Fenced code(bits / 8), z(bits * 2);
    for (size_t i = 0; i < bits; ++i) {
      z.as<int16_t>()[i] = static_cast<int16_t>(static_cast<int>(pick(65535)) - 32767);
    }
    if (reference.trellis_dot(code.data(), z.as<int16_t>(), bits) !=
        tested.trellis_dot(code.data(), z.as<int16_t>(), bits)) {
      return false;
    }
  }
  return true;
}

bool sums_codes_alike(const Kernels& reference, const Kernels& tested) {
  for (int round = 0; round < 500; ++round) {
    const Fenced codes(16 * corvid::kPlane64Bytes);
    const Fenced tables(corvid::kTables * corvid::kTableEntries * sizeof(float));
    const Fenced x(16 * sizeof(float)), y(16 * sizeof(float));
    for (size_t i = 0; i < corvid::kTables * corvid::kTableEntries; ++i) {
      tables.as<float>()[i] = static_cast<float>(static_cast<int>(pick(20000)) - 10000) / 777;
    }
    reference.sum_codes(codes.data(), tables.as<float>(), x.as<float>());
    tested.sum_codes(codes.data(), tables.as<float>(), y.as<float>());
    if (std::memcmp(x.data(), y.data(), 16 * sizeof(float)) != 0) return false;
  }
  return true;
}

bool multiplies_panels_alike(const Kernels& reference, const Kernels& tested) {
  for (int round = 0; round < 300; ++round) {
    // Every other depth fills whole registers and tiles.
    const size_t depth = round == 0 ? 4096 : round % 2 == 0 ? 4 * pick(70) : 64 * pick(9);
    const size_t rows = pick(70), panels = pick(11);
    const size_t vectors = panels * corvid::kPanelVectors;
    const Fenced a(rows * depth), b(vectors * depth), start(vectors * 4);
    const Fenced x(rows * vectors * 4), y(rows * vectors * 4);
    // The first round has all bytes at their largest.
    for (size_t i = 0; i < rows * depth; ++i) {
      a.data()[i] = static_cast<uint8_t>(round == 0 ? 127 : pick(128));
    }
    for (size_t i = 0; i < vectors * depth; ++i) {
      b.as<int8_t>()[i] =
          static_cast<int8_t>(round == 0 ? -127 : static_cast<int>(pick(255)) - 127);
    }
    for (size_t i = 0; i < vectors; ++i) {
      start.as<int32_t>()[i] = static_cast<int32_t>(pick(2000001)) - 1000000;
    }
    reference.panel_products(a.data(), rows, depth, b.as<int8_t>(), panels, start.as<int32_t>(),
                             x.as<int32_t>());
    tested.panel_products(a.data(), rows, depth, b.as<int8_t>(), panels, start.as<int32_t>(),
                          y.as<int32_t>());
    if (std::memcmp(x.data(), y.data(), rows * vectors * 4) != 0) return false;
  }
  return true;
}

// Floats of all kinds: normal, tiny and huge ones, subnormals, and ties once they are multiplied.
float any_float() {
  uint32_t bits = static_cast<uint32_t>(generator());
  if (pick(4) == 0) bits &= 0xFFFFF000u;
  if (pick(3) == 0) bits = (bits & 0x807FFFFFu) | static_cast<uint32_t>(120 + pick(14)) << 23;
  if (pick(16) == 0) bits &= 0x807FFFFFu;
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

bool same_float(float a, float b) {
  return std::memcmp(&a, &b, sizeof a) == 0 || (std::isnan(a) && std::isnan(b));
}

// Against the C library's, with sums that cancel, ties, subnormals, overflows and NaN among them.
bool fuses_exactly() {
  for (int round = 0; round < 1000000; ++round) {
    const float a = any_float(), b = any_float();
    float c = any_float();
    switch (pick(4)) {
      case 0:  // cancels all but what the product has beyond a float
        c = -(a * b);
        break;
      case 1:  // a tie, or nearly: c is so much larger that the product is about half its last bit
        c = std::ldexp(a * b, static_cast<int>(22 + pick(5))) * (pick(2) == 0 ? -1.0f : 1.0f);
        break;
      case 2: {  // an exact tie that the product's last bits break
        const float last = std::ldexp(1.0f, static_cast<int>(pick(40)) - 20);
        const float x = last * (pick(2) == 0 ? 0.5f : -0.5f), y = 1 + std::ldexp(1.0f, -23);
        const float large = last * static_cast<float>((1u << 23) + pick(1u << 23));
        if (!same_float(std::fmaf(x, y, large), corvid::multiply_add(x, y, large))) return false;
        if (!same_float(std::fmaf(x, 1, large), corvid::multiply_add(x, 1, large))) return false;
        break;
      }
      default:
        break;
    }
    if (!same_float(std::fmaf(a, b, c), corvid::multiply_add(a, b, c))) return false;
  }
  return true;
}

// The contract of gemm_nt word for word, for one element.
float element_of(size_t k, const float* a, const float* b, const float* c, bool in_whole_tile) {
  float sum = c == nullptr ? 0 : *c;
  if (k == 0) return sum;
  for (size_t first = 0; first < k; first += corvid::kGemmDepth) {
    const bool added_to = first > 0 || c != nullptr;
    float chain = in_whole_tile ? sum : 0;
    for (size_t d = first; d < k && d < first + corvid::kGemmDepth; ++d) {
      chain = std::fmaf(a[d], b[d], chain);
    }
    sum = in_whole_tile || !added_to ? chain : sum + chain;
  }
  return sum;
}

// Rows of all three matrices lie farther apart than they are long; what lies between rows of C must
// not change.
bool multiplies_matrices_alike(const Kernels& tested) {
  for (int round = 0; round < 60; ++round) {
    // Shapes with and without whole tiles, and past the blocks of a packed panel.
    const size_t m = 1 + pick(round % 7 == 0 ? 420 : 60), n = 1 + pick(round % 9 == 0 ? 600 : 120);
    const size_t k = pick(round % 4 == 0 ? 700 : 90);
    const size_t lda = k + pick(5), ldb = k + pick(5), ldc = n + pick(5);
    const Fenced a((m - 1) * lda * 4 + k * 4), b((n - 1) * ldb * 4 + k * 4);
    const size_t c_size = (m - 1) * ldc + n;
    const Fenced c(c_size * 4), d(c_size * 4);
    fill_floats(a.as<float>(), (m - 1) * lda + k);
    fill_floats(b.as<float>(), (n - 1) * ldb + k);
    fill_floats(c.as<float>(), c_size);
    std::memcpy(d.data(), c.data(), c_size * 4);
    const bool accumulate = round % 2 == 0;
    const size_t whole_rows = m / corvid::kGemmRows * corvid::kGemmRows;
    const size_t whole_columns = n / corvid::kGemmColumns * corvid::kGemmColumns;
    for (size_t i = 0; i < m; ++i) {
      for (size_t j = 0; j < n; ++j) {
        float* const element = c.as<float>() + i * ldc + j;
        *element = element_of(k, a.as<float>() + i * lda, b.as<float>() + j * ldb,
                              accumulate ? element : nullptr, i < whole_rows && j < whole_columns);
      }
    }
    tested.gemm_nt(m, n, k, a.as<float>(), lda, b.as<float>(), ldb, d.as<float>(), ldc, accumulate);
    if (std::memcmp(c.data(), d.data(), c_size * 4) != 0) return false;
  }
  return true;
}

// Checksums of all lengths and alignments, continued from any state.
bool checksums_alike(const Kernels& reference, const Kernels& tested) {
  std::vector<uint8_t> data(1000);
  for (size_t i = 0; i < data.size(); ++i) data[i] = static_cast<uint8_t>(i * 131 + i / 7);
  for (size_t first = 0; first < 16; ++first) {
    for (size_t bytes = 0; bytes < data.size() - first; bytes += bytes < 40 ? 1 : 97) {
      const uint32_t state = static_cast<uint32_t>(0x9E3779B9u * (bytes + first));
      const uint8_t* at = data.data() + first;
      if (reference.crc32c(at, bytes, state) != tested.crc32c(at, bytes, state)) return false;
    }
  }
  // RFC 3720, appendix B.4: 32 bytes of zeros.
  const uint8_t zeros[32] = {};
  return ~tested.crc32c(zeros, sizeof zeros, ~uint32_t{0}) == 0x8A9136AAu;
}

bool converts_halves_alike(const Kernels& reference, const Kernels& tested) {
  std::vector<uint16_t> halves(65536), back_a(65536), back_b(65536);
  std::vector<float> a(65536), b(65536);
  for (size_t i = 0; i < halves.size(); ++i) halves[i] = static_cast<uint16_t>(i);
  reference.half_to_float(halves.data(), a.data(), a.size());
  tested.half_to_float(halves.data(), b.data(), b.size());
  if (std::memcmp(a.data(), b.data(), a.size() * 4) != 0) return false;
  for (int round = 0; round < 40; ++round) {
    for (float& value : a) {
      const uint32_t word = static_cast<uint32_t>(generator());
      std::memcpy(&value, &word, 4);
      if (round % 2 == 0)
        value = std::ldexp(static_cast<float>(pick(1u << 24)), -24 - int(pick(16)));
    }
    const size_t count = a.size() - pick(40);
    reference.float_to_half(a.data(), back_a.data(), count);
    tested.float_to_half(a.data(), back_b.data(), count);
    if (std::memcmp(back_a.data(), back_b.data(), count * 2) != 0) return false;
  }
  return true;
}

// The canary: loses the last row of every range, as a wrong tail mask would.
uint32_t broken_scan(const ScanRange& range, const uint8_t* tables, uint32_t threshold,
                     ScanHit* hits, size_t capacity, size_t* count) {
  ScanRange shorter = range;
  if (shorter.rows > 0) --shorter.rows;
  const uint32_t consumed = corvid::kernels_named("scalar")->scan_tables(shorter, tables, threshold,
                                                                         hits, capacity, count);
  return consumed == shorter.rows ? range.rows : consumed;
}

// A canary of the loops: forgets the last row of a column.
void broken_targets(const float* y, const float* coded, float inverse, size_t count,
                    float* targets) {
  corvid::kernels_named("scalar")->loops->residual_targets(y, coded, inverse, count - 1, targets);
}

}  // namespace

int main(int argc, char** argv) {
  const uint64_t seed = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : std::random_device{}();
  generator.seed(seed);
  std::printf("TAP version 14\n# seed %llu\n", static_cast<unsigned long long>(seed));
  const Kernels& scalar = *corvid::kernels_named("scalar");
  int number = 0, failed = 0;
  const auto report = [&](bool ok, const std::string& name) {
    failed += ok ? 0 : 1;
    std::printf("%sok %d - %s\n", ok ? "" : "not ", ++number, name.c_str());
  };
  report(fuses_exactly(), "scalar: the fused multiply-add");
  report(multiplies_matrices_alike(scalar), "scalar: gemm_nt");
  for (const corvid::LoopsCheck& check : corvid::kLoopsChecks) {
    report(check.run(*scalar.loops), std::string("scalar: ") + check.name);
  }
  for (const char* name : {"avx2", "avx512", "amx", "neon"}) {
    const Kernels* tested = corvid::kernels_named(name);
    if (tested == nullptr) {
      std::printf("ok %d - %s # SKIP this machine or build has none\n", ++number, name);
      continue;
    }
    const std::string prefix = std::string(name) + ": ";
    report(scans_tables_alike(scalar, *tested), prefix + "scan_tables");
    report(scans_hamming_alike(scalar, *tested), prefix + "hamming, scan_hamming");
    report(dots_alike(scalar, *tested), prefix + "dot");
    report(multiplies_bytes_alike(scalar, *tested), prefix + "products_i8");
    report(sums_trellises_alike(scalar, *tested), prefix + "trellis_dot");
    report(sums_codes_alike(scalar, *tested), prefix + "sum_codes");
    report(multiplies_panels_alike(scalar, *tested), prefix + "panel_products");
    report(multiplies_matrices_alike(*tested), prefix + "gemm_nt");
    report(converts_halves_alike(scalar, *tested), prefix + "half_to_float, float_to_half");
    report(checksums_alike(scalar, *tested), prefix + "crc32c");
    for (const corvid::LoopsCheck& check : corvid::kLoopsChecks) {
      report(check.run(*tested->loops), prefix + check.name);
    }
  }
  Kernels broken = scalar;
  broken.scan_tables = broken_scan;
  report(!scans_tables_alike(scalar, broken), "the canary is found out");
  corvid::Loops broken_loops = *scalar.loops;
  broken_loops.residual_targets = broken_targets;
  report(!corvid::encodes_residuals_alike(broken_loops), "the canary of the loops is found out");
  std::printf("1..%d\n", number);
  return failed == 0 ? 0 : 1;
}
