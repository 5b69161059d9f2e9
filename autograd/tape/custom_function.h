#pragma once

#include <wengert/autograd/base/grad_mode.h>
#include <wengert/autograd/tape/saved_tensor.h>

#include <string>
#include <string_view>
#include <typeinfo>
#include <unordered_map>
#include <variant>

namespace wengert {

/// A value of one of several kinds, as a custom Function keeps in AutogradContext::saved_data.
class IValue {
 public:
  IValue() = default;
  IValue(Tensor value) : value_(std::move(value)) {}                // NOLINT: implicit as in libtorch
  IValue(std::string value) : value_(std::move(value)) {}           // NOLINT
  IValue(const char* value) : value_(std::string(value)) {}         // NOLINT
  IValue(std::vector<int64_t> value) : value_(std::move(value)) {}  // NOLINT
  IValue(std::vector<double> value) : value_(std::move(value)) {}   // NOLINT
  IValue(std::vector<Tensor> value) : value_(std::move(value)) {}   // NOLINT
  IValue(IntArrayRef value) : value_(value.vec()) {}                // NOLINT
  template <Arithmetic T>
  IValue(T value) : value_(Scalar(value)) {}  // NOLINT

  bool isNone() const { return std::holds_alternative<std::monostate>(value_); }
  bool isTensor() const { return std::holds_alternative<Tensor>(value_); }
  // Each throws wengert::Error when the value is of another kind.
  const Tensor& toTensor() const { return get<Tensor>("Tensor"); }
  int64_t toInt() const { return toScalar().toLong(); }
  double toDouble() const { return toScalar().toDouble(); }
  bool toBool() const { return toScalar().toBool(); }
  const Scalar& toScalar() const { return get<Scalar>("number"); }
  const std::string& toStringRef() const { return get<std::string>("string"); }
  const std::vector<int64_t>& toIntVector() const { return get<std::vector<int64_t>>("list of int"); }
  const std::vector<double>& toDoubleVector() const { return get<std::vector<double>>("list of double"); }
  const std::vector<Tensor>& toTensorVector() const { return get<std::vector<Tensor>>("list of Tensor"); }

 private:
  template <class T>
  const T& get(const char* kind) const {
    if (const T* value = std::get_if<T>(&value_)) return *value;
    throw Error(std::string("IValue: expected a ") + kind + ", but the value is of another kind");
  }
  std::variant<std::monostate, Tensor, Scalar, std::string, std::vector<int64_t>, std::vector<double>,
               std::vector<Tensor>>
      value_;
};

namespace autograd {

class FunctionNode;

/// What a custom Function's forward leaves for its backward.
class AutogradContext {
 public:
  /// Keeps tensors for backward, which gets them by get_saved_variables(). Inputs and outputs of the function
  /// are to be saved this way, not in saved_data: it sees in-place changes and makes no circle of references.
  void save_for_backward(variable_list to_save) { to_save_ = std::move(to_save); }
  variable_list get_saved_variables() const;
  /// Anything else.
  std::unordered_map<std::string, IValue> saved_data;

  /// In forward: these inputs were changed in place; they must be returned as outputs.
  void mark_dirty(const variable_list& inputs) { dirty_ = inputs; }
  /// In forward: these outputs have no gradient.
  void mark_non_differentiable(const variable_list& outputs) { non_differentiable_ = outputs; }
  /// Whether backward gets zeros (the default) or an undefined Tensor for an output that had no influence.
  void set_materialize_grads(bool value) { materialize_grads_ = value; }
  /// In backward: whether the gradient of the i-th Tensor among forward's arguments is wanted.
  bool needs_input_grad(size_t i) const;

 private:
  friend class FunctionNode;

  variable_list to_save_, dirty_, non_differentiable_;
  std::vector<SavedTensor> saved_;
  bool materialize_grads_ = true;
  FunctionNode* node_ = nullptr;
};

/// The Node of a custom Function. What does not depend on the Function's type.
class FunctionNode : public Node {
 public:
  explicit FunctionNode(std::string name) : name_(std::move(name)) { context_.node_ = this; }

  Gradients apply(Gradients grads) override;
  std::string name() const override { return name_; }
  ArrayRef<SavedTensor> saved_tensors() const override { return context_.saved_; }
  bool takes_undefined() const override { return true; }
  void release_variables() override;

 protected:
  virtual variable_list call_backward(AutogradContext* context, variable_list grads) = 0;

  /// Before forward: notes an argument, a Tensor or anything else.
  void add_argument(const Tensor& input);
  template <class T>
  void add_argument(const T&) {
    argument_is_tensor_.push_back(false);
  }
  /// Whether the call is to be recorded; if so, connects the Node to its inputs.
  void connect();
  /// After forward: gives the outputs their history and saves what forward asked for.
  void finish(variable_list& outputs, const IntrusivePtr<Node>& self);

  AutogradContext context_;

 private:
  struct Meta {
    Dims sizes;
    ScalarType dtype;
  };
  static Meta meta_of(const Tensor& tensor) { return {tensor.sizes(), tensor.dtype()}; }
  Tensor give_history(const Tensor& output, const IntrusivePtr<Node>& self, uint32_t output_nr);

  std::string name_;
  variable_list inputs_;  // forward's Tensor arguments; dropped after forward
  std::vector<bool> argument_is_tensor_;
  std::vector<std::optional<Meta>> input_meta_;
  std::vector<Meta> output_meta_;
  bool recorded_ = false;
  bool released_ = false;

  friend class AutogradContext;
};

/// The last part of a type's name, for a Node's: "Square" for "(anonymous namespace)::Square".
std::string short_type_name(const std::type_info& type);

/// Base of an operation with a gradient of one's own. T has
///
///     static Tensor forward(AutogradContext* ctx, <arguments>);            // or variable_list
///     static variable_list backward(AutogradContext* ctx, variable_list grad_outputs);
///
/// backward returns one gradient for each of forward's arguments, undefined for those that are no Tensors.
/// Call it as T::apply(<arguments>). While forward runs, nothing is recorded.
template <class T>
class Function {
 public:
  template <class... Args>
  static auto apply(Args&&... args) {
    auto node = make_intrusive<NodeOf>();
    return node->run(std::forward<Args>(args)...);
  }

 private:
  class NodeOf final : public FunctionNode {
   public:
    NodeOf() : FunctionNode(short_type_name(typeid(T)) + "Backward") {}

    template <class... Args>
    auto run(Args&&... args) {
      (add_argument(args), ...);
      connect();
      using Result = std::decay_t<decltype(T::forward(&context_, std::forward<Args>(args)...))>;
      const auto call = [&] {
        const NoGradGuard no_grad;
        return T::forward(&context_, std::forward<Args>(args)...);
      };
      const IntrusivePtr<Node> self(this);
      if constexpr (std::is_same_v<Result, Tensor>) {
        variable_list outputs{call()};
        finish(outputs, self);
        return outputs[0];
      } else {
        variable_list outputs = call();
        finish(outputs, self);
        return outputs;
      }
    }

   protected:
    variable_list call_backward(AutogradContext* context, variable_list grads) override {
      return T::backward(context, std::move(grads));
    }
  };
};

}  // namespace autograd
}  // namespace wengert
