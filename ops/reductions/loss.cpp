#include <wengert/autograd/base/check.h>
#include <wengert/autograd/tape/formula.h>
#include <wengert/ops/elementwise/arithmetic.h>
#include <wengert/ops/elementwise/loops.h>
#include <wengert/ops/loss.h>
#include <wengert/ops/ops.h>
#include <wengert/ops/promotion.h>
#include <wengert/ops/reductions/reduction.h>
#include <wengert/ops/sparse.h>

#include <cmath>

// Losses and the mathematics of layers. x: the prediction, t: the target; G = dL/dy.

namespace wengert {
namespace ops {
namespace {

Tensor reduce(const Tensor& losses, int64_t reduction) {
  check(reduction == Reduction::None || reduction == Reduction::Mean || reduction == Reduction::Sum,
        "{} is not a valid value for reduction", reduction);
  return reduction == Reduction::Mean ? losses.mean() : reduction == Reduction::Sum ? losses.sum() : losses;
}

// dL/d(each loss), from the gradient of what they were reduced to.
Tensor unreduce(const Tensor& g, int64_t reduction, int64_t count) {
  return reduction == Reduction::Mean ? g / count : g;
}

// f of each element, without history.
template <class F>
Tensor of_each(const Tensor& input, const F& f) {
  const Tensor x = input.to(to_floating(input.dtype()));
  Tensor y = empty_as(x, x.dtype());
  dispatch_floating(x.dtype(), "loss", [&]<class T>() { apply<T, T>(y, x, [f](T v) { return f(v); }); });
  return y;
}

// A loss of the difference d = x - t, elementwise and then reduced.   VJP:   dx = G l'(d),   dt = -dx.
template <class Loss, class Slope>
Tensor difference_loss(const char* name, const Tensor& input, const Tensor& target, int64_t reduction, const Loss& loss,
                       const Slope& slope) {
  const ScalarType dtype = result_type(input, target);
  const Tensor x = input.to(dtype), t = target.to(dtype);
  Tensor y;
  int64_t count = 0;
  {
    const NoGradGuard no_grad;
    const Tensor losses = loss(x - t);
    count = losses.numel();
    y = reduce(losses, reduction);
  }
  return record<Broadcast<2>>(name, y, {x, t}, saving(x, t), [=](const Backward& b) -> Gradients {
    const Tensor dx = unreduce(b.grad(), reduction, count) * slope(b.saved(0) - b.saved(1));
    return {b.needs(0) ? dx : Tensor(), b.needs(1) ? -dx : Tensor()};
  });
}

Tensor where_or_zero(const Tensor& condition, const Tensor& x) { return where(condition, x, zeros({}, x.options())); }

// What nll_loss gives each target, its weight and its class; 0 for all where it is ignored. Without history.
struct Losses {
  Losses(const Tensor& x, int64_t dim, const Tensor& t, const Tensor& weight, int64_t ignore_index)
      : each(empty(t.sizes(), x.dtype())), weights(empty(t.sizes(), x.dtype())), positions(empty(t.sizes(), kLong)) {
    if (weight.defined())
      check(weight.dtype() == x.dtype(), "expected scalar type {} but found {}", x.dtype(), weight.dtype());
    // As rows of classes.
    const Tensor rows = x.dim() <= 2 ? x : x.movedim(dim, -1).reshape({-1, x.size(dim)});
    const int64_t classes = x.size(dim), row = rows.dim() == 1 ? 0 : rows.stride(0), column = rows.stride(-1);
    dispatch_floating(x.dtype(), "nll_loss", [&]<class T>() {
      const T *from = rows.data_ptr<T>(), *w = weight.defined() ? weight.data_ptr<T>() : nullptr;
      const int64_t* classes_of = t.data_ptr<int64_t>();
      T *losses = each.data_ptr<T>(), *used = weights.data_ptr<T>();
      int64_t* at = positions.data_ptr<int64_t>();
      for (int64_t i = 0; i < t.numel(); ++i) {
        const int64_t c = classes_of[i];
        const bool ignored = c == ignore_index;
        check(ignored || (c >= 0 && c < classes), "Target {} is out of bounds.", c);
        at[i] = ignored ? 0 : c;
        used[i] = ignored ? T(0) : w != nullptr ? w[c] : T(1);
        losses[i] = ignored ? T(0) : -used[i] * from[i * row + c * column];
      }
    });
  }
  Tensor each, weights, positions;
};

}  // namespace
}  // namespace ops

using namespace ops;

// l = d^2.   VJP:   dx = 2 G d,   dt = -dx.   The sum and the gradient are each one pass over x and t.
Tensor mse_loss(const Tensor& input, const Tensor& target, int64_t reduction) {
  const ScalarType dtype = result_type(input, target);
  const Tensor x = input.to(dtype), t = target.to(dtype);
  const bool reduced = reduction == Reduction::Mean || reduction == Reduction::Sum;
  const int64_t count = x.sizes() == t.sizes() ? x.numel() : numel_of(broadcast_shapes(x.sizes(), t.sizes()));
  Tensor y;
  {
    const NoGradGuard no_grad;
    if (reduced && can_sum_squared_differences(x, t)) {
      y = sum_of_squared_differences(x, t);
      if (reduction == Reduction::Mean) y.div_(count);
    } else {
      const Tensor d = x - t;
      y = reduce(d * d, reduction);
    }
  }
  return record<Broadcast<2>>("MseLossBackward0", y, {x, t}, saving(x, t), [=](const Backward& b) -> Gradients {
    const double factor = reduction == Reduction::Mean ? 2 / static_cast<double>(count) : 2;
    Tensor dx = scaled_difference(b.grad(), b.saved(0), b.saved(1), factor);
    Tensor to_first = b.needs(0) ? dx : Tensor();
    return Gradients::of(std::move(to_first), b.needs(1) ? scaled(std::move(dx), -1) : Tensor());
  });
}

// l = |d|.
Tensor l1_loss(const Tensor& x, const Tensor& t, int64_t reduction) {
  return difference_loss(
      "L1LossBackward0", x, t, reduction, [](const Tensor& d) { return d.abs(); },
      [](const Tensor& d) { return d.sign(); });
}

// l = d^2 / (2 beta) where |d| < beta, else |d| - beta / 2.
Tensor smooth_l1_loss(const Tensor& x, const Tensor& t, int64_t reduction, double beta) {
  check(beta >= 0, "smooth_l1_loss does not support negative values for beta.");
  if (beta == 0) return l1_loss(x, t, reduction);
  return difference_loss(
      "SmoothL1LossBackward0", x, t, reduction,
      [=](const Tensor& d) {
        return of_each(d, [=]<class T>(T v) {
          const T size = std::abs(v), b = static_cast<T>(beta);
          return size < b ? T(0.5) * size * size / b : size - T(0.5) * b;
        });
      },
      [=](const Tensor& d) { return hardtanh(d / beta); });
}

// l = d^2 / 2 where |d| < delta, else delta (|d| - delta / 2).   (Huber, 1964.)
Tensor huber_loss(const Tensor& x, const Tensor& t, int64_t reduction, double delta) {
  check(delta > 0, "huber_loss does not support non-positive values for delta.");
  return difference_loss(
      "HuberLossBackward0", x, t, reduction,
      [=](const Tensor& d) {
        return of_each(d, [=]<class T>(T v) {
          const T size = std::abs(v), most = static_cast<T>(delta);
          return size < most ? T(0.5) * size * size : most * (size - T(0.5) * most);
        });
      },
      [=](const Tensor& d) { return hardtanh(d, -delta, delta); });
}

// l = -w (t ln x + (1 - t) ln(1 - x)), the logarithms no less than -100.   VJP:   dx = G w (x - t) / (x (1 - x)),
// dt = G w (ln(1 - x) - ln x).
Tensor binary_cross_entropy(const Tensor& input, const Tensor& target, const Tensor& weight, int64_t reduction) {
  const ScalarType dtype = result_type(input, target);
  const Tensor x = input.to(dtype), t = target.to(dtype);
  check(x.sizes() == t.sizes(),
        "Using a target size ({}) that is different to the input size ({}) is deprecated. "
        "Please ensure they have the same size.",
        t.sizes(), x.sizes());
  {
    const NoGradGuard no_grad;
    check(all(logical_and(x >= 0, x <= 1)).item<bool>(), "all elements of input should be between 0 and 1");
  }
  const auto log_of = [](const Tensor& p) { return p.log().clamp_min(-100); };
  Tensor y;
  {
    const NoGradGuard no_grad;
    Tensor losses = (t - 1) * log_of(1 - x) - t * log_of(x);
    if (weight.defined()) losses = losses * weight;
    y = reduce(losses, reduction);
  }
  constexpr float kLeast = 1e-12F;  // as in libtorch, for doubles, too
  return record("BinaryCrossEntropyBackward0", y, {x, t}, saving(x, t, weight),
                [reduction, count = x.numel(), log_of](const Backward& b) -> Gradients {
                  const Tensor x = b.saved(0), t = b.saved(1), weight = b.saved(2);
                  Tensor g = unreduce(b.grad(), reduction, count);
                  if (weight.defined()) g = g * weight;
                  return {b.needs(0) ? g * ((x - t) / ((1 - x) * x).clamp_min(kLeast)) : Tensor(),
                          b.needs(1) ? g * (log_of(1 - x) - log_of(x)) : Tensor()};
                });
}

// The same of sigmoid(x), without overflow:  l = (1 - t) x + (1 + (p - 1) t) ln(1 + e^-x), p the weight of
// positives.
Tensor binary_cross_entropy_with_logits(const Tensor& x, const Tensor& t, const Tensor& weight,
                                        const Tensor& pos_weight, int64_t reduction) {
  const Tensor log_term = -log_sigmoid(x);
  Tensor losses = pos_weight.defined() ? (1 - t) * x + ((pos_weight - 1) * t + 1) * log_term : (1 - t) * x + log_term;
  if (weight.defined()) losses = losses * weight;
  return reduce(losses, reduction);
}

// l = t (ln t - x), or e^t (t - x) where the target is given as its logarithm.
Tensor kl_div(const Tensor& x, const Tensor& t, int64_t reduction, bool log_target) {
  const Tensor losses = log_target ? exp(t) * (t - x) : xlogy(t, t) - t * x;
  return reduce(losses, reduction);
}

// x (n, c, ...) log-probabilities, t (n, ...) classes:  l = -w_t x[t], 0 where t is ignore_index; the mean is
// over the weights used.   VJP:   dx = -w_t G at t.
Tensor nll_loss(const Tensor& x, const Tensor& t, const Tensor& weight, int64_t reduction, int64_t ignore_index) {
  check(x.dim() >= 1, "input tensor should be at least 1D");
  check(t.dtype() == kLong, "expected scalar type Long but found {}", t.dtype());
  const int64_t dim = x.dim() == 1 ? 0 : 1;
  const int64_t classes = x.size(dim);
  Dims one_class(x.sizes());
  one_class.erase(static_cast<size_t>(dim));
  check(t.sizes() == IntArrayRef(one_class), "size mismatch (got input: {}, target: {})", x.sizes(), t.sizes());
  check(!weight.defined() || (weight.dim() == 1 && weight.numel() == classes),
        "weight tensor should be defined either for all {} classes or no classes but got weight tensor of shape: {}",
        classes, weight.sizes());
  const Losses losses(x.detach(), dim, t.contiguous(), weight.defined() ? weight.detach().contiguous() : weight,
                      ignore_index);
  Tensor y = losses.each, total;
  {
    const NoGradGuard no_grad;
    if (reduction == Reduction::Mean) total = losses.weights.sum();
    if (reduction != Reduction::None) y = y.sum();
    if (reduction == Reduction::Mean) y = y / total;
  }
  return record(x.dim() > 2 ? "NllLoss2DBackward0" : "NllLossBackward0", y, {x},
                saving(losses.positions, losses.weights, total),
                [dim, sizes = Dims(x.sizes())](const Backward& b) -> Gradients {
                  const Tensor weights = b.saved(1), total = b.saved(2);
                  const Tensor g = (total.defined() ? b.grad() / total : b.grad()) * -weights;
                  return {zeros(sizes, g.options()).scatter(dim, b.saved(0).unsqueeze(dim), g.unsqueeze(dim))};
                });
}

// t: classes as for nll_loss, or probabilities of x's shape. Smoothing spreads that part of the target over all
// classes.
Tensor cross_entropy_loss(const Tensor& x, const Tensor& t, const Tensor& weight, int64_t reduction,
                          int64_t ignore_index, double label_smoothing) {
  const int64_t dim = x.dim() == 1 ? 0 : 1;
  const Tensor log_probabilities = log_softmax(x, dim);
  const int64_t classes = x.size(dim);
  const auto weighted = [&](const Tensor& per_class) {
    if (!weight.defined()) return per_class;
    std::vector<int64_t> shape(x.sizes().size(), 1);
    shape[static_cast<size_t>(dim)] = classes;
    return per_class * weight.reshape(shape);
  };
  check(label_smoothing >= 0 && label_smoothing <= 1, "label_smoothing must be between 0.0 and 1.0. Got: {}",
        label_smoothing);
  if (x.sizes() == t.sizes() && t.is_floating_point()) {
    const Tensor smooth =
        label_smoothing > 0 ? t * (1 - label_smoothing) + label_smoothing / static_cast<double>(classes) : t;
    const Tensor losses = -weighted(log_probabilities * smooth).sum(dim);
    if (reduction != Reduction::Mean) return reduce(losses, reduction);
    return losses.sum() / (x.numel() / std::max<int64_t>(1, classes));
  }
  Tensor nll = nll_loss(log_probabilities, t, weight, reduction, ignore_index);
  if (label_smoothing == 0) return nll;
  const Tensor counted = t != ignore_index;
  const Tensor losses = where_or_zero(counted, -weighted(log_probabilities).sum(dim));
  Tensor smooth;
  if (reduction == Reduction::Mean) {
    const Tensor used =
        weight.defined()
            ? weight.index_select(0, where(counted, t, 0).reshape({-1})).reshape(t.sizes()) * counted.to(weight.dtype())
            : counted.to(x.dtype());
    smooth = losses.sum() / used.sum();
  } else {
    smooth = reduce(losses, reduction);
  }
  return nll * (1 - label_smoothing) + smooth * (label_smoothing / static_cast<double>(classes));
}

Tensor cosine_similarity(const Tensor& a, const Tensor& b, int64_t dim, double eps) {
  const Tensor norm_a = norm(a, 2, dim, true).clamp_min(eps), norm_b = norm(b, 2, dim, true).clamp_min(eps);
  return ((a / norm_a) * (b / norm_b)).sum(dim);
}

// y = x Wᵀ + b.   Shapes: x (*, in), W (out, in), b (out) -> (*, out).
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  if (x.dim() == 2 && bias.defined()) return addmm(bias, x, weight.t());
  const Tensor product = matmul(x, weight.t());
  return bias.defined() ? product + bias : product;
}

