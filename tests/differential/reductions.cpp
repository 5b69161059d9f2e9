#include <differential/operation.h>

namespace differential {

void add_reductions(Operations& operations) {
  const auto all = [&](const char* name, auto f) {
    operations.add(name, {Kind::kAny}, [f](const auto& in, const Numbers&) { return f(in[0]); });
  };
  const auto along = [&](const char* name, auto f) {
    operations.add(name, {Kind::kAny},
                   [f](const auto& in, const Numbers& n) { return f(in[0], n.dim(0, in[0]), n.flag(1)); });
  };
  all("sum", [](const auto& x) { return x.sum(); });
  all("mean", [](const auto& x) { return x.mean(); });
  all("prod", [](const auto& x) { return x.prod(); });
  all("var", [](const auto& x) { return x.var(); });
  all("std", [](const auto& x) { return x.std(); });
  all("norm", [](const auto& x) { return x.norm(); });
  all("max", [](const auto& x) { return x.max(); });
  all("min", [](const auto& x) { return x.min(); });
  all("argmax", [](const auto& x) { return x.argmax(); });
  all("argmin", [](const auto& x) { return x.argmin(); });
  all("all", [](const auto& x) { return x.all(); });
  all("any", [](const auto& x) { return x.any(); });
  all("count_nonzero", [](const auto& x) { return x.count_nonzero(); });
  all("nansum", [](const auto& x) { return x.nansum(); });
  operations.add("median", {Kind::kReal}, [](const auto& in, const Numbers&) { return in[0].median(); });

  using Dims = std::vector<int64_t>;
  along("sum_dim", [](const auto& x, int64_t d, bool keep) { return x.sum(Dims{d}, keep); });
  along("mean_dim", [](const auto& x, int64_t d, bool keep) { return x.mean(Dims{d}, keep); });
  along("sum_two", [](const auto& x, int64_t d, bool keep) { return x.sum(Dims{d, 0}, keep); });
  along("prod_dim", [](const auto& x, int64_t d, bool keep) { return x.prod(d, keep); });
  along("var_dim", [](const auto& x, int64_t d, bool keep) { return x.var(Dims{d}, true, keep); });
  along("std_dim", [](const auto& x, int64_t d, bool keep) { return x.std(Dims{d}, false, keep); });
  along("max_dim", [](const auto& x, int64_t d, bool keep) { return x.max(d, keep); });
  along("min_dim", [](const auto& x, int64_t d, bool keep) { return x.min(d, keep); });
  along("amax", [](const auto& x, int64_t d, bool keep) { return x.amax(Dims{d}, keep); });
  along("amin", [](const auto& x, int64_t d, bool keep) { return x.amin(Dims{d}, keep); });
  // Whether a truth value without dimensions is refused libtorch 1.13 decides by the size of its first dimension, which
  // it does not have: by what the memory held.
  const auto with_dimension = [](const auto& x) { return x.dim() == 0 && x.element_size() == 1 ? x.reshape({1}) : x; };
  along("argmax_dim", [=](const auto& x, int64_t d, bool keep) { return with_dimension(x).argmax(d, keep); });
  along("argmin_dim", [=](const auto& x, int64_t d, bool keep) { return with_dimension(x).argmin(d, keep); });
  along("all_dim", [](const auto& x, int64_t d, bool keep) { return x.all(d, keep); });
  along("any_dim", [](const auto& x, int64_t d, bool keep) { return x.any(d, keep); });
  along("nansum_dim", [](const auto& x, int64_t d, bool keep) { return x.nansum(Dims{d}, keep); });
  along("count_nonzero_dim", [](const auto& x, int64_t d, bool) { return x.count_nonzero(Dims{d}); });
  operations.add("median_dim", {Kind::kReal}, [](const auto& in, const Numbers& n) {
    const int64_t d = n.dim(0, in[0]);
    return std::get<0>(without_ties(in[0], d).median(d, n.flag(1)));
  });
  along("norm_dim", [](const auto& x, int64_t d, bool keep) { return x.norm(2, Dims{d}, keep); });
  along("norm_three", [](const auto& x, int64_t d, bool keep) { return x.norm(3, Dims{d}, keep); });
  along("norm_one", [](const auto& x, int64_t d, bool keep) { return x.norm(1, Dims{d}, keep); });
  along("norm_inf", [](const auto& x, int64_t d, bool keep) {
    return x.norm(std::numeric_limits<double>::infinity(), Dims{d}, keep);
  });
  along("logsumexp", [](const auto& x, int64_t d, bool keep) { return x.logsumexp(Dims{d}, keep); });
  operations.add("softmax", {Kind::kReal},
                 [](const auto& in, const Numbers& n) { return in[0].softmax(n.dim(0, in[0])); });
  operations.add("log_softmax", {Kind::kReal},
                 [](const auto& in, const Numbers& n) { return in[0].log_softmax(n.dim(0, in[0])); });
  along("cumsum", [](const auto& x, int64_t d, bool) { return x.cumsum(d); });
  along("cumprod", [](const auto& x, int64_t d, bool) { return x.cumprod(d); });
  along("sort_values",
        [](const auto& x, int64_t d, bool falling) { return std::get<0>(without_ties(x, d).sort(d, falling)); });
  operations.add("topk_values", {Kind::kAny}, [](const auto& in, const Numbers& n) {
    const int64_t d = n.dim(0, in[0]);
    const int64_t size = in[0].dim() == 0 ? 1 : in[0].size(d);
    return std::get<0>(without_ties(in[0], d).topk(n.below(1, size + 1), d, n.flag(2)));
  });

  const auto loss = [&](const char* name, auto f) {
    operations.add(name, {Kind::kReal, Kind::kReal}, [f](const auto& in, const Numbers& n) {
      // Of one shape and dtype: libtorch's gradients of losses that broadcast are not right.
      const auto zero = (in[0].detach() + in[1].detach()) * 0;
      return f(in[0] + zero, (in[1] + zero).to(zero.dtype()), n.below(0, 3));
    });
  };
  loss("mse_loss", [](const auto& x, const auto& t, int64_t r) { return mse_loss(x, t, r); });
  loss("l1_loss", [](const auto& x, const auto& t, int64_t r) { return l1_loss(x, t, r); });
  loss("smooth_l1_loss", [](const auto& x, const auto& t, int64_t r) { return smooth_l1_loss(x, t, r, 0.75); });
  loss("huber_loss", [](const auto& x, const auto& t, int64_t r) { return huber_loss(x, t, r, 0.75); });
  loss("bce_with_logits", [](const auto& x, const auto& t, int64_t r) {
    return binary_cross_entropy_with_logits(x, t.sigmoid(), {}, {}, r);
  });
  loss("binary_cross_entropy", [](const auto& x, const auto& t, int64_t r) {
    return binary_cross_entropy(x.sigmoid(), (x.detach() * 3).sin().sigmoid(), {}, r);
  });
  loss("kl_div", [](const auto& x, const auto& t, int64_t r) { return kl_div(x, t.sigmoid(), r); });
  loss("cosine_similarity", [](const auto& x, const auto& t, int64_t) { return cosine_similarity(x, t, -1); });
  operations.add("nll_loss", {Kind::kMatrix}, [](const auto& in, const Numbers& n) {
    const auto target = in[0].detach().argmin(1);
    return nll_loss(in[0], target, {}, n.below(0, 3), n.below(1, 4));
  });
  operations.add("cross_entropy_loss", {Kind::kMatrix}, [](const auto& in, const Numbers& n) {
    const auto target = in[0].detach().argmin(1);
    return cross_entropy_loss(in[0], target, {}, n.below(0, 3), n.below(1, 4), n.flag(2) ? 0.1 : 0.0);
  });
  operations.add("layer_norm", {Kind::kReal}, [](const auto& in, const Numbers&) {
    return layer_norm(in[0], std::vector<int64_t>{in[0].size(-1)}, {}, {}, 0.25);
  });
}

}  // namespace differential
