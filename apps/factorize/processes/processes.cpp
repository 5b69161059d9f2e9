#include <factorize/processes/processes.h>
#include <wengert/wengert.h>

#include <algorithm>
#include <cstdlib>
#include <numeric>

namespace factorize {

using wengert::Tensor;

const Tensor& Arriving::get() {
  if (wait_) wait_();
  wait_ = nullptr;
  return x_;
}

const Processes& Processes::alone() {
  static const Processes one;
  return one;
}

void Processes::abort(int status) const { std::exit(status); }

Arriving Processes::exchange(const Tensor& x, const std::vector<int64_t>& /*to*/,
                             const std::vector<int64_t>& /*from*/) const {
  return {x, nullptr};
}

Tensor Processes::all_at_first(const Tensor& x) const {
  if (!are_several()) return x;
  const std::vector<int64_t> of_all = of_each(x.size(0));
  std::vector<int64_t> to(of_all.size()), none(of_all.size());
  to[0] = x.size(0);
  return exchange(x.contiguous(), to, is_first() ? of_all : none).get();
}

void Processes::to_first(const std::string& piece, const std::function<void(std::string_view)>& take) const {
  std::vector<std::string> to_each(static_cast<size_t>(count_));
  for (int p = 0; p < count_; ++p) {
    to_each[0] = p == index_ ? piece : "";
    const std::vector<std::string> from_each = exchange(to_each);
    if (is_first()) take(from_each[static_cast<size_t>(p)]);
  }
}

Tensor Processes::sum(const Tensor& x) const { return are_several() ? all(x.detach().unsqueeze(0)).sum(0) : x; }

namespace {

template <class T>
std::vector<T> numbers_of_each(const Processes& processes, T x, wengert::ScalarType dtype) {
  if (!processes.are_several()) return {x};
  const Tensor all = processes.all(wengert::full({1}, x, dtype));
  return {all.data_ptr<T>(), all.data_ptr<T>() + all.numel()};
}

}  // namespace

std::vector<double> Processes::of_each(double x) const { return numbers_of_each(*this, x, wengert::kDouble); }
std::vector<int64_t> Processes::of_each(int64_t x) const { return numbers_of_each(*this, x, wengert::kLong); }
std::vector<std::string> Processes::of_each(const std::string& x) const {
  return exchange(std::vector<std::string>(static_cast<size_t>(count_), x));
}

double Processes::sum(double x) const {
  const std::vector<double> each = of_each(x);
  return std::accumulate(each.begin() + 1, each.end(), each[0]);
}
int64_t Processes::sum(int64_t x) const {
  const std::vector<int64_t> each = of_each(x);
  return std::accumulate(each.begin(), each.end(), int64_t{0});
}
double Processes::most(double x) const {
  const std::vector<double> each = of_each(x);
  return *std::max_element(each.begin(), each.end());
}
int64_t Processes::sum_before(int64_t x) const {
  const std::vector<int64_t> each = of_each(x);
  return std::accumulate(each.begin(), each.begin() + index_, int64_t{0});
}

}  // namespace factorize
