#pragma once

#include <wengert/autograd/base/check.h>

namespace wengert::optim {

/// What rules have in common: the gradient that they go by.
struct Descent {
  /// sign g + weight_decay p.
  template <class T>
  [[gnu::always_inline]] T gradient(T p, T g) const {
    g *= T(sign);
    return weight_decay != 0 ? g + T(weight_decay) * p : g;
  }

  Descent(double weight_decay, bool maximize) : weight_decay(weight_decay), sign(maximize ? -1 : 1) {}

  double weight_decay;
  double sign;  // -1 to climb, 1 to descend
};

/// mean <- decay mean + (1 - decay) x.
template <class T>
[[gnu::always_inline]] inline void average(T& mean, double decay, T x) {
  mean = T(decay) * mean + T(1 - decay) * x;
}

/// Throws for options outside the ranges that Adam and its relatives have in common.
template <class Options>
void check_adam_options(const Options& options) {
  const auto [beta1, beta2] = options.betas();
  wengert::check(options.lr() >= 0, "Invalid learning rate: {}", options.lr());
  wengert::check(options.eps() >= 0, "Invalid epsilon value: {}", options.eps());
  wengert::check(0 <= beta1 && beta1 < 1, "Invalid beta parameter at index 0: {}", beta1);
  wengert::check(0 <= beta2 && beta2 < 1, "Invalid beta parameter at index 1: {}", beta2);
  wengert::check(options.weight_decay() >= 0, "Invalid weight_decay value: {}", options.weight_decay());
}

}  // namespace wengert::optim
