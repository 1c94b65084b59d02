// JavaScript class NativeCodec (its type: src/native/codec.ts), for the other classes that take or
// return one.
#ifndef CORVID_NAPI_CODEC_H_
#define CORVID_NAPI_CODEC_H_

#include <napi.h>

#include <memory>

#include "codec/format/codec.h"

namespace corvid {

// The codec in a NativeCodec. Throws ERR_USAGE for any other value.
std::shared_ptr<const Codec> codec_of(const Napi::Value& value);

// A new NativeCodec, by its constructor.
Napi::Object new_codec(const Napi::FunctionReference& constructor,
                       std::shared_ptr<const Codec> codec);

// The number of levels up to the one of `bits` bits. Throws ERR_USAGE if the codec has no such
// level.
size_t levels_up_to(const Codec& codec, uint64_t bits);

}  // namespace corvid

#endif  // CORVID_NAPI_CODEC_H_
