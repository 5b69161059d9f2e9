#include <wengert/autograd/base/dispatch.h>
#include <wengert/autograd/base/grad_mode.h>
#include <wengert/autograd/tape/node.h>
#include <wengert/autograd/tools/printing.h>

#include <algorithm>
#include <cmath>
#include <mutex>
#include <ostream>
#include <vector>

// The rules of PyTorch's Python printing (torch/_tensor_str.py), which NumPy's are the model of:
// one width for all elements, four digits behind the point, scientific notation when the finite nonzero values
// span more than three decades, exceed 1e8 or go below 1e-4; floats that are all whole print as "1."; from
// 1000 elements on only the edges of each dimension are shown.

namespace wengert {
namespace {

std::mutex options_mutex;
PrintOptions print_options;

// Calls visit(index) for the positions of a dimension that are shown, and visit(-1) for the gap.
template <class Visit>
void for_each_shown(int64_t size, bool summarize, int64_t edge, const Visit& visit) {
  if (!summarize || size <= 2 * edge) {
    for (int64_t i = 0; i < size; ++i) visit(i);
    return;
  }
  for (int64_t i = 0; i < edge; ++i) visit(i);
  visit(-1);
  for (int64_t i = size - edge; i < size; ++i) visit(i);
}

// What separates two items of which the second starts on a line of its own.
std::string line_break(size_t indent, size_t lines = 1) { return fmt::format(",{:\n>{}}{:{}}", "", lines, "", indent); }

class TensorPrinter {
 public:
  TensorPrinter(const Tensor& tensor, const PrintOptions& options)
      : tensor_(tensor), options_(options), summarize_(tensor.numel() > options.threshold) {
    choose_format();
  }

  std::string print(size_t indent) const { return print_from(0, tensor_.storage_offset(), indent); }

 private:
  bool is_real() const { return tensor_.is_floating_point(); }

  // The element at an offset in the storage.
  template <class T>
  T element(int64_t offset) const {
    return tensor_.data_ptr<T>()[offset - tensor_.storage_offset()];
  }
  double real_element(int64_t offset) const {
    return tensor_.dtype() == kFloat ? element<float>(offset) : element<double>(offset);
  }

  template <class Visit>
  void for_each_element(size_t dim, int64_t offset, const Visit& visit) const {
    if (dim == tensor_.sizes().size()) return visit(offset);
    for_each_shown(tensor_.sizes()[dim], summarize_, options_.edgeitems, [&](int64_t i) {
      if (i >= 0) for_each_element(dim + 1, offset + i * tensor_.strides()[dim], visit);
    });
  }

  // Decides on notation and width, from the elements that are shown.
  void choose_format() {
    if (is_real()) {
      double smallest = std::numeric_limits<double>::infinity(), largest = 0;
      bool all_whole = true, any = false;
      for_each_element(0, tensor_.storage_offset(), [&](int64_t offset) {
        const double value = real_element(offset);
        if (!std::isfinite(value) || value == 0) return;
        any = true;
        smallest = std::min(smallest, std::abs(value));
        largest = std::max(largest, std::abs(value));
        all_whole &= value == std::ceil(value);
      });
      whole_ = all_whole;
      if (any) scientific_ = largest / smallest > 1000 || largest > 1e8 || (!all_whole && smallest < 1e-4);
    }
    // PyTorch takes the width from the finite nonzero elements, in the notation that these call for, and only
    // then lets the option override the notation.
    for_each_element(0, tensor_.storage_offset(), [&](int64_t offset) {
      if (is_real()) {
        const double value = real_element(offset);
        if (!std::isfinite(value) || value == 0) return;
      }
      width_ = std::max(width_, text_of(offset).size());
    });
    if (is_real() && options_.sci_mode) scientific_ = *options_.sci_mode;
  }

  std::string text_of(int64_t offset) const {
    if (tensor_.dtype() == kBool) return element<bool>(offset) ? "True" : "False";
    if (tensor_.dtype() == kLong) return fmt::format("{}", element<int64_t>(offset));
    const double value = real_element(offset);
    if (std::isnan(value)) return "nan";
    if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
    if (scientific_) return fmt::format("{:.{}e}", value, options_.precision);
    if (whole_) return fmt::format("{:.0f}.", value);
    return fmt::format("{:.{}f}", value, options_.precision);
  }

