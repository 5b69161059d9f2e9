#include <factorize/input/arrays.h>
#include <fmt/format.h>
#include <wengert/autograd/serialize/npz.h>
#include <wengert/wengert.h>

#include <algorithm>
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

// The rows that a process reads of an array.
Tensor read_part(const Input& input, const Processes& processes) {
  if (!processes.are_several()) return wengert::serialize::read_npy(input);
  const int64_t index = processes.index(), count = processes.count();
  return wengert::serialize::read_npy_rows(
      input, [&](int64_t rows) { return std::pair(rows * index / count, rows * (index + 1) / count); });
}

// scipy.sparse's arrays.
class SparseArrays {
 public:
  SparseArrays(const Input& input, const std::map<std::string, Input>& arrays, const Processes& processes, Data& data)
      : input_(input), arrays_(arrays), processes_(processes), data_(data) {}

  void read() {
    const Tensor shape = whole_numbers("shape", read_whole("shape"));
    if (shape.numel() != 2) input_.fail("\"shape\" is none of a matrix");
    data_.rows = shape.data_ptr<int64_t>()[0];
    data_.columns = shape.data_ptr<int64_t>()[1];
    constexpr int64_t kMost = INT32_MAX;
    if (data_.rows < 1 || data_.columns < 1 || data_.rows > kMost || data_.columns > kMost) {
      input_.fail(fmt::format("a matrix of {} x {} can't be factorized", data_.rows, data_.columns));
    }
    take_values();
    if (arrays_.contains("row")) {
      ratings_.rows = positions("row", data_.rows);
      ratings_.columns = positions("col", data_.columns);
      data_.found = "scipy.sparse COO";
    } else {
      // Whether lines are rows or columns is told by how many there are, and by "format", which is bytes, where both
      // are.
      const Tensor starts = whole_numbers("indptr", read_whole("indptr"));
      const int64_t lines = starts.numel() - 1;
      const bool by_rows = lines == data_.rows && (lines != data_.columns || !is_csc());
      if (!by_rows && lines != data_.columns) input_.fail("\"indptr\" does not fit \"shape\"");
      (by_rows ? ratings_.columns : ratings_.rows) = positions("indices", by_rows ? data_.columns : data_.rows);
      (by_rows ? ratings_.rows : ratings_.columns) = line_of_each(starts);
      data_.found = by_rows ? "scipy.sparse CSR" : "scipy.sparse CSC";
    }
    if (ratings_.rows.size() != ratings_.size() || ratings_.columns.size() != ratings_.size()) {
      input_.fail(fmt::format("there are {} values at {} rows and {} columns", ratings_.size(), ratings_.rows.size(),
                              ratings_.columns.size()));
    }
    data_.content = std::move(ratings_);
  }

 private:
  const Input& array(const std::string& name) const {
    const auto found = arrays_.find(name);
    if (found == arrays_.end()) input_.fail(fmt::format("there is no array \"{}\"", name));
    return found->second;
  }
  Tensor read_whole(const std::string& name) const { return wengert::serialize::read_npy(array(name)); }
  Tensor vector(const std::string& name, const Tensor& array) const {
    if (array.dim() != 1) input_.fail(fmt::format("\"{}\" is no vector", name));
    return array.contiguous();
  }
  Tensor whole_numbers(const std::string& name, const Tensor& numbers) const {
    if (numbers.dtype() != wengert::kLong) input_.fail(fmt::format("\"{}\" holds no whole numbers", name));
    return vector(name, numbers);
  }
  bool is_csc() const {
    if (!arrays_.contains("format")) return false;
    const Tensor format = read_whole("format").to(wengert::kLong).contiguous();
    return format.numel() == 3 && format.data_ptr<int64_t>()[2] == 'c';
  }
  void take_values() {
    const Tensor values = vector("data", read_part(array("data"), processes_)).to(wengert::kFloat);
    const float* data = values.data_ptr<float>();
    ratings_.values.assign(data, data + values.numel());
    first_ = processes_.sum_before(values.numel());
    for (size_t e = 0; e < ratings_.size(); ++e) {
      if (!std::isfinite(data[e])) {
        input_.fail(fmt::format("value {} is {}; expected a finite number", first_ + static_cast<int64_t>(e), data[e]));
      }
    }
  }
  std::vector<int32_t> positions(const std::string& name, int64_t size) const {
    const Tensor given = whole_numbers(name, read_part(array(name), processes_));
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
    const auto own = static_cast<int64_t>(ratings_.size()), all = processes_.sum(own);
    const auto among_own = [&](int64_t entry) { return std::clamp<int64_t>(entry - first_, 0, own); };
    for (int64_t i = 0; i < lines; ++i) {
      if (at[i] < 0 || at[i + 1] < at[i] || at[i + 1] > all) {
        input_.fail("\"indptr\" does not ascend to the number of values");
      }
      line_of.insert(line_of.end(), static_cast<size_t>(among_own(at[i + 1]) - among_own(at[i])),
                     static_cast<int32_t>(i));
    }
    return line_of;
  }

  const Input& input_;
  const std::map<std::string, Input>& arrays_;
  const Processes& processes_;  // that read parts of the values and positions
  Data& data_;
  Ratings ratings_;
  int64_t first_ = 0;  // of the values
};

}  // namespace

void read_npy_matrix(const Input& input, const Processes& processes, wengert::ScalarType dtype, Data& data) {
  take_matrix(input, read_part(input, processes), dtype, data);
  data.found = ".npy";
}

void read_npz_matrix(const Input& input, const Processes& processes, wengert::ScalarType dtype, Data& data) {
  const std::map<std::string, Input> arrays = wengert::serialize::npz_members(input);
  if (arrays.contains("shape") && arrays.contains("data")) return SparseArrays(input, arrays, processes, data).read();
  if (arrays.size() != 1)
    input.fail(fmt::format("there are {} arrays; expected one, or scipy.sparse's", arrays.size()));
  take_matrix(input, read_part(arrays.begin()->second, processes), dtype, data);
  data.found = ".npz";
}

}  // namespace factorize
