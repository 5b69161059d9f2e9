#include <wengert/autograd/base/cpu.h>
#include <wengert/autograd/tape/formula.h>
#include <wengert/ops/elementwise/chosen.h>
#include <wengert/ops/kernels/simd.h>
#include <wengert/ops/promotion.h>
#include <wengert/ops/reductions/fold.h>
#include <wengert/ops/reductions/reduction.h>
#include <wengert/ops/reductions/rows.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <memory>
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

// The largest (or smallest) elements along a dimension, and where the first of equal ones stand.
struct Extremes {
  Tensor values, positions;
};

// Of lines whose elements lie side by side: as many results at once. at: of the type of indices that has T's size.
template <bool kLargest, class T, class Index>
[[gnu::always_inline]] inline void add_line(T* best, Index* at, const T* line, Index l, int64_t columns) {
#pragma omp simd
  for (int64_t j = 0; j < columns; ++j) {
    const T v = line[j], m = best[j];
    const bool beats = m == m && !(kLargest ? v <= m : v >= m);  // a NaN beats all numbers
    best[j] = beats ? v : m;
    at[j] = beats ? l : at[j];
  }
}
template <bool kLargest, class T, class Index>
void add_lines(T* best, Index* at, const T* line, int64_t stride, int64_t length, int64_t columns) {
  cpu::vectorized([=] {
    for (int64_t l = 1; l < length; ++l) {
      add_line<kLargest>(best, at, line + l * stride, static_cast<Index>(l), columns);
    }
  });
}

// The extremes of a few columns: a line of several rows after another, so that vectors have something to do, and of the
// candidates that each column has then, the first of the best.
template <bool kLargest, class T>
void find_extremes_of_few(const T* x, int64_t length, int64_t columns, T* values, int64_t* positions) {
  constexpr int64_t kMost = 64;
  using Index = std::conditional_t<sizeof(T) == 4, int32_t, int64_t>;
  const int64_t rows = kMost / columns, wide = rows * columns, lines = length / rows;
  std::array<T, kMost> best;
  std::array<Index, kMost> at{};
  std::copy_n(x, wide, best.begin());
  add_lines<kLargest>(best.data(), at.data(), x, wide, lines, wide);
  for (int64_t column = 0; column < columns; ++column) {
    T value = best[static_cast<size_t>(column)];
    int64_t position = at[static_cast<size_t>(column)] * rows;
    const auto add = [&](T v, int64_t from) {
      const bool beats = value == value && !(kLargest ? v <= value : v >= value);
      const bool is_equal = v == value || (v != v && value != value);
      if (!beats && !(is_equal && from < position)) return;
      value = v;
      position = from;
    };
    for (int64_t row = 1; row < rows; ++row) {
      const auto i = static_cast<size_t>(row * columns + column);
      add(best[i], at[i] * rows + row);
    }
    for (int64_t row = lines * rows; row < length; ++row) add(x[row * columns + column], row);
    values[column] = value;
    positions[column] = position;
  }
}

