// Reads the fields of plans and filters.
#include "napi/search_plan.h"

#include <cmath>
#include <string>

#include "napi/bridge.h"
#include "napi/codec.h"

namespace corvid {
namespace {

// The number of levels up to the one of `bits` bits, which must be usable in all segments; 0 for 0
// bits.
size_t levels_of(const Searchable& index, uint64_t bits) {
  if (bits == 0) return 0;
  const size_t levels = levels_up_to(*index.codec, bits);
  for (const auto& segment : index.segments) {
    require(levels <= segment->usable_levels(), "a segment has no plane of this level");
  }
  return levels;
}

}  // namespace

SearchPlan search_plan(const Searchable& index, const Napi::Value& value) {
  require(value.IsObject(), "the plan is not an object");
  const auto given = value.As<Napi::Object>();
  SearchPlan plan;
  const std::string scoring = given.Get("scoring").ToString().Utf8Value();
  require(scoring == "asymmetric" || scoring == "hamming",
          "scoring is neither asymmetric nor hamming");
  plan.scoring = scoring == "hamming" ? Scoring::kHamming : Scoring::kAsymmetric;
  plan.wanted = natural(given.Get("wanted"), "wanted");
  plan.probes = natural(given.Get("probes"), "probes");
  plan.scan_all = given.Get("scanAll").ToBoolean();
  plan.shortlist = natural(given.Get("shortlist"), "shortlist");
  plan.min_rows = natural(given.Get("minRows"), "minRows");
  plan.stop_log_odds = given.Get("stopLogOdds").ToNumber().FloatValue();
  require(!std::isnan(plan.stop_log_odds), "stopLogOdds is not a number");
  plan.norm_rank = natural(given.Get("normRank"), "normRank");
  plan.norm_lists = natural(given.Get("normLists"), "normLists");
  require(plan.routed_lists() <= index.codec->lists(),
          "the plan routes to more lists than the codec has");
  plan.refine_levels = levels_of(index, natural(given.Get("refineBits"), "refineBits"));
  plan.rescore = given.Get("rescore").ToBoolean();
  for (const auto& segment : index.segments) {
    if (!plan.rescore || segment->has_vectors()) continue;
    throw Error("ERR_NOT_FOUND", "the segment has no vectors to rescore with")
        .path(segment->folder())
        .hint("search without rescoring, or build the index again with vectors");
  }
  return plan;
}

IndexFilter index_filter(const Searchable& index, const Napi::Value& value) {
  if (value.IsNull()) return {};
  const View<double> handles = doubles(value, "filters");
  const auto& segments = index.segments;
  require(handles.size == segments.size(), "filters is not one filter per segment");
  IndexFilter filter;
  for (size_t i = 0; i < handles.size; ++i) {
    if (handles.data[i] <= 0) {
      filter.push_back({nullptr, handles.data[i] < 0});
      continue;
    }
    filter.push_back({RowFilter::find(static_cast<uint64_t>(handles.data[i])), false});
    require(filter[i].rows->segment() == segments[i]->uuid(),
            "the filter belongs to another segment");
  }
  return filter;
}

}  // namespace corvid
