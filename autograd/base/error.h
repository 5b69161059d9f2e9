#pragma once

#include <stdexcept>
#include <string>

namespace wengert {

/// Every error that the library reports. The text says what was asked, what was found and, where there is
/// one, the remedy; where libtorch has a wording for the same situation the text begins with it.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
  /// what(): there is no backtrace in it, as there is in libtorch's.
  const char* what_without_backtrace() const { return what(); }
};

}  // namespace wengert
