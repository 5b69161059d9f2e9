#include <factorize/processes/lookup.h>
#include <wengert/wengert.h>

#include <algorithm>

namespace factorize {

using wengert::Tensor;

Lookup::Lookup(const Lines& lines, const Tensor& positions) : processes_(lines.processes()), asked_(positions) {
  if (!processes_.are_several()) return;
  const std::vector<int64_t>& cuts = lines.cuts();
  const auto count = static_cast<size_t>(processes_.count());
  std::vector<std::vector<int64_t>> wanted(count), places(count);
  const auto* position = positions.data_ptr<int64_t>();
  for (int64_t i = 0; i < positions.numel(); ++i) {
    const auto owner = static_cast<size_t>(std::upper_bound(cuts.begin(), cuts.end(), position[i]) - cuts.begin() - 1);
    wanted[owner].push_back(position[i]);
    places[owner].push_back(i);
  }
  std::vector<int64_t> order, asked;
  for (const std::vector<int64_t>& of_one : places) {
    from_each_.push_back(static_cast<int64_t>(of_one.size()));
    order.insert(order.end(), of_one.begin(), of_one.end());
  }
  for (const std::string& of_one : processes_.exchange(bytes_of_each(wanted))) {
    const size_t before = asked.size();
    add_values(asked, of_one);
    by_each_.push_back(static_cast<int64_t>(asked.size() - before));
  }
  order_ = wengert::tensor(order, wengert::kLong);
  inverse_ = wengert::empty_like(order_);
  for (size_t i = 0; i < order.size(); ++i) inverse_.data_ptr<int64_t>()[order[i]] = static_cast<int64_t>(i);
  asked_ = wengert::tensor(asked, wengert::kLong) - lines.begin();
}

Tensor Lookup::take(const Tensor& own) const {
  Tensor given = own.detach().index_select(0, asked_);
  if (!processes_.are_several()) return given;
  return processes_.exchange(given, by_each_, from_each_).get().index_select(0, inverse_);
}

Tensor Lookup::give(const Tensor& at_positions) const {
  if (!processes_.are_several()) return at_positions;
  return processes_.exchange(at_positions.index_select(0, order_), from_each_, by_each_).get();
}

}  // namespace factorize
