// Times the kernels of every instruction set of this machine, and checks their results.
//
// usage: kernels_bench [bytes to stream] [threads]
//
// There are two parts. `cache` repeats each kernel on 32 KiB, or on a few matrices. `memory`
// streams a buffer far larger than any cache, and times a plain read of the same bytes for
// comparison. The hits of every scan and every float result are compared with those of the scalar
// kernels; a difference ends the run. Prints one JSON object per line, and never while a timing is
// running.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "bench/parallel_gemm.h"
#include "simd/contract.h"

using corvid::kBlockBytes;
using corvid::kBlockRows;
using corvid::Kernels;
using corvid::kPlane64Bytes;
using corvid::ScanHit;
using corvid::ScanRange;

namespace {

constexpr size_t kCacheBytes = 32768;
constexpr size_t kHits = 2048;

double seconds_now() {
  using clock = std::chrono::steady_clock;
  return std::chrono::duration<double>(clock::now().time_since_epoch()).count();
}

struct Timing {
  double best_s, median_s;
};

Timing summary(std::vector<double> times_s) {
  std::sort(times_s.begin(), times_s.end());
  return {times_s.front(), times_s[times_s.size() / 2]};
}

// Seconds of one call, from batches of at least 50 µs over a quarter of a second. Batches are short
// so that some of them run undisturbed on a busy machine.
Timing time_calls(const std::function<void()>& call) {
  size_t batch = 1;
  for (;; batch *= 2) {
    const double start = seconds_now();
    for (size_t i = 0; i < batch; ++i) call();
    if (seconds_now() - start > 50e-6) break;
  }
  std::vector<double> times_s;
  const double end = seconds_now() + 0.25;
  for (double start = seconds_now(); start < end || times_s.size() < 5;) {
    for (size_t i = 0; i < batch; ++i) call();
    const double now = seconds_now();
    times_s.push_back((now - start) / static_cast<double>(batch));
    start = now;
  }
  return summary(times_s);
}

// Prints the time per unit in nanoseconds, and the bytes read per second. `units` and `bytes` are
// those of one timed call; `unit` is the unit's name.
void report(const char* part, const char* level, const char* kernel, const std::string& name,
            size_t threads, const Timing& timing, double units, const char* unit, double bytes) {
  std::printf(
      "{\"part\":\"%s\",\"level\":\"%s\",\"kernel\":\"%s\",\"case\":\"%s\",\"threads\":%zu,"
      "\"unit\":\"%s\",\"bestNs\":%.6g,\"medianNs\":%.6g,\"gigabytesPerSecond\":%.6g}\n",
      part, level, kernel, name.c_str(), threads, unit, timing.best_s * 1e9 / units,
      timing.median_s * 1e9 / units, bytes / timing.best_s / 1e9);
  std::fflush(stdout);
}

void expect(bool equal, const char* level, const char* kernel) {
  if (equal) return;
  std::fprintf(stderr, "%s of %s differs from the scalar kernel\n", kernel, level);
  std::exit(1);
}

// Memory aligned to a cache line, filled with random bytes from a fixed seed.
class Buffer {
 public:
  explicit Buffer(size_t bytes) : memory_(new uint8_t[bytes + 64]), bytes_(bytes) {
    uint64_t state = 0x9E3779B97F4A7C15u;  // xorshift64 (Marsaglia, 2003)
    for (size_t at = 0; at + 8 <= bytes; at += 8) {
      state ^= state << 13;
      state ^= state >> 7;
      state ^= state << 17;
      std::memcpy(data() + at, &state, 8);
    }
  }
  uint8_t* data() const {
    return reinterpret_cast<uint8_t*>((reinterpret_cast<uintptr_t>(memory_.get()) + 63) / 64 * 64);
  }
  size_t bytes() const { return bytes_; }

