#include <wengert/autograd/check.h>

#include <algorithm>

fmt::format_context::iterator fmt::formatter<wengert::IntArrayRef>::format(const wengert::IntArrayRef& sizes,
                                                                           format_context& context) const {
  return fmt::format_to(context.out(), "[{}]", fmt::join(sizes.begin(), sizes.end(), ", "));
}

fmt::format_context::iterator fmt::formatter<wengert::ScalarType>::format(wengert::ScalarType dtype,
                                                                          format_context& context) const {
  const std::string_view name = wengert::toString(dtype);
  return std::copy(name.begin(), name.end(), context.out());
}

namespace wengert {

void fail_formatted(fmt::string_view text, fmt::format_args args) { throw Error(fmt::vformat(text, args)); }

}  // namespace wengert
