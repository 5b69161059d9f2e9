#include <wengert/autograd/tape/formula.h>
#include <wengert/ops/kernels/simd.h>
#include <wengert/ops/promotion.h>
#include <wengert/ops/reductions/reduction.h>
#include <wengert/ops/reductions/rows.h>

#include <algorithm>
#include <cmath>
#include <numeric>

// Largest and smallest, sorted and middle elements; G = dL/dy. NaN counts as larger than every number, and an
// extreme of a row that holds one is NaN.

namespace wengert {
namespace ops {
namespace {

template <class T>
bool is_nan(T x) {
  return x != x;
}

// Whether a goes before b in rising order.
template <class T>
bool rises(T a, T b) {
  return a < b || (is_nan(b) && !is_nan(a));
}
// Whether a goes before b in falling order.
template <class T>
bool falls(T a, T b) {
  return rises(b, a);
}

// Where in each row the first of the largest (or smallest) elements stands.
Tensor extreme_positions(const Rows& rows, bool largest, const char* name) {
  check(rows.length > 0 || rows.elements.numel() > 0 || rows.count > 0,
        "{}(): Expected reduction dim {} to have non-zero size.", name, rows.position);
  Tensor positions = rows.results(kLong, 1);
  int64_t* out = positions.data_ptr<int64_t>();
  dispatch(rows.elements.dtype(), [&]<class T>() {
    const T* from = rows.elements.data_ptr<T>();
    rows.for_each([&](int64_t row) {
      const T* a = from + row * rows.length;
      if constexpr (std::is_floating_point_v<T>) {
        out[row] = kernels::simd::kernels<T>().position_of_extreme(a, rows.length, largest);
      } else {
        int64_t best = 0;
        for (int64_t i = 1; i < rows.length; ++i) {
          if (largest ? a[i] > a[best] : a[i] < a[best]) best = i;
        }
        out[row] = best;
      }
    });
  });
  return positions;
}

// The gradient of an element that was picked goes where it was picked.
Tensor to_picked(const Tensor& g, const Tensor& index, IntArrayRef sizes, int64_t dim, bool keepdim) {
  Tensor dx = zeros(sizes, g.options());
  if (sizes.empty()) return g.reshape({});
  return dx.scatter(dim, keepdim ? index : index.unsqueeze(dim), keepdim ? g : g.unsqueeze(dim));
}

// (y, i) with y = x[i], i found along dim.   VJP:   dx = G at i, 0 elsewhere.
std::tuple<Tensor, Tensor> picked(const char* name, const Tensor& x, const Tensor& index, int64_t dim, bool keepdim) {
  Tensor values;
  {
    const NoGradGuard no_grad;
    values = x.dim() == 0 ? x.clone() : gather(x, dim, keepdim ? index : index.unsqueeze(dim));
    if (!keepdim && x.dim() > 0) values = values.squeeze(dim).contiguous();
    values = values.detach();
  }
  values = record(name, values, {x}, saving(index), [=, sizes = Dims(x.sizes())](const Backward& b) -> Gradients {
    return {to_picked(b.grad(), b.saved(0), sizes, dim, keepdim)};
  });
  return {values, index};
}

std::tuple<Tensor, Tensor> extreme(const char* name, const Tensor& x, int64_t dim, bool keepdim, bool largest) {
  const Rows rows(x, dim);
  const Tensor index = rows.in_place(extreme_positions(rows, largest, largest ? "max" : "min"), keepdim);
  return picked(name, x, index, wrap_dim(dim, x.dim()), keepdim);
}

Tensor position_of_extreme(const Tensor& x, std::optional<int64_t> dim, bool keepdim, bool largest) {
  const NoGradGuard no_grad;
  const char* name = largest ? "argmax" : "argmin";
  if (!dim) {
    check(x.numel() > 0,
          "{}(): Expected reduction dim to be specified for input.numel() == 0. Specify the reduction "
          "dim with the 'dim' argument.",
          name);
    const Rows rows(x.reshape({-1}), 0);
    check(x.dtype() != kBool, "\"{}_cpu\" not implemented for 'Bool'", name);
    const Tensor index = extreme_positions(rows, largest, name).reshape({});
    return (keepdim ? index.reshape(std::vector<int64_t>(x.sizes().size(), 1)) : index).detach();
  }
  const Rows rows(x, *dim);
  check(x.dtype() != kBool || x.numel() == 0 || (x.dim() > 0 && rows.length == 1),
        "\"{}_cpu\" not implemented for 'Bool'", name);
  return rows.in_place(extreme_positions(rows, largest, name), keepdim);
}

// The extreme over several dimensions.   VJP:   those equal to it share G.
Tensor extreme_over(const char* node, const char* name, const Tensor& x, IntArrayRef dims, bool keepdim, bool largest) {
  const DimSet reduced = reduced_dims(dims, x.sizes().size());
  const Dims kept_shape = reduced_shape(x.sizes(), reduced, true);
  Dims kept, all_dims;
  for (size_t d = 0; d < x.sizes().size(); ++d) {
    if (!reduced[d]) kept.push_back(static_cast<int64_t>(d));
  }
  const size_t kept_count = kept.size();
  for (size_t d = 0; d < x.sizes().size(); ++d) {
    if (reduced[d]) {
      check(x.sizes()[d] > 0, "{}(): Expected reduction dim {} to have non-zero size.", name, d);
      kept.push_back(static_cast<int64_t>(d));
      all_dims.push_back(static_cast<int64_t>(d));
    }
  }
  Tensor y;
  {
    // The reduced dimensions side by side are one, and then the extreme of rows.
    const NoGradGuard no_grad;
    Dims shape;
    for (size_t i = 0; i < kept_count; ++i) shape.push_back(x.size(kept[i]));
    int64_t count = 1;
    for (const int64_t d : all_dims) count *= x.size(d);
    shape.push_back(count);
    const Tensor rows_of_x = x.detach().permute(kept).reshape(shape);
    const Rows rows(rows_of_x, -1);
    const Tensor index = rows.in_place(extreme_positions(rows, largest, name));
    y = gather(rows_of_x, -1, index).reshape(reduced_shape(x.sizes(), reduced, keepdim));
    if (y.is_view()) y = y.clone();
  }
  return record(node, y, {x}, saving(x, ToSave::output(y)), [kept_shape, all_dims](const Backward& b) -> Gradients {
    const Tensor x = b.saved(0), y = b.saved(1).reshape(kept_shape), g = b.grad().reshape(kept_shape);
    const Tensor chosen = logical_or(x == y, logical_and(isnan(x), isnan(y)));
    return {where(chosen, all_dims.empty() ? g : g / chosen.sum(all_dims, true), zeros({}, g.options()))};
  });
}

// The first `count` of each row in the order `before`, and where they stood.
template <class Before>
std::tuple<Tensor, Tensor> arranged(const Tensor& x, int64_t dim, int64_t count, Before before) {
  const Rows rows(x, dim);
  Tensor positions = rows.results(kLong, count);
  int64_t* out = positions.data_ptr<int64_t>();
  dispatch(x.dtype(), [&]<class T>() {
    const T* from = rows.elements.data_ptr<T>();
    rows.for_each([&](int64_t row) {
      const T* a = from + row * rows.length;
      std::vector<int64_t> order(static_cast<size_t>(rows.length));
      std::iota(order.begin(), order.end(), 0);
      // Equal elements in the order in which they stand.
      const auto first = [&](int64_t i, int64_t j) { return before(a[i], a[j]) || (!before(a[j], a[i]) && i < j); };
      std::partial_sort(order.begin(), order.begin() + count, order.end(), first);
      std::copy_n(order.begin(), count, out + row * count);
    });
  });
  return picked("SortBackward0", x, rows.in_place(positions), wrap_dim(dim, x.dim()), true);
}

// Where in each row the middle element stands: of an even number the smaller middle; a NaN, if there is one.
Tensor median_positions(const Rows& rows) {
  Tensor positions = rows.results(kLong, 1);
  int64_t* out = positions.data_ptr<int64_t>();
  dispatch_numbers(rows.elements.dtype(), "median", [&]<class T>() {
    const T* from = rows.elements.data_ptr<T>();
    rows.for_each([&](int64_t row) {
      const T* a = from + row * rows.length;
      std::vector<int64_t> order(static_cast<size_t>(rows.length));
      std::iota(order.begin(), order.end(), 0);
      const auto nan = std::find_if(order.begin(), order.end(), [&](int64_t i) { return is_nan(a[i]); });
      const auto middle = order.begin() + (rows.length - 1) / 2;
      if (nan != order.end()) {
        out[row] = *nan;
      } else {
        std::nth_element(order.begin(), middle, order.end(), [&](int64_t i, int64_t j) { return rises(a[i], a[j]); });
        out[row] = *middle;
      }
    });
  });
  return positions;
}

}  // namespace
}  // namespace ops

using namespace ops;

Tensor max(const Tensor& x) {
  check(x.numel() > 0,
        "max(): Expected reduction dim to be specified for input.numel() == 0. Specify the reduction dim with the "
        "'dim' argument.");
  return extreme_over("MaxBackward1", "max", x, {}, false, true);
}
Tensor min(const Tensor& x) {
  check(x.numel() > 0,
        "min(): Expected reduction dim to be specified for input.numel() == 0. Specify the reduction dim with the "
        "'dim' argument.");
  return extreme_over("MinBackward1", "min", x, {}, false, false);
}
std::tuple<Tensor, Tensor> max(const Tensor& x, int64_t dim, bool keepdim) {
  return extreme("MaxBackward0", x, dim, keepdim, true);
}
std::tuple<Tensor, Tensor> min(const Tensor& x, int64_t dim, bool keepdim) {
  return extreme("MinBackward0", x, dim, keepdim, false);
}
Tensor max(const Tensor& a, const Tensor& b) { return maximum(a, b); }
Tensor min(const Tensor& a, const Tensor& b) { return minimum(a, b); }
Tensor amax(const Tensor& x, IntArrayRef dims, bool keepdim) {
  return extreme_over("AmaxBackward0", "amax", x, dims, keepdim, true);
}
Tensor amin(const Tensor& x, IntArrayRef dims, bool keepdim) {
  return extreme_over("AminBackward0", "amin", x, dims, keepdim, false);
}
Tensor argmax(const Tensor& x, std::optional<int64_t> dim, bool keepdim) {
  return position_of_extreme(x, dim, keepdim, true);
}
Tensor argmin(const Tensor& x, std::optional<int64_t> dim, bool keepdim) {
  return position_of_extreme(x, dim, keepdim, false);
}

std::tuple<Tensor, Tensor> sort(const Tensor& x, int64_t dim, bool descending) {
  const int64_t count = x.dim() == 0 ? 1 : x.size(dim);
  return descending ? arranged(x, dim, count, [](auto a, auto b) { return falls(a, b); })
                    : arranged(x, dim, count, [](auto a, auto b) { return rises(a, b); });
}
Tensor argsort(const Tensor& x, int64_t dim, bool descending) { return std::get<1>(sort(x, dim, descending)); }

std::tuple<Tensor, Tensor> topk(const Tensor& x, int64_t k, int64_t dim, bool largest, bool) {
  check(k >= 0 && k <= (x.dim() == 0 ? 1 : x.size(dim)), "selected index k out of range");
  check(x.dim() == 0 || x.dtype() != kBool, "\"topk_cpu\" not implemented for 'Bool'");
  if (x.dim() == 0) k = 1;  // a single number has no place for none
  return largest ? arranged(x, dim, k, [](auto a, auto b) { return falls(a, b); })
                 : arranged(x, dim, k, [](auto a, auto b) { return rises(a, b); });
}

Tensor median(const Tensor& x) {
  check(x.numel() > 0 || x.is_floating_point(), "median(): there is none of no whole numbers");
  if (x.numel() == 0) return sum(x) + std::numeric_limits<double>::quiet_NaN();
  return std::get<0>(median(x.reshape({-1}), 0));
}
std::tuple<Tensor, Tensor> median(const Tensor& x, int64_t dim, bool keepdim) {
  const Rows rows(x, dim);
  check(rows.length > 0, "median(): Expected reduction dim {} to have non-zero size.", rows.position);
  const Tensor index = rows.in_place(median_positions(rows), keepdim);
  return picked("MedianBackward1", x, index, wrap_dim(dim, x.dim()), keepdim);
}

}  // namespace wengert