template <bool kLargest, class T>
void find_extremes(const Lines& lines, T* values, int64_t* positions) {
  const T* x = lines.x.data_ptr<T>();
  const int64_t length = lines.length, inner = lines.inner;
  constexpr int64_t kShort = 32, kMostColumns = 512;
  if (inner == 1) {
    kernels::parallel_rows(lines.outer, length, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        const T* a = x + row * length;
        int64_t at = 0;
        if (std::is_floating_point_v<T> && length > kShort) {
          if constexpr (std::is_floating_point_v<T>) {
            at = kernels::simd::kernels<T>().position_of_extreme(a, length, kLargest);
          }
        } else {
          for (int64_t l = 1; l < length; ++l) {
            const bool beats = a[at] == a[at] && !(kLargest ? a[l] <= a[at] : a[l] >= a[at]);
            at = beats ? l : at;
          }
        }
        values[row] = a[at];
        positions[row] = at;
      }
    });
    return;
  }
  constexpr int64_t kFewColumns = 16, kManyRows = 128;
  if (inner <= kFewColumns && length >= kManyRows) {
    kernels::parallel_rows(lines.outer, length * inner, [&](int64_t begin, int64_t end) {
      for (int64_t o = begin; o < end; ++o) {
        find_extremes_of_few<kLargest>(x + o * length * inner, length, inner, values + o * inner,
                                       positions + o * inner);
      }
    });
    return;
  }
  const int64_t pieces = (inner + kMostColumns - 1) / kMostColumns;
  kernels::parallel_rows(lines.outer * pieces, length * std::min(inner, kMostColumns), [&](int64_t begin, int64_t end) {
    using Index = std::conditional_t<sizeof(T) == 4, int32_t, int64_t>;
    std::array<Index, kMostColumns> at;
    for (int64_t piece = begin; piece < end; ++piece) {
      const int64_t o = piece / pieces, first = piece % pieces * kMostColumns;
      const int64_t columns = std::min(kMostColumns, inner - first);
      const T* line = x + o * length * inner + first;
      T* best = values + o * inner + first;
      std::copy_n(line, columns, best);
      std::fill_n(at.begin(), columns, Index(0));
      add_lines<kLargest>(best, at.data(), line, inner, length, columns);
      std::copy_n(at.begin(), columns, positions + o * inner + first);
    }
  });
}

Extremes extremes(const Tensor& x, int64_t dim, bool keepdim, bool largest, const char* name) {
  const NoGradGuard no_grad;
  const int64_t position = wrap_dim(dim, x.dim());
  const Lines lines(x.detach(), position);
  const Extremes found{lines.results(x.dtype()), lines.results(kLong)};
  check(lines.length > 0, "{}(): Expected reduction dim {} to have non-zero size.", name, position);
  if (found.values.numel() > 0) {
    dispatch(x.dtype(), [&]<class T>() {
      auto* values = found.values.data_ptr<T>();
      auto* positions = found.positions.data_ptr<int64_t>();
      largest ? find_extremes<true, T>(lines, values, positions) : find_extremes<false, T>(lines, values, positions);
    });
  }
  return {lines.in_place(found.values, keepdim), lines.in_place(found.positions, keepdim)};
}

// The values alone.
Tensor extreme_values(const Tensor& x, int64_t dim, bool keepdim, bool largest) {
  const NoGradGuard no_grad;
  const Lines lines(x.detach(), wrap_dim(dim, x.dim()));
  const Tensor values = lines.results(x.dtype());
  dispatch(x.dtype(), [&]<class T>() {
    using Limits = std::numeric_limits<T>;
    T* to = values.data_ptr<T>();
    const auto write = [&](int64_t i, T value) { to[i] = value; };
    if (largest) {
      const auto larger = [](T m, T v) { return ((m != m) | (m >= v)) ? m : v; };
      const auto larger_of_few = [](T m, T v) { return kChosen((m != m) | (m >= v), m, v); };
      fold<T>(lines, Limits::has_infinity ? static_cast<T>(-Limits::infinity()) : Limits::lowest(), larger,
              larger_of_few, write);
    } else {
      const auto smaller = [](T m, T v) { return ((m != m) | (m <= v)) ? m : v; };
      const auto smaller_of_few = [](T m, T v) { return kChosen((m != m) | (m <= v), m, v); };
      fold<T>(lines, Limits::has_infinity ? Limits::infinity() : Limits::max(), smaller, smaller_of_few, write);
    }
  });
  return lines.in_place(values, keepdim);
}

// The gradient of an element that was picked goes where it was picked.
Tensor to_picked(const Tensor& g, const Tensor& index, IntArrayRef sizes, int64_t dim, bool keepdim) {
  Tensor dx = zeros(sizes, g.options());
  if (sizes.empty()) return g.reshape({});
  return dx.scatter(dim, keepdim ? index : index.unsqueeze(dim), keepdim ? g : g.unsqueeze(dim));
}

