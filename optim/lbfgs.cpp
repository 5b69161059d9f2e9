#include <wengert/autograd/base/check.h>
#include <wengert/autograd/base/grad_mode.h>
#include <wengert/autograd/base/tracing.h>
#include <wengert/autograd/serialize/archive.h>
#include <wengert/autograd/tensor/factories.h>
#include <wengert/ops/ops.h>
#include <wengert/optim/lbfgs.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace wengert::optim {
namespace {

double number(const Tensor& x) { return x.item<double>(); }
double largest(const Tensor& x) { return number(x.abs().max()); }

// The minimum of the cubic that has values f1, f2 and slopes g1, g2 at x1, x2, within the bounds (Nocedal and Wright,
// equation 3.59); the middle of the bounds where it has none.
double cubic_minimum(double x1, double f1, double g1, double x2, double f2, double g2, double low, double high) {
  const double d1 = g1 + g2 - 3 * (f1 - f2) / (x1 - x2);
  const double square = d1 * d1 - g1 * g2;
  if (!(square >= 0)) return (low + high) / 2;
  const double d2 = std::sqrt(square);
  const double at = x1 <= x2 ? x2 - (x2 - x1) * ((g2 + d2 - d1) / (g2 - g1 + 2 * d2))
                             : x1 - (x1 - x2) * ((g1 + d2 - d1) / (g1 - g2 + 2 * d2));
  return std::min(std::max(at, low), high);
}

// A point on the line that is searched.
struct Point {
  double t = 0;  // where: x + t d
  double loss = 0;
  double slope = 0;  // gradient . d
  Tensor grad;
};

// The parameters as one vector, and the loss on a line from where they are.
class Problem {
 public:
  Problem(const std::vector<Tensor>& params, const Optimizer::LossClosure& closure)
      : params_(params), closure_(closure) {}

  Tensor loss() const {
    const AutoGradMode enabled(true);
    return closure_();
  }
  Tensor flat_grad() const {
    std::vector<Tensor> parts;
    for (const Tensor& p : params_) {
      const Tensor& grad = p.grad();
      if (!grad.defined()) {
        parts.push_back(zeros({p.numel()}, p.dtype()));
      } else {
        parts.push_back((grad.is_sparse() ? grad.to_dense() : grad).reshape({-1}));
      }
    }
    return cat(parts);
  }
  void move(double t, const Tensor& direction) const {
    int64_t offset = 0;
    for (const Tensor& p : params_) {
      p.add_(direction.slice(0, offset, offset + p.numel()).view(p.sizes()), t);
      offset += p.numel();
    }
  }
  // The loss and its gradient at x + t d; the parameters are x before and after.
  Point at(double t, const Tensor& direction) const {
    std::vector<Tensor> before;
    for (const Tensor& p : params_) before.push_back(p.detach().clone());
    move(t, direction);
    Point point{t, number(loss()), 0, flat_grad()};
    point.slope = number(point.grad.dot(direction));
    for (size_t i = 0; i < params_.size(); ++i) params_[i].copy_(before[i]);
    return point;
  }

