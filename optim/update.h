#pragma once

#include <wengert/autograd/base/check.h>
#include <wengert/autograd/base/cpu.h>
#include <wengert/autograd/base/dispatch.h>
#include <wengert/autograd/base/grad_mode.h>
#include <wengert/autograd/base/profiling.h>
#include <wengert/autograd/base/tracing.h>
#include <wengert/autograd/tensor/factories.h>
#include <wengert/ops/elementwise/loops.h>
#include <wengert/optim/optimizer.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

// How optimizers that treat each element of a parameter alone take a step. Their formula is a rule: an object that
// holds the numbers of this step (rates, corrections of bias) and is called with an element of the parameter, one of
// its gradient, and one of each state:
//
//     struct MomentumRule {
//       double lr, momentum;
//       template <class T> void operator()(T& p, T g, T& b) const {
//         b = T(momentum) * b + g;
//         p -= T(lr) * b;
//       }
//     };
//
// A step is one pass over memory: parameter, gradient and states are read once and written once, and nothing is
// allocated. Where the numbers of a step come from is a function next(options, state), which also counts the step. So a
// Replay can do it again: it calls `next`, which writes a rule to memory, and then makes the pass, which reads it
// there.

namespace wengert::optim {

namespace detail {

/// Elements from one to the next, of parameter, gradient, states and rule.
template <size_t N>
using Steps = std::array<int64_t, N>;

/// One run of elements that follow each other. at: parameter, gradient, states, and the rule.
template <class Rule, class T, size_t... states>
[[gnu::always_inline]] inline void run_contiguous(char* const* at, int64_t count, std::index_sequence<states...>) {
  const Rule rule = *reinterpret_cast<const Rule*>(at[sizeof...(states) + 2]);
  T* p = reinterpret_cast<T*>(at[0]);
  const T* g = reinterpret_cast<const T*>(at[1]);
  const std::array<T*, sizeof...(states)> s{reinterpret_cast<T*>(at[states + 2])...};
#pragma omp simd
  for (int64_t i = 0; i < count; ++i) rule(p[i], g[i], s[states][i]...);
}

/// One run with gaps.
template <class Rule, class T, size_t N, size_t... states>
[[gnu::cold]] void run_strided(char* const* at, const Steps<N>& steps, int64_t count, std::index_sequence<states...>) {
  const Rule rule = *reinterpret_cast<const Rule*>(at[N - 1]);
  for (int64_t i = 0; i < count; ++i) {
    rule(reinterpret_cast<T*>(at[0])[i * steps[0]], reinterpret_cast<const T*>(at[1])[i * steps[1]],
         reinterpret_cast<T*>(at[states + 2])[i * steps[states + 2]]...);
  }
}

template <class Rule, class T, size_t N>
void run_rule(char* const* at, const Steps<N>& steps, int64_t count) {
  constexpr std::make_index_sequence<N - 3> states;
  if (std::any_of(steps.begin(), steps.end() - 1, [](int64_t step) { return step != 1; })) {
    return run_strided<Rule, T>(at, steps, count, states);
  }
  cpu::vectorized([=] { run_contiguous<Rule, T>(at, count, states); });
}

/// The order in which to visit a parameter, its gradient and states; the rule stays where it is.
template <class... Tensors>
kernels::StridedLoop<sizeof...(Tensors) + 2> loop_over_all(const Tensor& parameter, const Tensors&... others) {
  constexpr size_t N = sizeof...(Tensors) + 2;
  if (parameter.is_contiguous() && (others.is_contiguous() && ...)) {
    return {parameter.numel(), {1, (static_cast<void>(others), 1)..., 0}};
  }
  const Dims none(static_cast<size_t>(parameter.dim()), 0);
  const std::array<std::span<const int64_t>, N> strides{ops::span_of(parameter.strides()),
                                                        ops::span_of(others.strides())..., ops::span_of(none)};
  return {ops::span_of(parameter.sizes()), strides};
}

}  // namespace detail

/// parameter, states <- rule(parameter, grad, states), for every element. All have the parameter's shape and dtype.
template <class Rule, class... States>
void update(const Rule* rule, const Tensor& parameter, const Tensor& grad, const States&... states) {
  constexpr size_t N = 3 + sizeof...(States);
  profiling::begins();
  ops::check_writable(parameter);
  wengert::check(!(states.is_sparse() || ...), "optim::step: the gradient is dense, and those before were sparse");
  dispatch_floating(parameter.dtype(), "optim::step", [&]<class T>() {
    const kernels::StridedLoop<N> loop = detail::loop_over_all(parameter, grad, states...);
    detail::Steps<N> steps;
    for (size_t i = 0; i < N; ++i) steps[i] = loop.inner_stride(i);
    kernels::for_each_run<N>(loop,
                             {ops::elements<T>(parameter), ops::elements<T>(grad),
                              kernels::Operand(ops::elements<T>(states), true)..., rule},
                             [steps](char* const* at, int64_t count) { detail::run_rule<Rule, T>(at, steps, count); });
  });
  parameter.impl()->storage->bump_version();
  profiling::done("optim::step");
}

/// The same for the rows that a sparse gradient has; the others are neither read nor written.
template <class Rule, class... States>
void update_rows(const Rule& rule, const Tensor& parameter, const Tensor& sparse_grad, const States&... states) {
  constexpr size_t N = 3 + sizeof...(States);
  tracing::refuse("optim::step() with a sparse gradient");
  profiling::begins();
  const Tensor grad = sparse_grad.coalesce();  // each row once, for the update is no linear one
  const Tensor indices = grad._indices().contiguous(), values = grad._values().contiguous();
  wengert::check(parameter.is_contiguous() && (states.is_contiguous() && ...),
                 "optimizers take sparse gradients of contiguous parameters only");
  const int64_t rows = indices.size(1), width = rows == 0 ? 0 : values.numel() / rows;
  detail::Steps<N> steps;
  steps.fill(1);
  dispatch_floating(parameter.dtype(), "optim::step", [&]<class T>() {
    const auto* index = indices.data_ptr<int64_t>();
    for (int64_t r = 0; r < rows; ++r) {
      int64_t row = 0;
      for (int64_t d = 0; d < indices.size(0); ++d) row = row * parameter.size(d) + index[d * rows + r];
      const std::array<char*, N> at{reinterpret_cast<char*>(ops::elements<T>(parameter) + row * width),
                                    reinterpret_cast<char*>(ops::elements<T>(values) + r * width),
                                    reinterpret_cast<char*>(ops::elements<T>(states) + row * width)...,
                                    reinterpret_cast<char*>(const_cast<Rule*>(&rule))};
      detail::run_rule<Rule, T>(at.data(), steps, width);
    }
  });
  parameter.impl()->storage->bump_version();
  profiling::done("optim::step");
}

/// One parameter in a step: what it is updated with.
template <class Options, class State>
struct ParameterStep {
  const Options& options() const { return static_cast<const Options&>(*shared_options); }
  State& state() const { return static_cast<State&>(*shared_state); }

