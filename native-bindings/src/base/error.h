// The one exception class of native code. napi/bridge.cc turns it into a JavaScript Error with the
// same fields, and src/native/errors.ts turns that into a CorvidError.
#ifndef CORVID_BASE_ERROR_H_
#define CORVID_BASE_ERROR_H_

#include <stdexcept>
#include <string>
#include <utility>

namespace corvid {

class Error : public std::runtime_error {
 public:
  Error(std::string code, const std::string& what)
      : std::runtime_error(what), code_(std::move(code)) {}

  Error& path(std::string value) { return path_ = std::move(value), *this; }
  Error& expected(std::string value) { return expected_ = std::move(value), *this; }
  Error& actual(std::string value) { return actual_ = std::move(value), *this; }
  Error& hint(std::string value) { return hint_ = std::move(value), *this; }

  // code() is one of src/errors.ts. The other fields are empty if they were not set.
  const std::string& code() const { return code_; }
  const std::string& path() const { return path_; }
  const std::string& expected() const { return expected_; }
  const std::string& actual() const { return actual_; }
  const std::string& hint() const { return hint_; }

 private:
  std::string code_, path_, expected_, actual_, hint_;
};

// The Error for a failed system call. `error_number` is an errno value (on Windows, GetLastError
// mapped to one); `doing` says what was attempted, e.g. "opening".
Error system_error(int error_number, const std::string& path, const std::string& doing);

}  // namespace corvid

#endif  // CORVID_BASE_ERROR_H_
