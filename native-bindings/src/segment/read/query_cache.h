// The last query of each thread, so that the calls that serve one query (estimate, scan, refine,
// several segments) share what is computed once per query.
#ifndef CORVID_SEGMENT_READ_QUERY_CACHE_H_
#define CORVID_SEGMENT_READ_QUERY_CACHE_H_

#include <memory>

#include "codec/query/query.h"

namespace corvid {

// The context of `query` (codec->dims() numbers). Valid on this thread until the next call; keeps
// the codec alive until then. Throws ERR_VECTOR_INVALID for NaN and infinity.
QueryContext& query_context(const std::shared_ptr<const Codec>& codec, const float* query);

}  // namespace corvid

#endif  // CORVID_SEGMENT_READ_QUERY_CACHE_H_
