#include <wengert/autograd/base/check.h>

#include <algorithm>

fmt::format_context::iterator fmt::formatter<wengert::IntArrayRef>::format(const wengert::IntArrayRef& sizes,
                                                                           format_context& context) const {
  const std::string text = '[' + wengert::joined(sizes) + ']';
  return std::copy(text.begin(), text.end(), context.out());
}

fmt::format_context::iterator fmt::formatter<wengert::ScalarType>::format(wengert::ScalarType dtype,
                                                                          format_context& context) const {
  const std::string_view name = wengert::toString(dtype);
  return std::copy(name.begin(), name.end(), context.out());
}

namespace wengert {

std::string joined(IntArrayRef list) {
  std::string text;
  for (const int64_t number : list) {
    if (!text.empty()) text += ", ";
    text += std::to_string(number);
  }
  return text;
}

void fail_formatted(fmt::string_view text, fmt::format_args args) { throw Error(fmt::vformat(text, args)); }

}  // namespace wengert
