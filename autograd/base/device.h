#pragma once

#include <wengert/autograd/base/error.h>

#include <cstdint>
#include <ostream>
#include <string>

namespace wengert {

/// Where tensors live: in the memory of the CPU, all of them. Here so that programs may name it.
enum class DeviceType : int8_t { CPU = 0 };
inline constexpr DeviceType kCPU = DeviceType::CPU;

class Device {
 public:
  Device(DeviceType type = kCPU, int8_t index = -1) : type_(type), index_(index) {}  // NOLINT: implicit as in libtorch
  /// From "cpu". Throws wengert::Error for every other device.
  Device(const std::string& name) {  // NOLINT
    if (name != "cpu" && name != "cpu:0")
      throw Error("Expected one of cpu device type at start of device string: " + name);
    if (name == "cpu:0") index_ = 0;
  }
  Device(const char* name) : Device(std::string(name)) {}  // NOLINT

  DeviceType type() const { return type_; }
  int8_t index() const { return index_; }
  bool has_index() const { return index_ != -1; }
  bool is_cpu() const { return true; }
  bool is_cuda() const { return false; }
  std::string str() const { return has_index() ? "cpu:" + std::to_string(index_) : "cpu"; }
  friend bool operator==(const Device& a, const Device& b) { return a.type_ == b.type_; }

 private:
  DeviceType type_ = kCPU;
  int8_t index_ = -1;
};

inline std::ostream& operator<<(std::ostream& out, DeviceType) { return out << "cpu"; }
inline std::ostream& operator<<(std::ostream& out, const Device& device) { return out << device.str(); }

/// How elements are laid out: with strides, or as positions and values of those that are not zero.
enum class Layout : int8_t { Strided, Sparse };
inline constexpr Layout kStrided = Layout::Strided;
inline constexpr Layout kSparse = Layout::Sparse;
inline std::ostream& operator<<(std::ostream& out, Layout layout) {
  return out << (layout == kSparse ? "Sparse" : "Strided");
}

/// There are no such devices; programs may ask.
namespace cuda {
inline bool is_available() { return false; }
inline int64_t device_count() { return 0; }
}  // namespace cuda

}  // namespace wengert
