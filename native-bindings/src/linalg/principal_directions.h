// The directions in which vectors vary most (principal component analysis).
#ifndef CORVID_LINALG_PRINCIPAL_DIRECTIONS_H_
#define CORVID_LINALG_PRINCIPAL_DIRECTIONS_H_

#include <cstddef>
#include <vector>

namespace corvid {

// The `kept` principal directions of `rows` vectors about `mean`, kept x dims, unit length, the one
// of largest variance first; kept <= dims. At most kPrincipalRows of the rows, evenly spread, are
// looked at.
std::vector<float> principal_directions(const float* x, size_t rows, size_t dims, const float* mean,
                                        size_t kept);
constexpr size_t kPrincipalRows = 16384;

}  // namespace corvid

#endif  // CORVID_LINALG_PRINCIPAL_DIRECTIONS_H_
