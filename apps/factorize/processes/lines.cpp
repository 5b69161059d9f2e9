#include <factorize/processes/lines.h>
#include <wengert/wengert.h>

#include <algorithm>

namespace factorize {

using wengert::Tensor;

// Each block by itself, then their triangles together (TSQR: Demmel, Grigori, Hoemmen and Langou,
// Communication-optimal Parallel and Sequential QR and LU Factorizations, 2012).
std::pair<Tensor, Tensor> qr_of_blocks(const Processes& processes, const Tensor& own) {
  auto [q, r] = wengert::linalg_qr(own);
  if (!processes.are_several()) return {q, r};
  const int64_t before = processes.sum_before(r.size(0));
  const auto [of_triangles, of_all] = wengert::linalg_qr(processes.all(r));
  return {wengert::mm(q, of_triangles.narrow(0, before, r.size(0))), of_all};
}

Lines::Lines(int64_t count)
    : processes_(&Processes::alone()), cuts_{0, count}, all_(count), own_(count), needed_(count) {}

Lines::Lines(const Processes& processes, std::vector<int64_t> cuts, std::vector<int32_t> needed)
    : processes_(&processes),
      cuts_(std::move(cuts)),
      all_(cuts_.back()),
      begin_(cuts_[static_cast<size_t>(processes.index())]),
      own_(cuts_[static_cast<size_t>(processes.index()) + 1] - begin_),
      needed_(static_cast<int64_t>(needed.size())),
      positions_(std::move(needed)) {
  own_among_needed_ = std::lower_bound(positions_.begin(), positions_.end(), begin_) - positions_.begin();
  // Needed lines in the order of the matrix are those of process 0 first.
  std::vector<std::string> wanted;
  for (int p = 0; p < processes.count(); ++p) {
    const auto at = static_cast<size_t>(p);
    const auto first = std::lower_bound(positions_.begin(), positions_.end(), cuts_[at]),
               last = std::lower_bound(first, positions_.end(), cuts_[at + 1]);
    of_each_.push_back(last - first);
    wanted.push_back(bytes_of(std::vector<int32_t>(first, last)));
  }
  std::vector<int32_t> given;
  for (const std::string& from_one : processes.exchange(wanted)) {
    const size_t before = given.size();
    add_values(given, from_one);
    to_each_.push_back(static_cast<int64_t>(given.size() - before));
  }
  given_ = wengert::empty({static_cast<int64_t>(given.size())}, wengert::kLong);
  std::transform(given.begin(), given.end(), given_.data_ptr<int64_t>(),
                 [&](int32_t position) { return position - begin_; });
}

Arriving Lines::bring(const Tensor& own) const {
  if (!processes_->are_several()) return {own, nullptr};
  return processes_->exchange(own.detach().index_select(0, given_), to_each_, of_each_);
}

Tensor Lines::own_of(const Tensor& needed) const {
  return processes_->are_several() ? needed.narrow(0, own_among_needed_, own_) : needed;
}

Tensor Lines::positions() const {
  if (!processes_->are_several()) return wengert::arange(all_);
  Tensor positions = wengert::empty({needed_}, wengert::kLong);
  std::copy(positions_.begin(), positions_.end(), positions.data_ptr<int64_t>());
  return positions;
}

Tensor Lines::needed_of_all(const Tensor& all) const {
  return processes_->are_several() ? all.index_select(0, positions()) : all;
}

int32_t Lines::place_of(int32_t position) const {
  return static_cast<int32_t>(std::lower_bound(positions_.begin(), positions_.end(), position) - positions_.begin());
}

Tensor Lines::sum(const Tensor& own) const { return processes_->sum(own.sum(0)); }

Tensor Lines::mean(const Tensor& own) const { return processes_->are_several() ? sum(own) / all_ : own.mean(0); }

Tensor Lines::randn(int64_t k, const wengert::TensorOptions& options) const {
  const Tensor of_all = wengert::randn({all_, k}, options);
  return processes_->are_several() ? own_of_all(of_all) : of_all;
}

}  // namespace factorize
