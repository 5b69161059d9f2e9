#pragma once

#include <wengert/autograd/tensor/tensor.h>

namespace wengert::indexing {

// What x.index({...}) takes, one entry a dimension, with the meaning of Python's x[...]:
//
//     x[2]         x.index({2})                       one slice; the dimension goes
//     x[1:6:2]     x.index({Slice(1, 6, 2)})          a range; None stands for an end left out
//     x[None]      x.index({None})                    a new dimension of size 1
//     x[..., 0]    x.index({"...", 0})                as many whole dimensions as it takes; also Ellipsis
//     x[[0, 4]]    x.index({tensor({0, 4})})          Long positions
//     x[x > 0]     x.index({x > 0})                   Bool masks
//
// Without tensors the result is a view.

inline constexpr std::nullopt_t None = std::nullopt;

struct EllipsisIndexType {};
inline constexpr EllipsisIndexType Ellipsis{};

/// start, start + step, ... below stop. Ends may count from the end and may lie outside.
class Slice {
 public:
  /// Throws unless step is positive.
  Slice(std::optional<int64_t> start = std::nullopt, std::optional<int64_t> stop = std::nullopt,  // NOLINT
        std::optional<int64_t> step = std::nullopt);

  std::optional<int64_t> start() const { return start_; }
  std::optional<int64_t> stop() const { return stop_; }
  int64_t step() const { return step_; }

 private:
  std::optional<int64_t> start_, stop_;
  int64_t step_;
};

/// One entry of an index.
class TensorIndex {
 public:
  enum class Kind { kNone, kEllipsis, kInteger, kBoolean, kSlice, kTensor };

  TensorIndex(std::nullopt_t) : kind_(Kind::kNone) {}                               // NOLINT: implicit as in libtorch
  TensorIndex(EllipsisIndexType) : kind_(Kind::kEllipsis) {}                        // NOLINT
  TensorIndex(const char* ellipsis);                                                // NOLINT: "..." only
  TensorIndex(Slice slice) : kind_(Kind::kSlice), slice_(slice) {}                  // NOLINT
  TensorIndex(Tensor tensor) : kind_(Kind::kTensor), tensor_(std::move(tensor)) {}  // NOLINT
  template <std::integral T>
  TensorIndex(T value)  // NOLINT
      : kind_(std::is_same_v<T, bool> ? Kind::kBoolean : Kind::kInteger), integer_(static_cast<int64_t>(value)) {}

  Kind kind() const { return kind_; }
  bool is_none() const { return kind_ == Kind::kNone; }
  bool is_ellipsis() const { return kind_ == Kind::kEllipsis; }
  bool is_integer() const { return kind_ == Kind::kInteger; }
  bool is_boolean() const { return kind_ == Kind::kBoolean; }
  bool is_slice() const { return kind_ == Kind::kSlice; }
  bool is_tensor() const { return kind_ == Kind::kTensor; }
  int64_t integer() const { return integer_; }
  bool boolean() const { return integer_ != 0; }
  const Slice& slice() const { return slice_; }
  const Tensor& tensor() const { return tensor_; }

 private:
  Kind kind_;
  int64_t integer_ = 0;
  Slice slice_;
  Tensor tensor_;
};

// As libtorch shows them: 1:9223372036854775807:2, None, ..., true; lists in parentheses.
std::ostream& operator<<(std::ostream& out, const Slice& slice);
std::ostream& operator<<(std::ostream& out, const TensorIndex& index);
std::ostream& operator<<(std::ostream& out, const std::vector<TensorIndex>& indices);

}  // namespace wengert::indexing
