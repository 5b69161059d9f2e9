#include <wengert/autograd/base/check.h>
#include <wengert/autograd/base/grad_mode.h>
#include <wengert/autograd/base/tracing.h>
#include <wengert/autograd/serialize/archive.h>
#include <wengert/autograd/tensor/factories.h>
#include <wengert/ops/ops.h>
#include <wengert/optim/row_gauss_newton.h>

#include <algorithm>

namespace wengert::optim {
namespace {

// While it lives, the parameters of no other group want gradients.
class OnlyThisGroup {
 public:
  OnlyThisGroup(std::vector<OptimizerParamGroup>& groups, const OptimizerParamGroup& chosen) {
    for (const OptimizerParamGroup& group : groups) {
      if (&group == &chosen) continue;
      for (const Tensor& parameter : group.params()) {
        if (!parameter.requires_grad()) continue;
        others_.push_back(parameter);
        parameter.requires_grad_(false);
      }
    }
  }
  ~OnlyThisGroup() {
    for (const Tensor& parameter : others_) parameter.requires_grad_(true);
  }
  OnlyThisGroup(const OnlyThisGroup&) = delete;
  OnlyThisGroup& operator=(const OnlyThisGroup&) = delete;

 private:
  std::vector<Tensor> others_;
};

// The last dimension's elements from `first` on.
Tensor columns_of(const Tensor& x, int64_t first, int64_t count) {
  return x.defined() ? x.narrow(-1, first, count) : x;
}

void step_columns(const RowGaussNewtonOptions& options, const Tensor& parameter, const Tensor& curvature, int64_t first,
                  int64_t count) {
  const Tensor p = columns_of(parameter, first, count), f = columns_of(options.features(), first, count);
  RowEquations equations;
  equations.pattern = options.pattern();
  equations.weights = options.weights();
  equations.features = f;
  if (options.whole()) {
    const Tensor& gram = options.gram();
    equations.base = gram.defined() ? gram.narrow(0, first, count).narrow(1, first, count) : mm(f.t(), f);
  }
  const Tensor& l2 = options.l2();
  equations.ridge = l2.defined() ? columns_of(l2, first, count) : zeros({count}, parameter.options());
  equations.right = columns_of(parameter.grad(), first, count) * -0.5;
  if (options.nonnegative()) equations.least = -p;
  const RowSolutions solutions = solve_rows(equations);
  p.add_(solutions.x, options.lr());
  columns_of(curvature, first, count).copy_(solutions.diagonal);
}

}  // namespace

void RowGaussNewtonOptions::check() const {
  wengert::check(lr_ >= 0, "Invalid learning rate: {}", lr_);
  wengert::check(block_ > 0, "Invalid block: {}", block_);
  wengert::check(first_column_ >= 0 && columns_.value_or(0) >= 0, "Invalid columns: {} from {} on",
                 columns_.value_or(0), first_column_);
  wengert::check(features_.defined() || (!pattern_ && !whole_), "RowGaussNewton: the options have no features");
}

void RowGaussNewtonOptions::fields(serialize::Fields& fields) { fields("lr", lr_); }

void RowGaussNewtonParamState::fields(serialize::Fields& fields) { fields("curvature", curvature_); }

Tensor RowGaussNewton::step(LossClosure closure) {
  tracing::refuse("optim::RowGaussNewton::step()");
  const NoGradGuard no_grad;
  Tensor loss;
  for (OptimizerParamGroup& group : param_groups()) {
    const auto& options = static_cast<const RowGaussNewtonOptions&>(group.options());
    const OnlyThisGroup only(param_groups(), group);
    for (const Tensor& parameter : group.params()) {
      wengert::check(parameter.dim() == 2, "RowGaussNewton: a factor is a matrix, got {}", parameter.sizes());
      const int64_t first = options.first_column(), end = first + options.columns().value_or(parameter.size(1) - first);
      wengert::check(end <= parameter.size(1), "RowGaussNewton: a factor of shape {} has no columns up to {}",
                     parameter.sizes(), end);
      for (int64_t column = first; column < end; column += options.block()) {
        if (closure) {
          const Tensor computed = compute_loss(closure);
          if (!loss.defined()) loss = computed;
        }
        if (!parameter.grad().defined()) continue;
        std::shared_ptr<OptimizerParamState>& entry = state()[parameter.impl()];
        if (!entry) entry = std::make_shared<RowGaussNewtonParamState>();
        Tensor& curvature = static_cast<RowGaussNewtonParamState&>(*entry).curvature();
        if (!curvature.defined()) curvature = zeros_like(parameter);
        step_columns(options, parameter, curvature, column, std::min(options.block(), end - column));
      }
    }
  }
  return loss;
}

}  // namespace wengert::optim