// y[...] = weight[indices[...]].   VJP:   dweight = G added at the indices, but 0 at padding_idx.
Tensor embedding(const Tensor& weight, const Tensor& indices, int64_t padding_idx, bool scale_grad_by_freq,
                 bool sparse) {
  check(weight.dim() == 2, "'weight' must be 2-D");
  check(indices.dtype() == kLong,
        "Expected tensor for argument #1 'indices' to have scalar type Long; but got {} instead", indices.toString());
  const Tensor flat = indices.reshape({-1});
  Dims shape(indices.sizes());
  shape.push_back(weight.size(1));
  Tensor y;
  {
    const NoGradGuard no_grad;
    y = weight.index_select(0, flat).reshape(shape).detach();
  }
  return record("EmbeddingBackward0", y, {weight}, saving(flat),
                [=, sizes = Dims(weight.sizes())](const Backward& b) -> Gradients {
                  const Tensor at = b.saved(0);
                  Tensor g = b.grad().reshape({at.numel(), sizes[1]});
                  if (padding_idx >= 0) g = where(at.unsqueeze(1) == padding_idx, zeros({}, g.options()), g);
                  if (scale_grad_by_freq) {
                    const Tensor uses = zeros({sizes[0]}, g.options()).index_add(0, at, ones(at.sizes(), g.options()));
                    g = g / uses.index_select(0, at).unsqueeze(1);
                  }
                  if (sparse) return {sparse_coo_tensor(at.unsqueeze(0), g, sizes)};
                  return {zeros(sizes, g.options()).index_add(0, at, g)};
                });
}

