#pragma once

#include <string_view>

namespace wengert::autograd {

/// The page of a Trace, in which "/*TRACE*/null" stands for what it noted. Made from trace.html when the library is
/// built.
extern const std::string_view kTracePage;

}  // namespace wengert::autograd
