#include <differential/operation.h>

namespace differential {

void add_shapes(Operations& operations) {
  using Dims = std::vector<int64_t>;
  const auto shape = [&](const char* name, auto f) {
    operations.add(name, {Kind::kAny}, [f](const auto& in, const Numbers& n) { return f(in[0], n); });
  };
  shape("flat_view", [](const auto& x, const Numbers&) { return x.view(Dims{-1}); });
  shape("reshape", [](const auto& x, const Numbers& n) { return x.reshape(Dims{n.below(0, 4) + 1, -1}); });
  shape("t", [](const auto& x, const Numbers&) { return x.t(); });
  shape("transpose", [](const auto& x, const Numbers& n) { return x.transpose(n.dim(0, x), n.dim(1, x)); });
  shape("permute", [](const auto& x, const Numbers& n) {
    Dims order(static_cast<size_t>(x.dim()));
    for (size_t i = 0; i < order.size(); ++i) order[i] = static_cast<int64_t>((i + n.raw[0]) % order.size());
    return x.permute(order);
  });
  shape("expand", [](const auto& x, const Numbers& n) {
    Dims sizes(x.sizes().begin(), x.sizes().end());
    for (int64_t& size : sizes) size = size == 1 ? 3 : n.flag(0) ? -1 : size;
    sizes.insert(sizes.begin(), 2);
    return x.expand(sizes);
  });
  shape("squeeze", [](const auto& x, const Numbers&) { return x.squeeze(); });
  shape("squeeze_dim", [](const auto& x, const Numbers& n) { return x.squeeze(n.dim(0, x)); });
  shape("unsqueeze", [](const auto& x, const Numbers& n) { return x.unsqueeze(n.dim(0, x)); });
  shape("select", [](const auto& x, const Numbers& n) {
    const int64_t d = n.dim(0, x);
    return x.select(d, n.below(1, x.dim() == 0 || d >= x.dim() ? 1 : x.size(d)));
  });
  shape("narrow", [](const auto& x, const Numbers& n) {
    const int64_t d = n.dim(0, x), size = x.size(d), start = n.below(1, size + 1);
    return x.narrow(d, start, n.below(2, size - start + 1));
  });
  shape("slice", [](const auto& x, const Numbers& n) {
    return x.slice(n.dim(0, x), n.below(1, 5) - 2, n.below(2, 7) - 1, n.below(3, 3) + 1);
  });
  // Strides of dimensions of size 1 mean nothing; those of repeated ones are 0.
  shape("slice_far", [](const auto& x, const Numbers& n) {
    const int64_t d = n.dim(0, x), start = n.below(1, std::max<int64_t>(1, x.size(d)));
    return x.slice(d, start, start + 1, 2 + n.below(2, 9));
  });
  shape("slice_far_transposed", [](const auto& x, const Numbers& n) {
    return x.unsqueeze(-1).slice(-1, 0, 1, 2 + n.below(0, 5)).transpose(n.dim(1, x), -1);
  });
  shape("step_and_expand", [](const auto& x, const Numbers& n) {
    const int64_t d = n.dim(0, x);
    Dims sizes(x.sizes().begin(), x.sizes().end());
    const auto one = x.narrow(d, 0, std::min<int64_t>(1, x.size(d)));
    return one.slice(d, 0, 1, 3).expand(sizes).transpose(d, -1);
  });
  shape("expand_transposed", [](const auto& x, const Numbers& n) {
    return x.unsqueeze(n.dim(0, x))
        .expand_as(x.unsqueeze(n.dim(0, x)).repeat_interleave(2, n.dim(0, x)))
        .transpose(0, -1);
  });
  shape("empty_along", [](const auto& x, const Numbers& n) { return x.narrow(n.dim(0, x), 0, 0); });
  shape("flatten", [](const auto& x, const Numbers& n) { return x.flatten(n.dim(0, x), -1); });
  shape("diagonal",
        [](const auto& x, const Numbers& n) { return x.diagonal(n.below(0, 5) - 2, n.dim(1, x), n.dim(2, x)); });
  shape("movedim", [](const auto& x, const Numbers& n) { return x.movedim(n.dim(0, x), n.dim(1, x)); });
  shape("contiguous", [](const auto& x, const Numbers&) { return x.contiguous() * 1; });
  shape("split", [](const auto& x, const Numbers& n) { return x.split(n.below(0, 3) + 1, n.dim(1, x))[0] * 2; });
  shape("chunk", [](const auto& x, const Numbers& n) { return x.chunk(n.below(0, 3) + 1, n.dim(1, x))[0] * 2; });
  shape("unbind", [](const auto& x, const Numbers& n) { return x.unbind(n.dim(0, x)).at(0) * 2; });
  shape("repeat", [](const auto& x, const Numbers& n) {
    Dims counts(static_cast<size_t>(x.dim()) + 1, 1);
    counts[static_cast<size_t>(n.below(0, x.dim() + 1))] = n.below(1, 3);
    return x.repeat(counts);
  });
  shape("tile", [](const auto& x, const Numbers& n) { return x.tile(Dims{n.below(0, 3)}); });
  shape("repeat_interleave",
        [](const auto& x, const Numbers& n) { return x.repeat_interleave(n.below(0, 3), n.dim(1, x)); });
  shape("flip", [](const auto& x, const Numbers& n) { return x.flip(Dims{n.dim(0, x)}); });
  shape("roll", [](const auto& x, const Numbers& n) { return x.roll(Dims{n.below(0, 7) - 3}, Dims{n.dim(1, x)}); });
  shape("roll_flat", [](const auto& x, const Numbers& n) { return x.roll(Dims{n.below(0, 7) - 3}); });
  shape("pad", [](const auto& x, const Numbers& n) {
    return constant_pad_nd(x, Dims{n.below(0, 4) - 1, n.below(1, 4) - 1}, n.real);
  });
  shape("tril", [](const auto& x, const Numbers& n) { return x.tril(n.below(0, 5) - 2); });
  shape("triu", [](const auto& x, const Numbers& n) { return x.triu(n.below(0, 5) - 2); });
  shape("diag",
        [](const auto& x, const Numbers& n) {  // libtorch computes a negative size for diagonals that lie outside.
          return x.diag(x.numel() == 0 ? 0 : n.below(0, 3) - 1);
        });
  // libtorch's gradient is wrong for matrices of more rows than columns.
  operations.add("trace", {Kind::kSquare}, [](const auto& in, const Numbers&) { return in[0].trace(); });
  shape("as_strided", [](const auto& x, const Numbers& n) {
    const auto y = x.contiguous();
    // Within the elements: libtorch's result of a loss may have a storage that is larger.
    const Dims sizes{n.below(0, 2) + 1, n.below(1, 2) + 1};
    const bool fits = 2 * (sizes[0] - 1) + sizes[1] <= y.numel();
    return y.as_strided(fits ? sizes : Dims{0, 1}, Dims{2, 1}) * 1;
  });

  operations.add("cat", {Kind::kAny, Kind::kAny},
                 [](const auto& in, const Numbers& n) { return cat(in, n.dim(0, in[0])); });
  operations.add("stack", {Kind::kAny, Kind::kAny},
                 [](const auto& in, const Numbers& n) { return stack(in, n.dim(0, in[0])); });
  operations.add("expand_as", {Kind::kAny, Kind::kAny},
                 [](const auto& in, const Numbers&) { return in[0].expand_as(in[1]); });
  operations.add("broadcast_to", {Kind::kAny, Kind::kAny},
                 [](const auto& in, const Numbers&) { return in[0].broadcast_to(in[1].sizes()); });
}

}  // namespace differential
