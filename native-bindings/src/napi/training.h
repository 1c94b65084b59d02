// Face of training towards JavaScript: samples, lists, codecs.
#ifndef CORVID_NAPI_TRAINING_H_
#define CORVID_NAPI_TRAINING_H_

#include <napi.h>

namespace corvid {

// Adds ByteSample, startLists and startTraining to the addon's exports. `codec` constructs codecs,
// and lives as long as the environment.
void init_training(Napi::Env env, Napi::Object exports, Napi::FunctionReference* codec);

}  // namespace corvid

#endif  // CORVID_NAPI_TRAINING_H_