// (y, i) with y = x[i], i found along dim.   VJP:   dx = G at i, 0 elsewhere.
std::tuple<Tensor, Tensor> picked(const char* name, const Tensor& x, const Tensor& values, const Tensor& index,
                                  int64_t dim, bool keepdim) {
  const Tensor y =
      record(name, values, {x}, saving(index), [=, sizes = Dims(x.sizes())](const Backward& b) -> Gradients {
        return {to_picked(b.grad(), b.saved(0), sizes, dim, keepdim)};
      });
  return {y, index};
}
std::tuple<Tensor, Tensor> picked(const char* name, const Tensor& x, const Tensor& index, int64_t dim, bool keepdim) {
  Tensor values;
  {
    const NoGradGuard no_grad;
    values = x.dim() == 0 ? x.clone() : gather(x, dim, keepdim ? index : index.unsqueeze(dim));
    if (!keepdim && x.dim() > 0) values = values.squeeze(dim).contiguous();
    values = values.detach();
  }
  return picked(name, x, values, index, dim, keepdim);
}

std::tuple<Tensor, Tensor> extreme(const char* name, const Tensor& x, int64_t dim, bool keepdim, bool largest) {
  const Extremes found = extremes(x, dim, keepdim, largest, largest ? "max" : "min");
  return picked(name, x, found.values, found.positions, wrap_dim(dim, x.dim()), keepdim);
}

Tensor position_of_extreme(const Tensor& x, std::optional<int64_t> dim, bool keepdim, bool largest) {
  const NoGradGuard no_grad;
  const char* name = largest ? "argmax" : "argmin";
  if (!dim) {
    check(x.numel() > 0,
          "{}(): Expected reduction dim to be specified for input.numel() == 0. Specify the reduction "
          "dim with the 'dim' argument.",
          name);
    check(x.dtype() != kBool, "\"{}_cpu\" not implemented for 'Bool'", name);
    const Tensor index = extremes(x.reshape({-1}), 0, false, largest, name).positions;
    return (keepdim ? index.reshape(std::vector<int64_t>(x.sizes().size(), 1)) : index).detach();
  }
  const int64_t length = x.dim() == 0 ? 1 : x.size(wrap_dim(*dim, x.dim()));
  check(x.dtype() != kBool || x.numel() == 0 || (x.dim() > 0 && length == 1), "\"{}_cpu\" not implemented for 'Bool'",
        name);
  return extremes(x, *dim, keepdim, largest, name).positions;
}

// Shares of g for the elements of x that equal y: among as many as there are along `dims`; none: along all.
Tensor shared_by_equals(const Tensor& g, const Tensor& x, const Tensor& y, IntArrayRef dims) {
  const Tensor chosen = logical_or(x == y, logical_and(isnan(x), isnan(y)));
  return where(chosen, g / (dims.empty() ? chosen.sum() : chosen.sum(dims, true)), zeros({}, g.options()));
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
    y = all_dims.size() == 1 ? extreme_values(x, all_dims[0], keepdim, largest)
                             : extreme_values(x.detach().permute(kept).reshape(shape), -1, false, largest)
                                   .reshape(reduced_shape(x.sizes(), reduced, keepdim))
                                   .detach();
  }
  return record(node, y, {x}, saving(x, ToSave::output(y)), [kept_shape, all_dims](const Backward& b) -> Gradients {
    return {shared_by_equals(b.grad().reshape(kept_shape), b.saved(0), b.saved(1).reshape(kept_shape), all_dims)};
  });
}