 private:
  std::unique_ptr<uint8_t[]> memory_;
  size_t bytes_;
};

// A digest of a scan's hits: equal for equal hits in the same order.
struct Found {
  uint64_t hits = 0, digest = 0;
  void add(const ScanHit* found, size_t count, uint64_t first_row) {
    hits += count;
    for (size_t i = 0; i < count; ++i) {
      digest = digest * 1099511628211u + (first_row + found[i].row) * 4099 + found[i].sum;
    }
  }
  bool operator==(const Found& other) const { return hits == other.hits && digest == other.digest; }
};

// A scan kernel with its arguments bound, over rows [first_row, first_row + rows). Returns the rows
// consumed: fewer than `rows` if the buffer of `capacity` hits became full.
using Scan = std::function<uint32_t(uint64_t first_row, uint32_t rows, ScanHit* hits,
                                    size_t capacity, size_t* count)>;

// Scans all rows, as a search does: with a small buffer of hits, emptied whenever it is full.
// `digest`: whether to compute the digest.
Found drain(const Scan& scan, uint64_t first_row, uint64_t rows, bool digest) {
  ScanHit hits[kHits];
  Found found;
  for (uint64_t done = 0; done < rows;) {
    size_t count = 0;
    const auto some = static_cast<uint32_t>(std::min<uint64_t>(rows - done, uint64_t{1} << 30));
    const uint32_t consumed = scan(first_row + done, some, hits, kHits, &count);
    if (digest) found.add(hits, count, first_row + done);
    done += consumed;
  }
  return found;
}

Scan table_scan(const Kernels& kernels, const uint8_t* plane, const uint8_t* tables,
                uint32_t threshold, const uint8_t* filter) {
  return [=, &kernels](uint64_t first_row, uint32_t rows, ScanHit* hits, size_t capacity,
                       size_t* count) {
    const ScanRange range = {plane, first_row, rows, filter};
    return kernels.scan_tables(range, tables, threshold, hits, capacity, count);
  };
}

Scan hamming_scan(const Kernels& kernels, const uint8_t* codes, size_t stride, const uint8_t* query,
                  uint32_t threshold) {
  return [=, &kernels](uint64_t first_row, uint32_t rows, ScanHit* hits, size_t capacity,
                       size_t* count) {
    return kernels.scan_hamming(codes + first_row * stride, stride, first_row, rows, query,
                                threshold, nullptr, hits, capacity, count);
  };
}

// Thresholds that one in a thousand, or one in ten, of the rows pass for random codes and tables.
constexpr uint32_t kRareSum = 2800, kFrequentSum = 2420;
uint32_t rare_distance(size_t stride) { return static_cast<uint32_t>(stride * 3); }

void bench_scans_in_cache(const Kernels& scalar, const Kernels& kernels, const Buffer& codes,
                          const Buffer& tables) {
  const uint64_t all_rows = codes.bytes() / kPlane64Bytes;
  const std::vector<uint8_t> half(all_rows / 8, 0x55);
  const auto scan = [&](const std::string& name, uint64_t rows, uint32_t threshold,
                        const uint8_t* filter) {
    const Scan tested = table_scan(kernels, codes.data(), tables.data(), threshold, filter);
    const Scan reference = table_scan(scalar, codes.data(), tables.data(), threshold, filter);
    // Starts in the middle of a block, as lists do.
    constexpr uint64_t kFirst = 5;
    expect(drain(tested, kFirst, rows, true) == drain(reference, kFirst, rows, true), kernels.name,
           "scan_tables");
    const Timing timing = time_calls([&] { drain(tested, kFirst, rows, false); });
    report("cache", kernels.name, "scan_tables", name, 1, timing, double(rows), "row",
           double(rows * kPlane64Bytes));
  };
  for (const uint64_t rows : {20, 50, 100, 1000}) {
    scan("list of " + std::to_string(rows), rows, kRareSum, nullptr);
  }
  const uint64_t rows = all_rows - kBlockRows;
  scan(std::to_string(rows) + " rows, few hits", rows, kRareSum, nullptr);
  scan(std::to_string(rows) + " rows, half filtered out", rows, kRareSum, half.data());
  scan(std::to_string(rows) + " rows, every tenth a hit", rows, kFrequentSum, nullptr);
  scan(std::to_string(rows) + " rows, all hits", rows, 0, nullptr);
  for (const size_t stride : {8, 16, 32, 64, 96, 128}) {
    const uint64_t count = codes.bytes() / stride;
    const uint32_t threshold = rare_distance(stride);
    const Scan tested = hamming_scan(kernels, codes.data(), stride, tables.data(), threshold);
    const Scan reference = hamming_scan(scalar, codes.data(), stride, tables.data(), threshold);
    expect(drain(tested, 0, count, true) == drain(reference, 0, count, true), kernels.name,
           "scan_hamming");
    const Timing timing = time_calls([&] { drain(tested, 0, count, false); });
    report("cache", kernels.name, "scan_hamming", std::to_string(stride * 8) + " bits", 1, timing,
           double(count), "row", double(codes.bytes()));
  }
}

std::vector<float> random_floats(size_t count) {
  const Buffer bytes(count * 4);
  std::vector<float> values(count);
  for (size_t i = 0; i < count; ++i) {
    int32_t word;
    std::memcpy(&word, bytes.data() + 4 * i, 4);
    values[i] = static_cast<float>(word) / 2147483648.0f;
  }
  return values;
}

void bench_floats(const Kernels& scalar, const Kernels& kernels, size_t threads) {
  constexpr size_t kDims = 512, kRows = 1024;
  const std::vector<float> a = random_floats(kRows * kDims), b = random_floats(kRows * kDims);
  std::vector<float> c(kRows * kRows);
  const auto line = [&](const char* kernel, const char* name, const Timing& timing, double units,
                        const char* unit, double read_bytes) {
    report("cache", kernels.name, kernel, name, 1, timing, units, unit, read_bytes);
  };

  float product = 0;
  const float expected = scalar.dot(a.data(), b.data(), kDims);
  const Timing dot = time_calls([&] { product = kernels.dot(a.data(), b.data(), kDims); });
  expect(product == expected, kernels.name, "dot");
  line("dot", "512", dot, 1, "call", kDims * 8);
  const Timing gemm = time_calls([&] {
    kernels.gemm_nt(kRows, kRows, kDims, a.data(), kDims, b.data(), kDims, c.data(), kRows, false);
  });
  const float entry = scalar.dot(a.data() + 77 * kDims, b.data() + 900 * kDims, kDims);
  expect(std::abs(c[77 * kRows + 900] - entry) < 1e-3f, kernels.name, "gemm_nt");
  constexpr double kGigaflop = 2e-9 * kRows * kRows * kDims;
  line("gemm_nt", "1024 x 1024 x 512", gemm, kGigaflop, "GFLOP", 0);
  if (&kernels != &corvid::kernels()) return;
  const Timing shared = time_calls([&] {
    corvid::parallel_gemm_nt(threads, kRows, kRows, kDims, a.data(), kDims, b.data(), kDims,
                             c.data(), kRows, false);
  });
  report("cache", kernels.name, "gemm_nt", "1024 x 1024 x 512", threads, shared, kGigaflop, "GFLOP",
         0);
}

uint64_t plain_read(const uint8_t* from, size_t bytes) {
  uint64_t sums[16] = {};
  for (size_t at = 0; at + sizeof sums <= bytes; at += sizeof sums) {
    uint64_t words[16];
    std::memcpy(words, from + at, sizeof words);
    for (size_t i = 0; i < 16; ++i) sums[i] ^= words[i];
  }
  uint64_t sum = 0;
  for (const uint64_t part : sums) sum ^= part;
  return sum;
}

// One way to stream the buffer with `threads` threads, and the times of its passes.
struct Stream {
  const char *level, *kernel;
  std::string name;
  size_t row_bytes, threads;
  uint64_t rows;                                           // of one thread's part of the buffer
  uint64_t scanned_rows;                                   // by one thread in one pass
  std::function<void(uint64_t first, uint64_t rows)> run;  // over rows [first, first + rows)
  std::vector<double> times_s = {};
};

// The streams to time with `threads` threads, each of which streams a separate part of the buffer.
std::vector<Stream> streams_of(const Kernels& scalar, const std::vector<const Kernels*>& levels,
                               const Buffer& codes, const Buffer& tables, size_t threads) {
  constexpr uint32_t kRarestSum = kRareSum + 500;
  constexpr uint64_t kCheckedRows = 1 << 17, kListRows = 1024, kLists = 4096;
  static std::atomic<uint64_t> sink{0};  // so that the plain read is not optimised away
  std::vector<Stream> streams;
  const auto add = [&](const char* level, const char* kernel, size_t row_bytes,
                       const std::function<void(uint64_t, uint64_t)>& run) {
    const uint64_t rows = codes.bytes() / row_bytes / threads / kBlockRows * kBlockRows;
    const std::string name = std::to_string(row_bytes * 8) + " bits";
    streams.push_back({level, kernel, name, row_bytes, threads, rows, rows, run});
  };
  const auto add_scan = [&](const Kernels& kernels, const char* kernel, size_t row_bytes,
                            const Scan& scan, const Scan& reference) {
    expect(drain(scan, 0, kCheckedRows, true) == drain(reference, 0, kCheckedRows, true),
           kernels.name, kernel);
    add(kernels.name, kernel, row_bytes,
        [scan](uint64_t first, uint64_t rows) { drain(scan, first, rows, false); });
  };
  add("any", "plain read", kPlane64Bytes, [&](uint64_t first, uint64_t rows) {
    sink ^= plain_read(codes.data() + first * kPlane64Bytes, rows * kPlane64Bytes);
  });
  for (const Kernels* kernels : levels) {
    const Scan scan = table_scan(*kernels, codes.data(), tables.data(), kRarestSum, nullptr);
    add_scan(*kernels, "scan_tables", kPlane64Bytes, scan,
             table_scan(scalar, codes.data(), tables.data(), kRarestSum, nullptr));
    for (const size_t stride : {8, 32, 128}) {
      const auto near = static_cast<uint32_t>(2 * stride);
      add_scan(*kernels, "scan_hamming", stride,
               hamming_scan(*kernels, codes.data(), stride, tables.data(), near),
               hamming_scan(scalar, codes.data(), stride, tables.data(), near));
    }
    // Lists at random positions of the thread's part, as a search probes them.
    add(kernels->name, "scan_tables", kPlane64Bytes, [scan](uint64_t first, uint64_t rows) {
      static thread_local uint64_t state = 1;
      for (uint64_t i = 0; i < kLists; ++i) {
        state = state * 6364136223846793005u + 1442695040888963407u;  // Knuth's MMIX generator
        drain(scan, first + (state >> 20) % (rows - kListRows), kListRows, false);
      }
    });
    streams.back().name += ", scattered lists of 1,024 rows";
    streams.back().scanned_rows = kLists * kListRows;
  }
  return streams;
}

// Streams take turns, pass by pass, so that other load on the machine affects all of them equally.
void bench_streaming(const Kernels& scalar, const std::vector<const Kernels*>& levels,
                     const Buffer& codes, const Buffer& tables, size_t max_threads) {
  constexpr size_t kPasses = 9;
  std::vector<Stream> streams = streams_of(scalar, levels, codes, tables, 1);
  if (max_threads > 1) {
    for (Stream& stream : streams_of(scalar, levels, codes, tables, max_threads)) {
      streams.push_back(std::move(stream));
    }
  }
  for (size_t pass = 0; pass < kPasses; ++pass) {
    for (Stream& stream : streams) {
      const double start = seconds_now();
      corvid::parallel_for(stream.threads, stream.threads, [&](size_t index, size_t) {
        stream.run(index * stream.rows, stream.rows);
      });
      stream.times_s.push_back(seconds_now() - start);
    }
  }
  for (const Stream& stream : streams) {
    const double rows = double(stream.scanned_rows * stream.threads);
    report("memory", stream.level, stream.kernel, stream.name, stream.threads,
           summary(stream.times_s), rows, "row", rows * double(stream.row_bytes));
  }
}

}  // namespace

int main(int argc, char** argv) {
  const size_t bytes = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : size_t{1} << 30;
  const size_t threads = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1;
  if (bytes < size_t{1} << 25 || threads < 1) {
    std::fprintf(stderr, "usage: kernels_bench [bytes to stream, at least 32 MiB] [threads]\n");
    return 2;
  }
  const Kernels& scalar = *corvid::kernels_named("scalar");
  std::vector<const Kernels*> levels;
  for (const char* name : {"avx2", "avx512", "amx", "neon"}) {
    if (const Kernels* kernels = corvid::kernels_named(name)) levels.push_back(kernels);
  }
  const Buffer cached(kCacheBytes), tables(256);
  bench_scans_in_cache(scalar, scalar, cached, tables);
  bench_floats(scalar, scalar, threads);
  for (const Kernels* kernels : levels) {
    bench_scans_in_cache(scalar, *kernels, cached, tables);
    bench_floats(scalar, *kernels, threads);
  }
  const Buffer large(bytes);
  bench_streaming(scalar, levels, large, tables, threads);
  return 0;
}
