// Paths as UTF-16, which Windows expects. corvid's paths are UTF-8.
#ifndef CORVID_IO_WIDE_PATH_H_
#define CORVID_IO_WIDE_PATH_H_

#ifdef _WIN32

#include <filesystem>
#include <string>

namespace corvid {

inline std::wstring wide_path(const std::string& utf8) {
  return std::filesystem::u8path(utf8).wstring();
}

}  // namespace corvid

#endif

#endif  // CORVID_IO_WIDE_PATH_H_
