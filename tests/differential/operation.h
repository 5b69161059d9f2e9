#pragma once

#include <ATen/ATen.h>
#include <wengert/wengert.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <limits>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

// One operation in both libraries. As their names and signatures are the same, it is written once, as a generic lambda
// over lists of tensors of either.

namespace differential {

/// Random numbers that an instruction is made with; an operation takes from them what it needs.
struct Numbers {
  std::vector<uint32_t> raw;
  double real = 0;  ///< between -2 and 2, often whole

  /// One of 0 .. range-1.
  int64_t below(size_t i, int64_t range) const {
    return range <= 0 ? 0 : static_cast<int64_t>(raw[i] % static_cast<uint64_t>(range));
  }
  bool flag(size_t i) const { return raw[i] % 2 == 1; }
  /// A dimension of x, at times counted from the end, rarely one that x does not have.
  template <class Tensor>
  int64_t dim(size_t i, const Tensor& x) const {
    const int64_t n = std::max<int64_t>(1, x.dim());
    if (raw[i] % 97 == 0) return n;
    const int64_t d = below(i, n);
    return (raw[i] >> 16) % 4 == 0 ? d - n : d;
  }
};

/// What an operand must be.
enum class Kind { kAny, kReal, kBool, kLong, kSquare, kMatrix, kVector };

template <class Tensor>
using Function = std::function<std::vector<Tensor>(const std::vector<Tensor>&, const Numbers&)>;

struct Operation {
  std::string name;
  std::vector<Kind> operands;
  Function<at::Tensor> in_torch;
  Function<wengert::Tensor> in_wengert;
  bool in_place = false;  ///< changes its first operand
  /// How many times more than others its results may differ: where libtorch computes with fewer digits.
  double roughness = 1;
  /// The largest number in play beside its operands: 1 where libtorch takes a 1 off that it has added before.
  double constant = 1e-3;
  bool jumps = false;  ///< a rounding of its operands may change its result altogether
};

template <class Result>
auto as_list(Result result) {
  if constexpr (requires { result.defined(); }) {
    return std::vector<std::decay_t<Result>>{std::move(result)};
  } else if constexpr (requires { std::tuple_size<Result>::value; }) {
    return std::apply([](auto... parts) { return std::vector{parts...}; }, std::move(result));
  } else {
    return std::vector<typename Result::value_type>(result.begin(), result.end());
  }
}

class Operations {
 public:
  template <class F>
  Operation& add(std::string name, std::vector<Kind> operands, F f) {
    all_.push_back({std::move(name), std::move(operands),
                    [f](const std::vector<at::Tensor>& in, const Numbers& n) { return as_list(f(in, n)); },
                    [f](const std::vector<wengert::Tensor>& in, const Numbers& n) { return as_list(f(in, n)); }});
    return all_.back();
  }
  template <class F>
  Operation& add_in_place(std::string name, std::vector<Kind> operands, F f) {
    Operation& operation = add(std::move(name), std::move(operands), [f](const auto& in, const Numbers& n) {
      f(in, n);
      return in[0];
    });
    operation.in_place = true;
    return operation;
  }

  void mark_jumps(std::initializer_list<std::string_view> names) {
    for (Operation& operation : all_) {
      operation.jumps |= std::find(names.begin(), names.end(), operation.name) != names.end();
    }
  }

  const std::vector<Operation>& all() const { return all_; }

 private:
  std::vector<Operation> all_;
};

void add_pointwise(Operations& operations);
void add_reductions(Operations& operations);
void add_shapes(Operations& operations);
void add_positions(Operations& operations);
void add_matrices(Operations& operations);
void add_graphs(Operations& operations);

/// All of them; made once.
const std::vector<Operation>& operations();

/// A dtype in the library that Tensor is of.
template <class Tensor>
auto floating_dtype(bool in_double) {
  if constexpr (std::is_same_v<Tensor, at::Tensor>) {
    return in_double ? at::kDouble : at::kFloat;
  } else {
    return in_double ? wengert::kDouble : wengert::kFloat;
  }
}

template <class Tensor>
auto long_dtype() {
  if constexpr (std::is_same_v<Tensor, at::Tensor>) {
    return at::kLong;
  } else {
    return wengert::kLong;
  }
}

/// 1, 2, 3, ... along a dimension, of x's shape.
template <class Tensor>
Tensor count_along(const Tensor& x, int64_t dim) {
  return ones_like(x.detach()).to(long_dtype<Tensor>()).cumsum(dim);
}

/// x, but no two elements along the dimension are equal by chance: what is picked of equals is not compared.
template <class Tensor>
Tensor without_ties(const Tensor& x, int64_t dim) {
  return x.is_floating_point() ? x + count_along(x, dim) * (1.0 / 1024) : x;
}

/// The identity of x's size and dtype.
template <class Tensor>
Tensor eye_like(const Tensor& x) {
  const auto count = ones_like(x.detach()).cumsum(0);
  return (count == count.t())
      .to(x.dtype() == floating_dtype<Tensor>(true) ? floating_dtype<Tensor>(true) : floating_dtype<Tensor>(false));
}

}  // namespace differential
