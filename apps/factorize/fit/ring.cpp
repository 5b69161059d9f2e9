#include <factorize/fit/ring.h>
#include <wengert/wengert.h>

#include <algorithm>

namespace factorize {

using wengert::NoGradGuard;
using wengert::Tensor;

Ring::Ring(const Share& share) : processes_(share.processes()), cuts_(share.columns.cuts()) {
  const NoGradGuard no_grad;
  const Entries& entries = share.of_rows;
  const Tensor rows = rows_of(entries.pattern),
               columns = share.columns.positions().index_select(0, entries.pattern.col_indices());
  for (int b = 0; b < processes_.count(); ++b) {
    const int64_t begin = cuts_[static_cast<size_t>(b)], end = begin + columns_of(b);
    const Tensor here = columns.ge(begin).logical_and(columns.lt(end)).nonzero().squeeze(1);
    const auto of_block = [&](const Tensor& x) { return x.index_select(0, here); };
    // In the order of the rows, and in a row of the columns, as they are.
    Part part{wengert::SparsePattern(of_block(rows), of_block(columns) - begin, share.rows.own(), end - begin),
              of_block(entries.values),
              {}};
    if (entries.weights.defined()) part.weights = of_block(entries.weights);
    parts_.push_back(std::move(part));
  }
}

int64_t Ring::columns_of(int block) const {
  return cuts_[static_cast<size_t>(block) + 1] - cuts_[static_cast<size_t>(block)];
}

Arriving Ring::shift(const Tensor& x, int64_t lines_that_come) const {
  const auto count = static_cast<size_t>(processes_.count()), index = static_cast<size_t>(processes_.index());
  std::vector<int64_t> to(count), from(count);
  to[(index + count - 1) % count] = x.size(0);
  from[(index + 1) % count] = lines_that_come;
  return processes_.exchange(x, to, from);
}

std::pair<Tensor, double> Ring::pass(const Tensor& own, const Loss& loss) const {
  const int count = processes_.count();
  Tensor block = own.detach().contiguous(), gradient;
  Arriving gradient_so_far(wengert::zeros_like(block), nullptr);
  double sum = 0;
  for (int step = 0; step < count; ++step) {
    const int at = block_at(step);
    Arriving next;
    if (step + 1 < count) next = shift(block, columns_of(block_at(step + 1)));
    const Tensor leaf = block.detach().requires_grad_();
    const Tensor part_of_loss = loss(parts_[static_cast<size_t>(at)], leaf);
    part_of_loss.backward();
    sum += part_of_loss.item<double>();
    {
      const NoGradGuard no_grad;
      gradient = gradient_so_far.get() + leaf.grad();
    }
    // It comes home behind the last step.
    gradient_so_far = shift(gradient, columns_of(block_at(step + 1)));
    if (step + 1 < count) block = next.get();
  }
  return {gradient_so_far.get(), sum};
}

}  // namespace factorize