 private:
  const std::vector<Tensor>& params_;
  const Optimizer::LossClosure& closure_;
};

// A step that meets the strong Wolfe conditions: the loss falls by enough, and the slope is nearly level. First the
// step grows until it lies between two points that have such a step between them; then these come closer.
// `evaluations`: how often the loss was asked for.
Point strong_wolfe(const Problem& problem, double t, const Tensor& d, const Point& start, double tolerance_change,
                   int64_t& evaluations) {
  constexpr double kFall = 1e-4, kLevel = 0.9;  // c1 and c2
  constexpr int kMostTries = 25;
  const double d_norm = largest(d);
  const auto falls_too_little = [&](const Point& p) { return p.loss > start.loss + kFall * p.t * start.slope; };
  const auto is_level = [&](const Point& p) { return std::abs(p.slope) <= -kLevel * start.slope; };

  Point now = problem.at(t, d), last = start;
  evaluations = 1;
  int tries = 0;
  std::array<Point, 2> bracket{start, now};
  bool done = false;
  while (tries < kMostTries) {
    if (falls_too_little(now) || (tries > 1 && now.loss >= last.loss)) {
      bracket = {last, now};
      break;
    }
    if (is_level(now)) return now;
    if (now.slope >= 0) {
      bracket = {last, now};
      break;
    }
    const double shortest = now.t + 0.01 * (now.t - last.t), longest = now.t * 10;
    const double next = cubic_minimum(last.t, last.loss, last.slope, now.t, now.loss, now.slope, shortest, longest);
    last = std::move(now);
    now = problem.at(next, d);
    ++evaluations;
    ++tries;
  }
  if (tries == kMostTries) bracket = {start, now};

  bool insufficient_progress = false;
  size_t low = bracket[0].loss <= bracket[1].loss ? 0 : 1;
  while (!done && tries < kMostTries) {
    const double left = std::min(bracket[0].t, bracket[1].t), right = std::max(bracket[0].t, bracket[1].t);
    if ((right - left) * d_norm < tolerance_change) break;
    const Point &a = bracket[0], &b = bracket[1];
    double next = cubic_minimum(a.t, a.loss, a.slope, b.t, b.loss, b.slope, left, right);
    // A point close to an end tells little: the second time, and at the end itself, a tenth from it is tried.
    const double margin = 0.1 * (right - left);
    if (std::min(right - next, next - left) < margin) {
      if (insufficient_progress || next >= right || next <= left) {
        next = std::abs(next - right) < std::abs(next - left) ? right - margin : left + margin;
        insufficient_progress = false;
      } else {
        insufficient_progress = true;
      }
    } else {
      insufficient_progress = false;
    }
    now = problem.at(next, d);
    ++evaluations;
    ++tries;
    const size_t high = 1 - low;
    if (falls_too_little(now) || now.loss >= bracket[low].loss) {
      bracket[high] = now;
      low = bracket[0].loss <= bracket[1].loss ? 0 : 1;
    } else {
      if (is_level(now)) {
        done = true;
      } else if (now.slope * (bracket[high].t - bracket[low].t) >= 0) {
        bracket[high] = bracket[low];
      }
      bracket[low] = now;
    }
  }
  return bracket[low];
}

// Takes the last step into the memory, and makes -H g of the gradient: the next direction.
Tensor next_direction(LBFGSParamState& state, const Tensor& flat_grad, int64_t history_size) {
  const Tensor y = flat_grad - state.prev_flat_grad, s = state.d * state.t;
  const double ys = number(y.dot(s));
  if (ys > 1e-10) {
    if (static_cast<int64_t>(state.old_dirs.size()) == history_size) {
      state.old_dirs.pop_front();
      state.old_stps.pop_front();
      state.ro.pop_front();
    }
    state.old_dirs.push_back(y);
    state.old_stps.push_back(s);
    state.ro.push_back(1 / ys);
    state.H_diag = ys / number(y.dot(y));
  }
  const size_t count = state.old_dirs.size();
  std::vector<double> al(count);
  Tensor q = flat_grad.neg();
  for (size_t i = count; i-- > 0;) {
    al[i] = number(state.old_stps[i].dot(q)) * state.ro[i];
    q.add_(state.old_dirs[i], -al[i]);
  }
  q.mul_(state.H_diag);
  for (size_t i = 0; i < count; ++i) {
    q.add_(state.old_stps[i], al[i] - number(state.old_dirs[i].dot(q)) * state.ro[i]);
  }
  return q;
}

}  // namespace

void LBFGSOptions::fields(serialize::Fields& fields) {
  fields("lr", lr_)("max_iter", max_iter_)("max_eval", max_eval_)("tolerance_grad", tolerance_grad_);
  fields("tolerance_change", tolerance_change_)("history_size", history_size_)("line_search_fn", line_search_fn_);
}

