#include <differential/operation.h>

namespace differential {
namespace {

// Positions of x's shape, different ones along the dimension.
template <class Tensor>
Tensor positions_like(const Tensor& x, int64_t dim) {
  return (count_along(x, dim) + 1).remainder(x.dim() == 0 ? 1 : x.size(dim));
}

}  // namespace

void add_positions(Operations& operations) {
  operations.add("gather", {Kind::kAny, Kind::kAny}, [](const auto& in, const Numbers& n) {
    const int64_t d = n.dim(0, in[0]);
    return in[0].gather(d, positions_like(in[1], d));
  });
  operations.add("scatter", {Kind::kAny, Kind::kAny}, [](const auto& in, const Numbers& n) {
    const int64_t d = n.dim(0, in[0]);
    return in[0].scatter(d, positions_like(in[1], d), in[1]);
  });
  operations.add("scatter_number", {Kind::kAny}, [](const auto& in, const Numbers& n) {
    const int64_t d = n.dim(0, in[0]);
    return in[0].scatter(d, positions_like(in[0], d), n.real);
  });
  operations.add("scatter_add", {Kind::kAny, Kind::kAny}, [](const auto& in, const Numbers& n) {
    const int64_t d = n.dim(0, in[0]);
    return in[0].scatter_add(d, positions_like(in[1], d), in[1]);
  });
  operations.add("index_select", {Kind::kAny, Kind::kLong}, [](const auto& in, const Numbers& n) {
    // Of a number libtorch takes any count of positions, and writes past its result.
    const auto index = in[0].dim() == 0 ? in[1].reshape({-1}).slice(0, 0, 1) : in[1];
    return in[0].index_select(n.dim(0, in[0]), index);
  });
  operations.add("index_add", {Kind::kAny, Kind::kAny}, [](const auto& operands, const Numbers& n) {
    // Of one shape, or libtorch's gradient throws.
    auto in = operands;
    if (in[0].sizes() != in[1].sizes()) in[1] = in[0] * 2;
    const int64_t d = n.dim(0, in[0]);
    const auto length = count_along(in[1].reshape({-1}), 0).slice(0, 0, in[1].dim() == 0 ? 1 : in[1].size(d));
    const auto index = length.remainder(in[0].dim() == 0 ? 1 : in[0].size(d));
    // libtorch's gradient for a number without dimensions writes where it must not.
    return (in[0].dim() == 0 ? in[0].reshape({1}) : in[0]).index_add(d, index, in[1], 2);
  });
  operations.add("masked_select", {Kind::kAny, Kind::kBool}, [](const auto& in, const Numbers&) {
    // Of a row-major tensor: libtorch's gradient of others is in the order of memory.
    return in[0].contiguous().masked_select(in[1]);
  });
  operations.add("take", {Kind::kAny, Kind::kLong}, [](const auto& in, const Numbers&) { return in[0].take(in[1]); });
  operations.add("index_positions", {Kind::kAny, Kind::kLong},
                 [](const auto& in, const Numbers&) { return in[0].index({in[1]}); });
  operations.add("index_mask", {Kind::kAny, Kind::kBool},
                 [](const auto& in, const Numbers&) { return in[0].index({in[1]}); });
  operations.add("index_two", {Kind::kAny, Kind::kLong, Kind::kLong}, [](const auto& in, const Numbers&) {
    return in[0].index({in[1], in[2]});
  });
  operations.add("index_with_slices", {Kind::kAny, Kind::kLong}, [](const auto& in, const Numbers& n) {
    using Tensor = std::decay_t<decltype(in[0])>;
    if constexpr (std::is_same_v<Tensor, at::Tensor>) {
      using namespace at::indexing;
      return in[0].index({Slice(n.below(0, 2), None), in[1], None, "...", n.below(1, 2)});
    } else {
      using namespace wengert::indexing;
      return in[0].index({Slice(n.below(0, 2), None), in[1], None, "...", n.below(1, 2)});
    }
  });
  operations.add("index_apart", {Kind::kAny, Kind::kLong, Kind::kLong}, [](const auto& in, const Numbers&) {
    using Tensor = std::decay_t<decltype(in[0])>;
    if constexpr (std::is_same_v<Tensor, at::Tensor>) {
      return in[0].index({in[1], at::indexing::Slice(), in[2]});
    } else {
      return in[0].index({in[1], wengert::indexing::Slice(), in[2]});
    }
  });
  operations.add_in_place("index_put_", {Kind::kAny, Kind::kLong}, [](const auto& in, const Numbers& n) {
    auto x = in[0];
    x.index_put_({in[1]}, n.real);
  });
  operations.add_in_place("index_put_mask_", {Kind::kAny, Kind::kBool}, [](const auto& in, const Numbers& n) {
    auto x = in[0];
    x.index_put_({in[1]}, n.real);
  });
  operations.add("nonzero", {Kind::kAny}, [](const auto& in, const Numbers&) { return in[0].nonzero(); });
  operations.add("embedding", {Kind::kMatrix, Kind::kLong},
                 [](const auto& in, const Numbers&) { return embedding(in[0], in[1].abs()); });
}

}  // namespace differential
