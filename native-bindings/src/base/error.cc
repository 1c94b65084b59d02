// Maps errno values to error codes.
#include "base/error.h"

#include <cerrno>
#include <cstring>

namespace corvid {

Error system_error(int error_number, const std::string& path, const std::string& doing) {
  const std::string what = doing + ": " + std::strerror(error_number);
  switch (error_number) {
    case ENOENT:
    case ENOTDIR:
      return Error("ERR_NOT_FOUND", what).path(path).hint("check the path");
    case EACCES:
    case EPERM:
    case EROFS:
      return Error("ERR_PERMISSION", what).path(path).hint("check the permissions of the path");
    case ENOSPC:
#ifdef EDQUOT
    case EDQUOT:
#endif
    case EFBIG:
      return Error("ERR_DISK_FULL", what)
          .path(path)
          .hint("free some space and run the same command again; committed data is intact");
    case ENOMEM:
      return Error("ERR_MEMORY", what).path(path).hint("free some memory, or lower the limit");
    default:
      return Error("ERR_IO", what)
          .path(path)
          .hint("check the disk and its logs, then run the command again");
  }
}

}  // namespace corvid
