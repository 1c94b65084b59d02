// A cache of the last query of each thread, so that the calls that serve one query (estimate, scan,
// refine, for every segment) share what is computed once per query.
#ifndef CORVID_SEGMENT_READ_QUERY_CACHE_H_
#define CORVID_SEGMENT_READ_QUERY_CACHE_H_

#include <memory>

#include "codec/query/query.h"

namespace corvid {

// The context of `query` (codec->dims() numbers). It is valid on this thread until the next call,
// and keeps the codec alive. Throws ERR_VECTOR_INVALID for NaN and infinity.
QueryContext& query_context(const std::shared_ptr<const Codec>& codec, const float* query);

}  // namespace corvid

#endif  // CORVID_SEGMENT_READ_QUERY_CACHE_H_
