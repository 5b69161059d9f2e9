#pragma once

#include <cstddef>
#include <memory>
#include <type_traits>

namespace wengert {

/// A call of somebody else's function object without its type, so that the code that calls it is compiled
/// once and not once for every lambda. Must not outlive the object; but the object is plain bytes, which whoever wants
/// to call it later may copy.
template <class Signature>
class FunctionRef;

template <class Result, class... Args>
class FunctionRef<Result(Args...)> {
 public:
  template <class F>
  requires(!std::is_same_v<std::remove_cvref_t<F>, FunctionRef>) FunctionRef(const F& function)  // NOLINT: implicit
      : object_(std::addressof(function)),
        bytes_(sizeof(F)),
        call_([](const void* object, Args... args) -> Result { return (*static_cast<const F*>(object))(args...); }) {
    static_assert(std::is_trivially_copyable_v<F> && alignof(F) <= alignof(std::max_align_t));
  }

  Result operator()(Args... args) const { return call_(object_, args...); }

  const void* object() const { return object_; }
  size_t object_bytes() const { return bytes_; }
  /// The same function on a copy of the object.
  FunctionRef on_copy(const void* object) const {
    FunctionRef copy = *this;
    copy.object_ = object;
    return copy;
  }

 private:
  const void* object_;
  size_t bytes_;
  Result (*call_)(const void*, Args...);
};

}  // namespace wengert