// Where in a row the `count` elements stand that go first, in a heap with the one that goes last of them at its top.
// goes_first: of two positions.
template <bool kFalling, class T, class GoesFirst>
void find_first(const T* a, int64_t length, int64_t count, const GoesFirst& goes_first, int64_t* found) {
  std::iota(found, found + count, 0);
  std::make_heap(found, found + count, goes_first);
  constexpr int64_t kBlock = 64;
  for (int64_t i = count; i < length; i += kBlock) {
    const int64_t end = std::min(length, i + kBlock);
    const T last = a[found[0]];
    // True of what goes before the last, and where one of both is NaN; in most blocks of nothing.
    int any = 0;
#pragma omp simd reduction(| : any)
    for (int64_t j = i; j < end; ++j) any |= kFalling ? !(a[j] <= last) : !(a[j] >= last);
    if (any == 0) continue;
    for (int64_t j = i; j < end; ++j) {
      if (!goes_first(j, found[0])) continue;
      std::pop_heap(found, found + count, goes_first);
      found[count - 1] = j;
      std::push_heap(found, found + count, goes_first);
    }
  }
}

// An element as a whole number of the same order: of the bits of a floating-point number those below its sign rise with
// its size. Zeros are alike, and NaN are, above all others.
template <bool kFalling, class T>
auto key_of(T x) {
  using Key = std::conditional_t<sizeof(T) <= 4, uint32_t, uint64_t>;
  Key key;
  if constexpr (std::is_floating_point_v<T>) {
    const Key bits = std::bit_cast<Key>(x + T(0));  // -0 + 0 is 0
    constexpr Key kSign = Key{1} << (8 * sizeof(T) - 1);
    key = is_nan(x) ? ~Key{0} : (bits & kSign) != 0 ? ~bits : bits | kSign;
  } else if constexpr (std::is_same_v<T, bool>) {
    key = x ? 1 : 0;
  } else {
    key = static_cast<Key>(x) ^ (Key{1} << 63);
  }
  return kFalling ? static_cast<Key>(~key) : key;
}

// An element's key and where it stands, in this order.
template <class Key>
struct Placed {
  Key key;
  uint32_t at;
  bool operator<(const Placed& other) const { return key < other.key || (key == other.key && at < other.at); }
};

// By the keys' bytes from the last to the first, each time keeping the order of equal ones. items and spare: `count`
// each; returns which of them has the result.
template <class Key>
Placed<Key>* radix_sorted(Placed<Key>* items, Placed<Key>* spare, size_t count) {
  constexpr size_t kBytes = sizeof(Key);
  std::array<std::array<uint32_t, 256>, kBytes> counts{};
  for (size_t i = 0; i < count; ++i) {
    for (size_t byte = 0; byte < kBytes; ++byte) ++counts[byte][items[i].key >> (8 * byte) & 255];
  }
  for (size_t byte = 0; byte < kBytes; ++byte) {
    auto& begins = counts[byte];
    if (begins[items[0].key >> (8 * byte) & 255] == count) continue;  // all alike
    std::exclusive_scan(begins.begin(), begins.end(), begins.begin(), uint32_t{0});
    for (size_t i = 0; i < count; ++i) spare[begins[items[i].key >> (8 * byte) & 255]++] = items[i];
    std::swap(items, spare);
  }
  return items;
}

// Where the `count` elements stand that go first, in their order.
template <bool kFalling, class T>
void find_order(const T* a, int64_t length, int64_t count, int64_t* found) {
  using Item = Placed<decltype(key_of<kFalling>(a[0]))>;
  constexpr size_t kFew = 64, kWorthCounting = 256;
  const auto size = static_cast<size_t>(length);
  std::array<Item, kFew> few;
  const std::unique_ptr<Item[]> many(size > kFew ? new Item[2 * size] : nullptr);
  Item* items = many ? many.get() : few.data();
  for (size_t i = 0; i < size; ++i) items[i] = {key_of<kFalling>(a[i]), static_cast<uint32_t>(i)};
  if (size >= kWorthCounting) {
    items = radix_sorted(items, items + size, size);
  } else if (size <= 16) {
    for (size_t i = 1; i < size; ++i) {
      const Item item = items[i];
      size_t j = i;
      for (; j > 0 && item.key < items[j - 1].key; --j) items[j] = items[j - 1];
      items[j] = item;
    }
  } else {
    std::sort(items, items + size);
  }
  for (int64_t i = 0; i < count; ++i) found[i] = items[i].at;
}

