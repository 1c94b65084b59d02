// Principal component analysis: the directions in which vectors vary most.
#ifndef CORVID_LINALG_PRINCIPAL_DIRECTIONS_H_
#define CORVID_LINALG_PRINCIPAL_DIRECTIONS_H_

#include <cstddef>
#include <vector>

namespace corvid {

// The first `kept` principal directions of `rows` vectors centered on `mean`: kept x dims, unit
// length, the largest variance first; kept <= dims. Uses at most kPrincipalRows of the rows, evenly
// spaced.
std::vector<float> principal_directions(const float* x, size_t rows, size_t dims, const float* mean,
                                        size_t kept);
constexpr size_t kPrincipalRows = 16384;

}  // namespace corvid

#endif  // CORVID_LINALG_PRINCIPAL_DIRECTIONS_H_
