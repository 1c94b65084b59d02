// Face of a codec towards JavaScript, and how other faces of the addon get at the codec in one.
#ifndef CORVID_NAPI_CODEC_H_
#define CORVID_NAPI_CODEC_H_

#include <napi.h>

#include <memory>

#include "codec/format/codec.h"

namespace corvid {

// The codec within a NativeCodec (src/native/addon.ts). Throws ERR_USAGE for any other value.
std::shared_ptr<const Codec> codec_of(const Napi::Value& value);

// A NativeCodec of `codec`, by what init_training was given.
Napi::Object new_codec(const Napi::FunctionReference& constructor,
                       std::shared_ptr<const Codec> codec);

// Adds what training.h names and openCodec to the addon's exports.
void init_codec(Napi::Env env, Napi::Object exports);

}  // namespace corvid

#endif  // CORVID_NAPI_CODEC_H_