// The first `count` of each row in falling or rising order, and where they stood.
template <bool kFalling>
std::tuple<Tensor, Tensor> arranged(const char* node, const Tensor& x, int64_t dim, int64_t count) {
  const Rows rows(x, dim);
  check(rows.length <= int64_t{UINT32_MAX}, "sort: {} elements in a row are too many", rows.length);
  Tensor positions = rows.results(kLong, count), values = rows.results(x.dtype(), count);
  int64_t* out = positions.data_ptr<int64_t>();
  dispatch(x.dtype(), [&]<class T>() {
    const T* from = rows.elements.data_ptr<T>();
    T* value = values.data_ptr<T>();
    rows.for_each([&](int64_t row) {
      const T* a = from + row * rows.length;
      int64_t* found = out + row * count;
      if (constexpr int64_t kFew = 8; count > 0 && count <= rows.length / kFew) {
        // Equal elements in the order in which they stand.
        const auto goes_first = [&](int64_t i, int64_t j) {
          const bool before = kFalling ? falls(a[i], a[j]) : rises(a[i], a[j]);
          return before || (i < j && !(kFalling ? falls(a[j], a[i]) : rises(a[j], a[i])));
        };
        find_first<kFalling>(a, rows.length, count, goes_first, found);
        std::sort_heap(found, found + count, goes_first);
      } else {
        find_order<kFalling>(a, rows.length, count, found);
      }
      for (int64_t i = 0; i < count; ++i) value[row * count + i] = a[found[i]];
    });
  });
  return picked(node, x, rows.in_place(values), rows.in_place(positions), wrap_dim(dim, x.dim()), true);
}

// The key of rank `rank` among these, which are left in another order. Each round counts the keys by their next bits
// and keeps those that have the wanted one's.
template <class Key>
Key key_of_rank(Key* keys, size_t count, size_t rank) {
  constexpr int kBits = 8 * sizeof(Key), kDigit = 11;
  std::array<size_t, 1 << kDigit> counts;
  for (int below = kBits; below > 0 && count > 1;) {
    const int bits = std::min(kDigit, below);
    below -= bits;
    const auto digit_of = [=](Key key) { return static_cast<size_t>(key >> below) & ((size_t{1} << bits) - 1); };
    counts.fill(0);
    for (size_t i = 0; i < count; ++i) ++counts[digit_of(keys[i])];
    size_t digit = 0;
    for (; rank >= counts[digit]; ++digit) rank -= counts[digit];
    size_t kept = 0;
    for (size_t i = 0; i < count; ++i) {
      keys[kept] = keys[i];
      kept += digit_of(keys[i]) == digit ? 1 : 0;
    }
    count = kept;
  }
  return keys[0];
}

