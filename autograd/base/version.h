#pragma once

namespace wengert {

/// The library's version, as in CMakeLists.txt: major.minor.patch.
inline constexpr const char* kVersion = "0.1.0";

}  // namespace wengert
