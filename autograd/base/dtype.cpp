#include <wengert/autograd/base/check.h>
#include <wengert/autograd/base/dtype.h>

#include <array>
#include <atomic>
#include <ostream>

namespace wengert {
namespace {

struct Names {
  std::string_view torch, python, cpp;
};
constexpr std::array<Names, 4> kNames{{{"Bool", "torch.bool", "bool"},
                                       {"Long", "torch.int64", "long int"},
                                       {"Float", "torch.float32", "float"},
                                       {"Double", "torch.float64", "double"}}};
const Names& names(ScalarType dtype) { return kNames[static_cast<size_t>(dtype)]; }

constinit std::atomic<ScalarType> default_dtype{kFloat};

}  // namespace

std::string_view toString(ScalarType dtype) { return names(dtype).torch; }
std::string_view python_name(ScalarType dtype) { return names(dtype).python; }
std::ostream& operator<<(std::ostream& out, ScalarType dtype) { return out << names(dtype).cpp; }

ScalarType get_default_dtype() { return default_dtype.load(std::memory_order_relaxed); }
void set_default_dtype(ScalarType dtype) {
  check(isFloatingType(dtype), "only floating-point types are supported as the default type, but got {}", dtype);
  default_dtype.store(dtype, std::memory_order_relaxed);
}

}  // namespace wengert
