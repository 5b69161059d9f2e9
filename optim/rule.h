#pragma once

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

}  // namespace wengert::optim
