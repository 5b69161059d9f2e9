#pragma once

namespace wengert::optim {

/// What rules have in common: the gradient that they go by.
struct Descent {
  /// g, or -g if maximize; + weight_decay p.
  template <class T>
  [[gnu::always_inline]] T gradient(T p, T g) const {
    if (maximize) g = -g;
    return weight_decay != 0 ? g + T(weight_decay) * p : g;
  }

  double weight_decay;
  bool maximize;
};

/// mean <- decay mean + (1 - decay) x.
template <class T>
[[gnu::always_inline]] inline void average(T& mean, double decay, T x) {
  mean = T(decay) * mean + T(1 - decay) * x;
}

}  // namespace wengert::optim