// Where the middle one of a[0..length) stands; of an even number the smaller middle; a NaN, if there is one.
template <class T>
int64_t position_of_middle(const T* a, int64_t length) {
  constexpr int64_t kFew = 64;
  const int64_t middle = (length - 1) / 2;
  const auto size = static_cast<size_t>(length);
  if (length > kFew) {
    using Key = decltype(key_of<false>(a[0]));
    const std::unique_ptr<Key[]> keys(new Key[size]);
    for (size_t i = 0; i < size; ++i) keys[i] = key_of<false>(a[i]);
    const auto is = [&, key = key_of_rank(keys.get(), size, static_cast<size_t>(middle))](T x) {
      return key_of<false>(x) == key;
    };
    const T* first = std::find_if(a, a + length, is);
    if (std::find_if(first + 1, a + length, is) == a + length) return first - a;
  }
  // Of equal ones the one that the standard library's selection comes upon, as in libtorch.
  struct Standing {
    T value;
    std::conditional_t<sizeof(T) <= 4, int32_t, int64_t> at;
  };
  std::array<Standing, kFew> few;
  const std::unique_ptr<Standing[]> many(length > kFew ? new Standing[size] : nullptr);
  Standing* items = many ? many.get() : few.data();
  for (int64_t i = 0; i < length; ++i) items[i] = {a[i], static_cast<decltype(Standing::at)>(i)};
  std::nth_element(items, items + middle, items + length,
                   [](const Standing& x, const Standing& y) { return x.value < y.value; });
  return items[middle].at;
}

Tensor median_positions(const Rows& rows) {
  Tensor positions = rows.results(kLong, 1);
  int64_t* out = positions.data_ptr<int64_t>();
  dispatch_numbers(rows.elements.dtype(), "median", [&]<class T>() {
    const T* from = rows.elements.data_ptr<T>();
    rows.for_each([&](int64_t row) {
      const T* a = from + row * rows.length;
      const T* nan = std::find_if(a, a + rows.length, is_nan<T>);
      out[row] = nan != a + rows.length ? nan - a : position_of_middle(a, rows.length);
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
  return unrecorded("argmax", position_of_extreme(x, dim, keepdim, true));
}
Tensor argmin(const Tensor& x, std::optional<int64_t> dim, bool keepdim) {
  return unrecorded("argmin", position_of_extreme(x, dim, keepdim, false));
}

std::tuple<Tensor, Tensor> sort(const Tensor& x, int64_t dim, bool descending) {
  const int64_t count = x.dim() == 0 ? 1 : x.size(dim);
  constexpr const char* kNode = "SortBackward0";
  return descending ? arranged<true>(kNode, x, dim, count) : arranged<false>(kNode, x, dim, count);
}
Tensor argsort(const Tensor& x, int64_t dim, bool descending) { return std::get<1>(sort(x, dim, descending)); }

std::tuple<Tensor, Tensor> topk(const Tensor& x, int64_t k, int64_t dim, bool largest, bool) {
  check(k >= 0 && k <= (x.dim() == 0 ? 1 : x.size(dim)), "selected index k out of range");
  check(x.dim() == 0 || x.dtype() != kBool, "\"topk_cpu\" not implemented for 'Bool'");
  if (x.dim() == 0) k = 1;  // a single number has no place for none
  constexpr const char* kNode = "TopkBackward0";
  return largest ? arranged<true>(kNode, x, dim, k) : arranged<false>(kNode, x, dim, k);
}

// VJP:   those equal to it share G.
Tensor median(const Tensor& x) {
  check(x.numel() > 0 || x.is_floating_point(), "median(): there is none of no whole numbers");
  Tensor y;
  {
    const NoGradGuard no_grad;
    const Tensor line = x.detach().reshape({-1});
    y = x.numel() == 0 ? full({}, std::numeric_limits<double>::quiet_NaN(), x.options())
                       : std::get<0>(median(line, 0)).detach();
  }
  return record("MedianBackward0", y, {x}, saving(x, ToSave::output(y)), [](const Backward& b) -> Gradients {
    return {shared_by_equals(b.grad(), b.saved(0), b.saved(1), {})};
  });
}
std::tuple<Tensor, Tensor> median(const Tensor& x, int64_t dim, bool keepdim) {
  const Rows rows(x, dim);
  check(rows.length > 0, "median(): Expected reduction dim {} to have non-zero size.", rows.position);
  const Tensor index = rows.in_place(median_positions(rows), keepdim);
  return picked("MedianBackward1", x, index, wrap_dim(dim, x.dim()), keepdim);
}

}  // namespace wengert