void LBFGSParamState::fields(serialize::Fields& fields) {
  fields("func_evals", func_evals)("n_iter", n_iter)("t", t)("d", d)("prev_loss", prev_loss);
  fields("prev_flat_grad", prev_flat_grad)("H_diag", H_diag);
  fields("old_dirs", old_dirs)("old_stps", old_stps)("ro", ro);
  wengert::check(old_dirs.size() == ro.size() && old_stps.size() == ro.size(), "LBFGS: the history is incomplete");
}

std::vector<int64_t> LBFGS::state_sizes(const Tensor&) const {
  int64_t all = 0;
  for (const Tensor& parameter : parameters()) all += parameter.numel();
  return {all};
}

LBFGS::LBFGS(std::vector<OptimizerParamGroup> groups, LBFGSOptions defaults)
    : Optimizer(std::move(groups), std::make_unique<LBFGSOptions>(defaults)) {
  wengert::check(param_groups().size() == 1, "LBFGS doesn't support per-parameter options (parameter groups)");
  const auto evaluations = [](OptimizerOptions& options) {
    auto& own = static_cast<LBFGSOptions&>(options);
    if (!own.max_eval()) own.max_eval(own.max_iter() * 5 / 4);
  };
  evaluations(this->defaults());
  evaluations(param_groups()[0].options());
}

Tensor LBFGS::step(LossClosure closure) {
  tracing::refuse("optim::LBFGS::step(), which looks at the loss,");
  wengert::check(closure != nullptr, "LBFGS requires a closure function");
  wengert::check(param_groups().size() == 1, "LBFGS doesn't support per-parameter options (parameter groups)");
  const NoGradGuard no_grad;
  const auto& options = static_cast<const LBFGSOptions&>(param_groups()[0].options());
  const std::vector<Tensor>& params = param_groups()[0].params();
  wengert::check(!options.line_search_fn() || *options.line_search_fn() == "strong_wolfe",
                 "only 'strong_wolfe' is supported");
  const Problem problem(params, closure);
  const auto max_eval = options.max_eval().value_or(options.max_iter() * 5 / 4);
  std::shared_ptr<OptimizerParamState>& kept = this->state()[params.at(0).impl()];
  if (!kept) kept = std::make_shared<LBFGSParamState>();
  auto& state = static_cast<LBFGSParamState&>(*kept);

  Tensor first_loss = problem.loss();
  double loss = number(first_loss);
  int64_t evaluations = 1;
  ++state.func_evals;
  Tensor flat_grad = problem.flat_grad();
  bool is_flat = largest(flat_grad) <= options.tolerance_grad();
  if (is_flat) return first_loss;

  for (int64_t n_iter = 1; n_iter <= options.max_iter(); ++n_iter) {
    const bool first = ++state.n_iter == 1;
    state.d = first ? flat_grad.neg() : next_direction(state, flat_grad, options.history_size());
    state.prev_flat_grad = flat_grad.clone();
    state.prev_loss = loss;
    state.t = first ? std::min(1.0, 1 / number(flat_grad.abs().sum())) * options.lr() : options.lr();
    const double slope = number(flat_grad.dot(state.d));
    if (slope > -options.tolerance_change()) break;

    int64_t own_evaluations = 0;
    if (options.line_search_fn()) {
      const Point found =
          strong_wolfe(problem, state.t, state.d, {0, loss, slope, flat_grad.clone()}, 1e-9, own_evaluations);
      loss = found.loss;
      flat_grad = found.grad;
      state.t = found.t;
      problem.move(state.t, state.d);
    } else {
      problem.move(state.t, state.d);
      if (n_iter != options.max_iter()) {  // else nobody looks at it
        loss = number(problem.loss());
        flat_grad = problem.flat_grad();
        own_evaluations = 1;
      }
    }
    is_flat = largest(flat_grad) <= options.tolerance_grad();
    evaluations += own_evaluations;
    state.func_evals += own_evaluations;
    if (n_iter == options.max_iter() || evaluations >= max_eval || is_flat) break;
    if (largest(state.d * state.t) <= options.tolerance_change()) break;
    if (std::abs(loss - state.prev_loss) < options.tolerance_change()) break;
  }
  return first_loss;
}

}  // namespace wengert::optim