// Each element is 0 with probability p, else x / (1 - p).
Tensor dropout(const Tensor& x, double p, bool train) {
  check(p >= 0 && p <= 1, "dropout probability has to be between 0 and 1, but got {}", p);
  if (p == 0 || !train || x.numel() == 0) return x;
  if (p == 1) return x * zeros({}, x.options());
  const Tensor noise = empty(x.sizes(), x.options()).bernoulli_(1 - p).div_(1 - p);
  return x * noise;
}

// y = (x - mean) / sqrt(var + eps) w + b, mean and variance over the last dimensions.   (Ba et al., arXiv:1607.06450.)
Tensor layer_norm(const Tensor& x, IntArrayRef normalized_shape, const Tensor& weight, const Tensor& bias, double eps) {
  const size_t count = normalized_shape.size();
  check(count >= 1,
        "Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one element, but "
        "got normalized_shape = {}",
        normalized_shape);
  check(x.sizes().size() >= count && x.sizes().slice(x.sizes().size() - count, count) == normalized_shape,
        "Given normalized_shape={}, expected input with shape [*, {}], but got input of size{}", normalized_shape,
        joined(normalized_shape), x.sizes());
  std::vector<int64_t> dims;
  for (size_t i = 0; i < count; ++i) dims.push_back(-1 - static_cast<int64_t>(i));
  const Tensor centered = x - x.mean(dims, true);
  Tensor y = centered * rsqrt((centered * centered).mean(dims, true) + eps);
  if (weight.defined()) y = y * weight;
  return bias.defined() ? y + bias : y;
}

}  // namespace wengert
