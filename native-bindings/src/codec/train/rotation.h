// Random rotations, for the codec that needs no training.
#ifndef CORVID_CODEC_TRAIN_ROTATION_H_
#define CORVID_CODEC_TRAIN_ROTATION_H_

#include <cstddef>
#include <vector>

#include "base/random.h"

namespace corvid {

// `count` random orthonormal directions as rows, count x dims; count <= dims.
std::vector<float> random_rotation(size_t dims, size_t count, Random& random);

}  // namespace corvid

#endif  // CORVID_CODEC_TRAIN_ROTATION_H_
