#pragma once

#include <wengert/autograd/base/check.h>

namespace wengert {

// From a dtype known at run time to a C++ type: dispatch(dtype, [&]<class T>() { ... T is float, say ... }).

template <class F>
decltype(auto) dispatch(ScalarType dtype, F&& f) {
  switch (dtype) {
    case kBool: return f.template operator()<bool>();
    case kLong: return f.template operator()<int64_t>();
    case kFloat: return f.template operator()<float>();
    case kDouble: break;
  }
  return f.template operator()<double>();
}

/// For float and double only. `op`: its name, for the error.
template <class F>
decltype(auto) dispatch_floating(ScalarType dtype, const char* op, F&& f) {
  check(isFloatingType(dtype), "\"{}\" not implemented for '{}'", op, dtype);
  if (dtype == kFloat) return f.template operator()<float>();
  return f.template operator()<double>();
}

/// For all dtypes but bool.
template <class F>
decltype(auto) dispatch_numbers(ScalarType dtype, const char* op, F&& f) {
  check(dtype != kBool, "\"{}\" not implemented for 'Bool'", op);
  if (dtype == kLong) return f.template operator()<int64_t>();
  return dispatch_floating(dtype, op, f);
}

}  // namespace wengert
