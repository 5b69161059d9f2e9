#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <wengert/autograd/array_ref.h>
#include <wengert/autograd/dtype.h>
#include <wengert/autograd/error.h>

#include <utility>

// For the library's own .cpp files: public headers stay free of fmt.

/// Sizes print as PyTorch prints them: [2, 3].
template <>
struct fmt::formatter<wengert::IntArrayRef> {
  constexpr auto parse(format_parse_context& context) { return context.begin(); }
  auto format(const wengert::IntArrayRef& sizes, format_context& context) const {
    return fmt::format_to(context.out(), "[{}]", fmt::join(sizes.begin(), sizes.end(), ", "));
  }
};

template <>
struct fmt::is_range<wengert::IntArrayRef, char> : std::false_type {};

/// Dtypes print by their libtorch name: Float, Double, Long, Bool.
template <>
struct fmt::formatter<wengert::ScalarType> : fmt::formatter<std::string_view> {
  auto format(wengert::ScalarType dtype, format_context& context) const {
    return fmt::formatter<std::string_view>::format(wengert::toString(dtype), context);
  }
};

namespace wengert {

template <class... Args>
[[noreturn, gnu::cold]] void fail(fmt::format_string<Args...> text, Args&&... args) {
  throw Error(fmt::format(text, std::forward<Args>(args)...));
}

/// Throws wengert::Error with the formatted text unless `holds`. The text is formatted only on failure.
template <class... Args>
void check(bool holds, fmt::format_string<Args...> text, Args&&... args) {
  if (!holds) [[unlikely]]
    fail(text, std::forward<Args>(args)...);
}

}  // namespace wengert
