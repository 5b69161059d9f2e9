#pragma once

#include <fmt/format.h>
#include <wengert/autograd/base/array_ref.h>
#include <wengert/autograd/base/dtype.h>
#include <wengert/autograd/base/error.h>

#include <string>
#include <utility>

// For the library's own .cpp files: public headers stay free of fmt.

// The formatting itself is done in check.cpp, once: it is large.

/// Sizes print as PyTorch prints them: [2, 3].
template <>
struct fmt::formatter<wengert::IntArrayRef> {
  constexpr auto parse(format_parse_context& context) { return context.begin(); }
  format_context::iterator format(const wengert::IntArrayRef& sizes, format_context& context) const;
};

/// Dtypes print by their libtorch name: Float, Double, Long, Bool.
template <>
struct fmt::formatter<wengert::ScalarType> {
  constexpr auto parse(format_parse_context& context) { return context.begin(); }
  format_context::iterator format(wengert::ScalarType dtype, format_context& context) const;
};

namespace wengert {

/// "2, 3". (fmt::join would bring half of fmt into the library once more.)
std::string joined(IntArrayRef list);

/// Throws wengert::Error.
[[noreturn, gnu::cold]] void fail_formatted(fmt::string_view text, fmt::format_args args);

template <class... Args>
[[noreturn, gnu::cold, gnu::noinline]] void fail(fmt::format_string<Args...> text, Args&&... args) {
  fail_formatted(text, fmt::make_format_args(args...));
}

/// Throws wengert::Error with the formatted text unless `holds`. The text is formatted only on failure.
template <class... Args>
void check(bool holds, fmt::format_string<Args...> text, Args&&... args) {
  if (!holds) [[unlikely]]
    fail(text, std::forward<Args>(args)...);
}

}  // namespace wengert