  /// Updates the parameter and these states by the rule that next() makes for this step.
  template <class Rule, class... States>
  void apply(Rule (*next)(const Options&, State&), const States&... states) const {
    static_assert(std::is_trivially_copyable_v<Rule>);
    if (tracing::listener == nullptr) [[likely]] {
      const Rule rule = next(options(), state());
      update(&rule, parameter, grad, states...);
      return;
    }
    const Tensor memory = empty({int64_t{sizeof(Rule) / sizeof(double) + 1}}, kDouble);
    tracing::perform({tracing::writes(ops::elements<double>(memory), memory.numel())},
                     [next, options = shared_options, state = shared_state](char* const* at) {
                       const Rule rule = next(static_cast<const Options&>(*options), static_cast<State&>(*state));
                       std::memcpy(at[0], &rule, sizeof(Rule));
                     });
    update(reinterpret_cast<const Rule*>(ops::elements<double>(memory)), parameter, grad, states...);
  }
  template <class Rule, class... States>
  void apply_rows(Rule (*next)(const Options&, State&), const States&... states) const {
    update_rows(next(options(), state()), parameter, grad, states...);
  }

  const Tensor& parameter;
  const Tensor& grad;
  const std::shared_ptr<OptimizerOptions>& shared_options;
  const std::shared_ptr<OptimizerParamState>& shared_state;
};

/// A state that only some options ask for, when they first do: zeros, as large as the parameter.
inline void make_zeros(Tensor& state, const Tensor& parameter) {
  if (state.defined()) return;
  const tracing::Pause pause;
  state = zeros_like(parameter);
}

/// Calls take(ParameterStep) for every parameter that has a gradient. A state is made when its parameter first has one,
/// by start(options, parameter); a Replay does not do that again.
template <class Options, class State, class Start, class Take>
void step_each(Optimizer& optimizer, const Start& start, const Take& take) {
  for (OptimizerParamGroup& group : optimizer.param_groups()) {
    for (const Tensor& parameter : group.params()) {
      const Tensor& grad = parameter.grad();
      if (!grad.defined()) continue;
      wengert::check(grad.sizes() == parameter.sizes() && grad.dtype() == parameter.dtype(),
                     "optim::step: a parameter of shape {} and dtype {} has a gradient of shape {} and dtype {}",
                     parameter.sizes(), parameter.dtype(), grad.sizes(), grad.dtype());
      std::shared_ptr<OptimizerParamState>& state = optimizer.state()[parameter.impl()];
      if (!state) {
        const tracing::Pause pause;
        auto fresh = std::make_shared<State>();
        start(static_cast<const Options&>(group.options()), parameter, *fresh);
        state = std::move(fresh);
      }
      take(ParameterStep<Options, State>{parameter, grad, group.shared_options(), state});
    }
  }
}

}  // namespace wengert::optim