  std::string print_from(size_t dim, int64_t offset, size_t indent) const {
    const size_t dims = tensor_.sizes().size();
    if (dim == dims) return fmt::format("{:>{}}", text_of(offset), width_);
    const int64_t stride = tensor_.strides()[dim];
    std::vector<std::string> items;
    const bool last = dim + 1 == dims;
    for_each_shown(tensor_.sizes()[dim], summarize_, options_.edgeitems, [&](int64_t i) {
      items.push_back(i < 0 ? (last ? " ..." : "...") : print_from(dim + 1, offset + i * stride, indent + 1));
    });
    const int64_t room = options_.linewidth - static_cast<int64_t>(indent);
    const auto fitting = static_cast<size_t>(std::max<int64_t>(1, room / static_cast<int64_t>(width_ + 2)));
    const size_t per_line = last ? fitting : 1;
    const std::string next_line = line_break(indent + 1, last ? 1 : dims - dim - 1);
    std::string text = "[";
    for (size_t i = 0; i < items.size(); ++i) {
      if (i > 0) text += i % per_line == 0 ? next_line : ", ";
      text += items[i];
    }
    return text + "]";
  }

  const Tensor& tensor_;
  const PrintOptions& options_;
  bool summarize_;
  bool scientific_ = false;
  bool whole_ = true;
  size_t width_ = 1;
};

std::string tuple_of(IntArrayRef sizes) { return fmt::format("({}{})", joined(sizes), sizes.size() == 1 ? "," : ""); }

std::vector<std::string> suffixes_of(const Tensor& tensor) {
  std::vector<std::string> suffixes;
  const ScalarType dtype = tensor.dtype();
  const bool empty = tensor.numel() == 0;
  if (empty && tensor.dim() != 1) suffixes.push_back("size=" + tuple_of(tensor.sizes()));
  // Whole numbers and bools speak for themselves, unless there are none.
  const bool evident = dtype == get_default_dtype() || (!empty && !isFloatingType(dtype));
  if (!evident) suffixes.push_back(fmt::format("dtype={}", python_name(dtype)));
  if (tensor.grad_fn()) {
    suffixes.push_back(fmt::format("grad_fn=<{}>", tensor.grad_fn()->name()));
  } else if (tensor.requires_grad()) {
    suffixes.push_back("requires_grad=True");
  }
  return suffixes;
}

}  // namespace

PrintOptions get_printoptions() {
  const std::lock_guard lock(options_mutex);
  return print_options;
}

void set_printoptions(const PrintOptions& options) {
  const std::lock_guard lock(options_mutex);
  print_options = options;
}

std::string str(const Tensor& tensor) {
  if (!tensor.defined()) return "[ Tensor (undefined) ]";
  if (tensor.is_sparse()) {
    return fmt::format("tensor(indices={},\n       values={},\n       size={}, nnz={}, layout=torch.sparse_coo)",
                       str(tensor._indices()), str(tensor._values()), tuple_of(tensor.sizes()), tensor._nnz());
  }
  const PrintOptions options = get_printoptions();
  const std::string prefix = "tensor(";
  std::string text = prefix + (tensor.numel() == 0 ? "[]" : TensorPrinter(tensor, options).print(prefix.size()));

  // Suffixes go on the last line as long as it has room.
  const size_t newline = text.rfind('\n');
  auto length = static_cast<int64_t>(newline == std::string::npos ? text.size() + 2 : text.size() - newline + 1);
  for (const std::string& suffix : suffixes_of(tensor)) {
    const auto added = static_cast<int64_t>(suffix.size());
    if (length + added + 2 > options.linewidth) {
      text += line_break(prefix.size()) + suffix;
      length = static_cast<int64_t>(prefix.size()) + added;
    } else {
      text += ", " + suffix;
      length += added + 2;
    }
  }
  return text + ")";
}

std::ostream& operator<<(std::ostream& out, const Tensor& tensor) { return out << str(tensor); }

std::ostream& operator<<(std::ostream& out, const Scalar& scalar) {
  if (scalar.isFloatingPoint()) return out << scalar.toDouble();
  if (scalar.isBoolean()) return out << (scalar.toBool() ? "true" : "false");
  return out << scalar.toLong();
}

std::ostream& operator<<(std::ostream& out, const TensorOptions& options) {
  const auto property = [&](const char* name, const auto& value, bool set) {
    out << name << "=" << value << (set ? "" : " (default)");
  };
  static constexpr const char* kNames[] = {"bool", "long int", "float", "double"};  // in C++, in ScalarType's order
  property("TensorOptions(dtype", kNames[static_cast<size_t>(options.dtype())], options.has_dtype());
  property(", device", options.device(), options.has_device());
  property(", layout", options.layout(), options.has_layout());
  property(", requires_grad", options.requires_grad() ? "true" : "false", options.has_requires_grad());
  property(", pinned_memory", "false", false);
  property(", memory_format", "(nullopt)", true);
  return out << ")";
}

std::ostream& operator<<(std::ostream& out, const IntrusivePtr<autograd::Node>& node) {
  return out << (node ? fmt::format("<{}>", node->name()) : "None");
}

}  // namespace wengert
