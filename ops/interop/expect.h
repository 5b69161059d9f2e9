#pragma once

#include <wengert/autograd/base/error.h>

#include <sstream>

// The other headers here are compiled in programs that need not have fmt, with which the library's own files check.

namespace wengert::interop {

/// Throws an Error whose text is the parts, one after another, unless `holds`.
template <typename... Parts>
void expect(bool holds, const Parts&... parts) {
  if (holds) return;
  std::ostringstream text;
  (text << ... << parts);
  throw Error(text.str());
}

}  // namespace wengert::interop
