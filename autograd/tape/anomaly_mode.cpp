#include <cxxabi.h>
#include <dlfcn.h>
#include <execinfo.h>
#include <fmt/format.h>
#include <wengert/autograd/tape/anomaly_mode.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <memory>

namespace wengert::autograd {
namespace {

constinit thread_local const ForwardLocation* innermost = nullptr;

std::string demangled(const char* symbol) {
  const std::unique_ptr<char, decltype(&std::free)> name(abi::__cxa_demangle(symbol, nullptr, nullptr, nullptr),
                                                         &std::free);
  return name ? name.get() : symbol;
}

// Whether the library may have been called by this function: it does not bear the library's name, as the library's
// inline functions do wherever they were compiled, and lies outside it where it is a shared library.
bool is_callers(const Dl_info& function, const Dl_info& own) {
  const std::string name = function.dli_sname != nullptr ? demangled(function.dli_sname) : "";
  if (name.starts_with("wengert::")) return false;
  return !name.empty() || std::strcmp(function.dli_fname, own.dli_fname) != 0;
}

struct Frames {
  std::string callee;  // the library's function that was called
  std::string caller;  // where, by whom
};

Frames frames_at_the_border() {
  Frames border{"", "an unknown place"};
  std::array<void*, 64> frames;
  const int count = backtrace(frames.data(), static_cast<int>(frames.size()));
  Dl_info own;
  if (dladdr(reinterpret_cast<void*>(&current_forward_location), &own) == 0) return border;
  bool inside = false;  // frames before the library's own are those of whoever walks the stack
  for (int i = 0; i < count; ++i) {
    Dl_info function;
    if (dladdr(frames[static_cast<size_t>(i)], &function) == 0 || function.dli_fname == nullptr) continue;
    const bool callers = is_callers(function, own);
    inside |= !callers;
    if (!callers && function.dli_sname != nullptr) border.callee = demangled(function.dli_sname);
    if (!inside || !callers) continue;
    const auto offset =
        static_cast<const char*>(frames[static_cast<size_t>(i)]) -
        static_cast<const char*>(function.dli_sname != nullptr ? function.dli_saddr : function.dli_fbase);
    border.caller = function.dli_sname != nullptr ? fmt::format("{}+{:#x}", demangled(function.dli_sname), offset)
                                                  : fmt::format("{}({:+#x})", function.dli_fname, offset);
    break;
  }
  return border;
}

}  // namespace

ForwardLocation::ForwardLocation(int line, const char* file, const char* function)
    : ForwardLocation(fmt::format("{}:{} ({})", file, line, function)) {}

ForwardLocation::ForwardLocation(std::string text) : text_(std::move(text)), outer_(innermost) { innermost = this; }

ForwardLocation::~ForwardLocation() { innermost = outer_; }

std::string current_forward_location() {
  return innermost != nullptr ? innermost->text_ : frames_at_the_border().caller;
}

std::string library_function_called() { return frames_at_the_border().callee; }

}  // namespace wengert::autograd
