#include <factorize/input/arrays.h>
#include <fmt/format.h>
#include <wengert/autograd/serialize/npz.h>
#include <wengert/wengert.h>

#include <cmath>

namespace factorize {
namespace {

using wengert::Tensor;
using wengert::serialize::Input;

void take_matrix(const Input& input, const Tensor& array, wengert::ScalarType dtype, Data& data) {
  if (array.dim() != 2) input.fail(fmt::format("the array has {} dimensions; expected a matrix, with 2", array.dim()));
  if (array.dtype() == wengert::kBool) input.fail("the array's elements are bools; expected numbers");
  data.rows = array.size(0);
  data.columns = array.size(1);
  data.content = array.to(dtype);
}

// scipy.sparse's arrays.
class SparseArrays {
 public:
  SparseArrays(const Input& input, const std::map<std::string, Tensor>& arrays, Data& data)
      : input_(input), arrays_(arrays), data_(data) {}

  void read() {
    const Tensor shape = whole_numbers("shape");
    if (shape.numel() != 2) input_.fail("\"shape\" is none of a matrix");
    data_.rows = shape.data_ptr<int64_t>()[0];
    data_.columns = shape.data_ptr<int64_t>()[1];
    constexpr int64_t kMost = INT32_MAX;
    if (data_.rows < 1 || data_.columns < 1 || data_.rows > kMost || data_.columns > kMost) {
      input_.fail(fmt::format("a matrix of {} x {} can't be factorized", data_.rows, data_.columns));
    }
    take_values();
    if (arrays_.contains("row")) {
      ratings_.rows = positions(whole_numbers("row"), data_.rows);
      ratings_.columns = positions(whole_numbers("col"), data_.columns);
      data_.found = "scipy.sparse COO";
    } else {
      // Whether lines are rows or columns is told by how many there are, and by "format", which is bytes, where both
      // are.
      const int64_t lines = whole_numbers("indptr").numel() - 1;
      const bool by_rows = lines == data_.rows && (lines != data_.columns || !is_csc());
      if (!by_rows && lines != data_.columns) input_.fail("\"indptr\" does not fit \"shape\"");
      (by_rows ? ratings_.columns : ratings_.rows) =
          positions(whole_numbers("indices"), by_rows ? data_.columns : data_.rows);
      (by_rows ? ratings_.rows : ratings_.columns) = line_of_each(whole_numbers("indptr"));
      data_.found = by_rows ? "scipy.sparse CSR" : "scipy.sparse CSC";
    }
    if (ratings_.rows.size() != ratings_.size() || ratings_.columns.size() != ratings_.size()) {
      input_.fail(fmt::format("there are {} values at {} rows and {} columns", ratings_.size(), ratings_.rows.size(),
                              ratings_.columns.size()));
    }
    data_.content = std::move(ratings_);
  }

 private:
  const Tensor& array(const std::string& name) const {
    const auto found = arrays_.find(name);
    if (found == arrays_.end()) input_.fail(fmt::format("there is no array \"{}\"", name));
    if (found->second.dim() != 1) input_.fail(fmt::format("\"{}\" is no vector", name));
    return found->second;
  }
  Tensor whole_numbers(const std::string& name) const {
    const Tensor& numbers = array(name);
    if (numbers.dtype() != wengert::kLong) input_.fail(fmt::format("\"{}\" holds no whole numbers", name));
    return numbers.contiguous();
  }
  bool is_csc() const {
    const auto found = arrays_.find("format");
    return found != arrays_.end() && found->second.numel() == 3 &&
           found->second.to(wengert::kLong).contiguous().data_ptr<int64_t>()[2] == 'c';
  }
  void take_values() {
    const Tensor values = array("data").to(wengert::kFloat).contiguous();
    const float* data = values.data_ptr<float>();
    ratings_.values.assign(data, data + values.numel());
    for (size_t e = 0; e < ratings_.size(); ++e) {
      if (!std::isfinite(data[e])) input_.fail(fmt::format("value {} is {}; expected a finite number", e, data[e]));
    }
  }
  std::vector<int32_t> positions(const Tensor& given, int64_t size) const {
    std::vector<int32_t> positions(static_cast<size_t>(given.numel()));
    const auto* at = given.data_ptr<int64_t>();
    for (size_t e = 0; e < positions.size(); ++e) {
      if (at[e] < 0 || at[e] >= size) input_.fail(fmt::format("position {} is not within 0 and {}", at[e], size - 1));
      positions[e] = static_cast<int32_t>(at[e]);
    }
    return positions;
  }
  std::vector<int32_t> line_of_each(const Tensor& starts) const {
    const auto* at = starts.data_ptr<int64_t>();
    const int64_t lines = starts.numel() - 1;
    std::vector<int32_t> line_of;
    line_of.reserve(ratings_.size());
    for (int64_t i = 0; i < lines; ++i) {
      if (at[i] < 0 || at[i + 1] < at[i] || at[i + 1] > static_cast<int64_t>(ratings_.size())) {
        input_.fail("\"indptr\" does not ascend to the number of values");
      }
      line_of.insert(line_of.end(), static_cast<size_t>(at[i + 1] - at[i]), static_cast<int32_t>(i));
    }
    return line_of;
  }

  const Input& input_;
  const std::map<std::string, Tensor>& arrays_;
  Data& data_;
  Ratings ratings_;
};

}  // namespace

void read_npy_matrix(const Input& input, wengert::ScalarType dtype, Data& data) {
  take_matrix(input, wengert::serialize::read_npy(input), dtype, data);
  data.found = ".npy";
}

void read_npz_matrix(const Input& input, wengert::ScalarType dtype, Data& data) {
  const std::map<std::string, Tensor> arrays = wengert::serialize::read_npz(input);
  if (arrays.contains("shape") && arrays.contains("data")) return SparseArrays(input, arrays, data).read();
  if (arrays.size() != 1)
    input.fail(fmt::format("there are {} arrays; expected one, or scipy.sparse's", arrays.size()));
  take_matrix(input, arrays.begin()->second, dtype, data);
  data.found = ".npz";
}

}  // namespace factorize
