#include <differential/program.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <torch/csrc/autograd/function.h>
#include <wengert/autograd/tape/observer.h>
#include <algorithm>
#include <optional>
#include <set>

namespace differential {
namespace {

// --- The two libraries behind one face --------------------------------------------------------------------

struct Torch {
  using Tensor = at::Tensor;
  static at::ScalarType dtype(Leaf::Dtype dtype) {
    switch (dtype) {
      case Leaf::Dtype::kFloat: return at::kFloat;
      case Leaf::Dtype::kDouble: return at::kDouble;
      case Leaf::Dtype::kLong: return at::kLong;
      case Leaf::Dtype::kBool: break;
    }
    return at::kBool;
  }
  static Tensor make(const Leaf& leaf) {
    const Tensor in_double = at::tensor(leaf.elements, at::kDouble).reshape(leaf.sizes);
    return in_double.to(dtype(leaf.dtype)).clone().requires_grad_(leaf.requires_grad);
  }
  static const Function<Tensor>& function(const Operation& operation) { return operation.in_torch; }
  using NoGradGuard = at::NoGradGuard;
  using InferenceMode = c10::InferenceMode;
};

struct Wengert {
  using Tensor = wengert::Tensor;
  static wengert::ScalarType dtype(Leaf::Dtype dtype) {
    switch (dtype) {
      case Leaf::Dtype::kFloat: return wengert::kFloat;
      case Leaf::Dtype::kDouble: return wengert::kDouble;
      case Leaf::Dtype::kLong: return wengert::kLong;
      case Leaf::Dtype::kBool: break;
    }
    return wengert::kBool;
  }
  static Tensor make(const Leaf& leaf) {
    const Tensor in_double = wengert::tensor(leaf.elements, wengert::kDouble).reshape(leaf.sizes);
    return in_double.to(dtype(leaf.dtype)).clone().requires_grad_(leaf.requires_grad);
  }
  static const Function<Tensor>& function(const Operation& operation) { return operation.in_wengert; }
  using NoGradGuard = wengert::NoGradGuard;
  using InferenceMode = wengert::InferenceMode;
};

// The first line of what a call throws, if it throws.
template <class Call>
std::optional<std::string> thrown_by(const Call& call) {
  try {
    call();
    return std::nullopt;
  } catch (const c10::Error& error) {
    return std::string(error.what_without_backtrace());
  } catch (const std::exception& error) {
    return std::string(error.what()).substr(0, std::string(error.what()).find('\n'));
  }
}

template <class Library>
struct Results {
  std::vector<std::vector<typename Library::Tensor>> of;  // by instruction; empty where it threw

  std::vector<typename Library::Tensor> operands(const Instruction& instruction) const {
    std::vector<typename Library::Tensor> list;
    for (const auto& operand : instruction.operands) list.push_back(of[operand.instruction].at(operand.result));
    return list;
  }
};

template <class Library>
std::optional<std::string> run(const Instruction& instruction, Results<Library>& results) {
  std::vector<typename Library::Tensor> made;
  auto thrown = thrown_by([&] {
    std::optional<typename Library::NoGradGuard> no_grad;
    std::optional<typename Library::InferenceMode> inference;
    if (instruction.mode == Mode::kNoGrad) no_grad.emplace();
    if (instruction.mode == Mode::kInference) inference.emplace();
    made = instruction.operation == nullptr
               ? std::vector{Library::make(instruction.leaf)}
               : Library::function(*instruction.operation)(results.operands(instruction), instruction.numbers);
  });
  results.of.push_back(thrown ? std::vector<typename Library::Tensor>() : std::move(made));
  return thrown;
}

// --- Comparison -------------------------------------------------------------------------------------------

std::vector<double> elements(const at::Tensor& x) {
  const at::Tensor flat = x.detach().to(at::kDouble).contiguous();
  return {flat.data_ptr<double>(), flat.data_ptr<double>() + flat.numel()};
}
std::vector<double> elements(const wengert::Tensor& x) {
  const wengert::Tensor flat = x.detach().to(wengert::kDouble).contiguous();
  return {flat.data_ptr<double>(), flat.data_ptr<double>() + flat.numel()};
}

// Of the absolute values that are finite.
double largest_of(const at::Tensor& x) {
  double largest = 0;
  for (const double v : elements(x)) {
    if (std::isfinite(v)) largest = std::max(largest, std::abs(v));
  }
  return largest;
}

// Of an operation's operands and constants.
double largest_of(const Instruction& instruction, const std::vector<at::Tensor>& operands) {
  double largest = instruction.operation->constant;
  for (const at::Tensor& operand : operands) largest = std::max(largest, largest_of(operand));
  return largest;
}

// Some hundred roundings of the numbers in play: elements are compared to the largest around them as well, for sums
// of large numbers that cancel are not exact in either library.
bool alike(double a, double b, double largest, double roughness) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
  if (a == b) return true;
  if (std::isinf(a) || std::isinf(b)) return false;
  const double relative = 1e-12 * roughness;
  return std::abs(a - b) <= relative * std::max({std::abs(a), std::abs(b), largest});
}

std::string difference(const at::Tensor& a, const wengert::Tensor& b, double around, double roughness) {
  if (a.defined() != b.defined()) {
    // Where no gradient arrives libtorch may say so by an undefined tensor or by zeros.
    const std::vector<double> rest = a.defined() ? elements(a) : elements(b);
    const bool zero = std::all_of(rest.begin(), rest.end(), [](double x) { return x == 0; });
    return zero ? ""
                : fmt::format("{} in libtorch, {} here", a.defined() ? "defined" : "undefined",
                              b.defined() ? "defined" : "undefined");
  }
  if (!a.defined()) return "";
  if (wengert::IntArrayRef(a.sizes().data(), a.sizes().size()) != b.sizes()) {
    return fmt::format("shape {} in libtorch, {} here", a.sizes().vec(), b.sizes().vec());
  }
  if (std::string(at::toString(a.scalar_type())) != wengert::toString(b.dtype())) {
    return fmt::format("dtype {} in libtorch, {} here", at::toString(a.scalar_type()), wengert::toString(b.dtype()));
  }
  const std::vector<double> x = elements(a), y = elements(b);
  const double largest = std::max(around, largest_of(a));
  const bool exact = !b.is_floating_point();
  for (size_t i = 0; i < x.size(); ++i) {
    if (exact ? x[i] != y[i] : !alike(x[i], y[i], largest, roughness)) {
      return fmt::format("element {} is {} in libtorch, {} here", i, x[i], y[i]);
    }
  }
  return "";
}

// --- Running ----------------------------------------------------------------------------------------------

// Whether values stay where roundings do not blow up.
bool is_tame(const at::Tensor& x) {
  const std::vector<double> all = elements(x);
  return std::all_of(all.begin(), all.end(), [](double v) { return std::isfinite(v) && std::abs(v) < 1e3; });
}

// By how much more than a few roundings of doubles results may differ from here on. Where a Float or a Long takes
// part, libtorch computes some intermediate results in single precision, even if the result is a double.
double roughness_after(const Instruction& instruction, const Results<Torch>& torch, double before) {
  constexpr double kSingle = 3e7;
  double roughness = std::max(before, instruction.operation != nullptr ? instruction.operation->roughness : 1);
  for (const at::Tensor& x : torch.of.back()) {
    if (x.scalar_type() != at::kDouble && x.scalar_type() != at::kBool) roughness = std::max(roughness, kSingle);
  }
  return roughness;
}

// What libtorch refuses for reasons of its own: it saves more, and so notices more in-place changes; some formulas
// subtract bools that took part in a promotion; a view taken before its base was changed in place by an operation with
// a gradient is a leaf to it; it writes in place where an operation here works on a copy; and it has bugs.
bool is_own_refusal(const std::string& text) {
  const auto says = [&](const char* part) { return text.find(part) != std::string::npos; };
  return says("modified by an inplace operation") || says("bool tensor is not supported") ||
         says("a leaf Variable that requires grad") || says("refer to a single memory location") ||
         says("Inference tensors cannot be saved for backward") || says("Expected a proper Tensor but got None") ||
         says("functions with out=... arguments don't support automatic differentiation") ||
         says("INTERNAL ASSERT FAILED");
}

// Whether both libraries' results are the same to the last bit.
bool same_operands(const Instruction& instruction, const Results<Torch>& torch, const Results<Wengert>& here) {
  const auto in_torch = torch.operands(instruction);
  const auto in_wengert = here.operands(instruction);
  for (size_t i = 0; i < in_torch.size(); ++i) {
    if (elements(in_torch[i]) != elements(in_wengert[i])) return false;
  }
  return true;
}

// What is refused here alone, for a reason that docs/differences.md gives.
bool is_only_ours(const std::string& text, const Instruction& instruction,
                  const std::vector<wengert::Tensor>& operands) {
  const auto says = [&](const char* part) { return text.find(part) != std::string::npos; };
  // libtorch only warns where index_put_ writes through strides of 0.
  if (says("more than one element of the written-to")) return true;
  // Of a view with gaps libtorch does not see that its indices lie in the memory that is written.
  if (says("some elements of the input tensor and the written-to tensor") &&
      instruction.operation->name.find("index_put_") == 0) {
    return true;
  }
  // What libtorch detaches from an inference tensor may be changed by anybody.
  if (says("Inplace update to inference tensor outside InferenceMode")) return true;
  // A view without history requires grad for its base's sake; what only its gradient needs is saved here.
  if (says("Inference tensors cannot be saved for backward") &&
      std::any_of(operands.begin(), operands.end(), [](const wengert::Tensor& x) {
        return x.requires_grad() && x.is_view() && x.grad_fn() == nullptr;
      })) {
    return true;
  }
  // Of a number libtorch 1.13 takes no position as well as one; PyTorch 2 refuses it in these words.
  if (says("Index to scalar can have only 1 value")) return true;
  // libtorch looks at the dtypes of matrices and vectors only where there are elements to multiply.
  return says("expected scalar type") &&
         std::any_of(operands.begin(), operands.end(), [](const wengert::Tensor& x) { return x.numel() == 0; });
}

at::Tensor as_torch(const wengert::Tensor& x) {
  constexpr at::ScalarType kDtypes[] = {at::kBool, at::kLong, at::kFloat,
                                        at::kDouble};  // in wengert::ScalarType's order
  return at::tensor(elements(x), at::kDouble)
      .reshape(at::IntArrayRef(x.sizes().data(), x.sizes().size()))
      .to(kDtypes[static_cast<size_t>(x.dtype())]);
}

// Whether libtorch, given the operands that the operation had here, comes to what came out here. Then the results
// differ because the operands do: by roundings, each of them compared before, that the operation has made larger (next
// to a pole, say).
bool torch_agrees_about_our_operands(const Instruction& instruction, const Results<Wengert>& here,
                                     const std::vector<at::Tensor>& given, size_t result, double roughness) {
  std::vector<at::Tensor> made;
  const at::NoGradGuard no_grad;
  const auto thrown = thrown_by([&] { made = instruction.operation->in_torch(given, instruction.numbers); });
  if (thrown || made.size() <= result) return false;
  return difference(made[result], here.of.back()[result], largest_of(instruction, given), roughness).empty();
}

double distance(const at::Tensor& a, const at::Tensor& b) { return largest_of(a - b); }

// Moved by as much as a thirtieth of the difference where operands are off by a few roundings, a result says nothing:
// the logarithm of a determinant that is 0 but for rounding, say.
constexpr double kTellingPart = 30;

bool is_ill_conditioned(const Instruction& instruction, const std::vector<at::Tensor>& operands, size_t result,
                        const at::Tensor& in_torch, const at::Tensor& here, double roughness) {
  const double roundings = roughness > 1e6 ? 0x1p-20 : 0x1p-48;
  const at::NoGradGuard no_grad;
  if (in_torch.sizes() != here.sizes() || !in_torch.is_floating_point()) return false;
  std::mt19937 random(1);
  for (int i = 0; i < 20; ++i) {
    std::vector<at::Tensor> moved, made;
    for (const at::Tensor& x : operands) {
      moved.push_back(x.detach().clone());
      if (!x.is_floating_point()) continue;
      std::vector<double> values = elements(x);
      for (double& v : values) v *= 1 + roundings * (static_cast<double>(random()) / 2147483648.0 - 1);
      moved.back() = at::tensor(values, at::kDouble).reshape(x.sizes()).to(x.scalar_type());
    }
    const auto thrown = thrown_by([&] { made = instruction.operation->in_torch(moved, instruction.numbers); });
    if (thrown || made.size() <= result || made[result].sizes() != in_torch.sizes()) continue;
    if (kTellingPart * distance(made[result], in_torch) >= distance(here, in_torch)) return true;
  }
  return false;
}

const std::string kGrownRounding = "roundings have grown";  // in place of a difference: the program is compared so far

// Which operands a result shares memory with.
template <class Tensor>
std::vector<bool> shares_memory(const Tensor& result, const std::vector<Tensor>& operands) {
  std::vector<bool> shares;
  for (const Tensor& operand : operands)
    shares.push_back(result.numel() > 0 && operand.numel() > 0 && result.is_alias_of(operand));
  return shares;
}

// Whether elements lie in the same order, apart.
bool same_layout(const at::Tensor& a, const wengert::Tensor& b) {
  for (int64_t d = 0; d < a.dim(); ++d) {
    if (a.size(d) > 1 && a.stride(d) != b.stride(d)) return false;
  }
  return true;
}

// Whether one of the operands lies in the memory that is written, and in another order: then what is read depends on
// what has been written by then.
bool reads_what_it_writes(const Instruction& instruction, const std::vector<at::Tensor>& operands) {
  if (instruction.operation == nullptr || !instruction.operation->in_place) return false;
  return std::any_of(operands.begin() + 1, operands.end(), [&, &written = operands[0]](const at::Tensor& x) {
    return x.is_alias_of(written) &&
           (x.strides() != written.strides() || x.storage_offset() != written.storage_offset());
  });
}

// The Node's name in libtorch, or nothing where there is none, or where libtorch does not tell: it throws where a
// view's history is ambiguous.
std::string node_of(const at::Tensor& x) {
  try {
    const auto node = x.grad_fn();
    std::string name = node ? node->name() : "";
    return name.substr(std::min(name.size(), name.rfind(':') + 1));
  } catch (const c10::Error&) {
    return "";
  }
}

// Whether docs/differences.md says why there is another Node than in libtorch 1.13: a product's last view, in-place
// forms that copy, numbers before a tensor, operations made of others, and what libtorch's C++ interface does not have.
bool is_known_difference(const Instruction& instruction, const std::string& torch, const std::string& here) {
  static const std::set<std::string> kViews = {"ViewBackward0",    "UnsafeViewBackward0", "ReshapeAliasBackward0",
                                               "SqueezeBackward0", "SqueezeBackward1",    "SqueezeBackward3",
                                               "PermuteBackward0", "CloneBackward0"};
  static const std::set<std::string> kMadeOfOthers = {"BinaryCrossEntropyWithLogitsBackward0",
                                                      "NativeLayerNormBackward0", "FillBackward2"};
  static const std::set<std::string> kOurOwn = {"CheckpointBackward", "WengertFunctionBackward", "L1LossBackward0"};
  return (kViews.contains(torch) && kViews.contains(here)) || kMadeOfOthers.contains(torch) || kOurOwn.contains(here) ||
         (instruction.operation->in_place && (here == "CopyBackwards" || kViews.contains(here))) ||
         (torch == "SubBackward0" && here == "RsubBackward1") || (torch == "DivBackward0" && here == "MulBackward1") ||
         instruction.operation->name.starts_with("einsum");
}

std::string different_node(const Instruction& instruction, const at::Tensor& in_torch, const wengert::Tensor& here) {
  const std::string name = node_of(in_torch);
  if (instruction.operation == nullptr || name.empty() || !here.grad_fn() || in_torch.is_view()) return "";
  if (name == here.grad_fn()->name() || is_known_difference(instruction, name, here.grad_fn()->name())) return "";
  return fmt::format("grad_fn is {} in libtorch, {} here", name, here.grad_fn()->name());
}

// What differs at one instruction.
std::string step(const Instruction& instruction, Results<Torch>& torch, Results<Wengert>& here, double& roughness) {
  // Left out, and all that depends on it.
  const bool depends_on_none =
      std::any_of(instruction.operands.begin(), instruction.operands.end(), [&](const auto& o) {
        return o.result >= torch.of[o.instruction].size() || o.result >= here.of[o.instruction].size();
      });
  if (depends_on_none ||
      (instruction.operation != nullptr && instruction.operation->jumps && !same_operands(instruction, torch, here))) {
    torch.of.emplace_back();
    here.of.emplace_back();
    return "";
  }
  std::vector<at::Tensor> given;  // our operands before the operation, as libtorch's tensors
  for (const wengert::Tensor& operand : here.operands(instruction)) given.push_back(as_torch(operand));
  const auto torch_threw = run(instruction, torch), here_threw = run(instruction, here);
  const auto leave_out = [&] {
    torch.of.back().clear();
    here.of.back().clear();
    return std::string();
  };
  if (torch_threw && !here_threw && is_own_refusal(*torch_threw)) return leave_out();
  const auto in_torch = torch.operands(instruction);
  const auto in_wengert = here.operands(instruction);
  const bool same_layouts = std::equal(in_torch.begin(), in_torch.end(), in_wengert.begin(), same_layout);
  // libtorch's isfinite and isclose are made of operations with gradients, and so want to know what nobody recorded.
  if (torch_threw && !here_threw && torch_threw->find("A view was created in") == 0 &&
      (instruction.operation->name == "isfinite" || instruction.operation->name == "isclose")) {
    return leave_out();
  }
  // libtorch reads what it has just written where a divisor is a part of what is divided in place.
  if (torch_threw && *torch_threw == "ZeroDivisionError" && instruction.operation->in_place && in_torch.size() == 2 &&
      in_torch[0].is_alias_of(in_torch[1])) {
    return leave_out();
  }
  // Whether there is a view of other sizes depends on strides.
  if (!same_layouts && (torch_threw ? *torch_threw : here_threw.value_or("")).find("view size is not") == 0) {
    return leave_out();
  }
  if (here_threw && !torch_threw && is_only_ours(*here_threw, instruction, in_wengert)) return leave_out();
  if (torch_threw.has_value() != here_threw.has_value()) {
    return torch_threw ? fmt::format("only libtorch throws: {}", *torch_threw)
                       : fmt::format("only Wengert throws: {}", *here_threw);
  }
  if (torch_threw) return "";
  const auto& x = torch.of.back();
  const auto& y = here.of.back();
  if (x.size() != y.size()) return fmt::format("{} results in libtorch, {} here", x.size(), y.size());
  roughness = roughness_after(instruction, torch, roughness);
  const double around = instruction.operation == nullptr ? 0 : largest_of(instruction, in_torch);
  for (size_t i = 0; i < x.size(); ++i) {
    if (std::string different = difference(x[i], y[i], around, roughness); !different.empty()) {
      if (torch_agrees_about_our_operands(instruction, here, given, i, roughness)) return kGrownRounding;
      if (reads_what_it_writes(instruction, in_torch)) return leave_out();
      if (instruction.operation != nullptr && !instruction.operation->in_place &&
          is_ill_conditioned(instruction, in_torch, i, x[i].detach(), as_torch(y[i]), roughness)) {
        return kGrownRounding;
      }
      return fmt::format("result {}: {}", i, different);
    }
    if (shares_memory(x[i], in_torch) != shares_memory(y[i], in_wengert)) {
      // flatten, say, copies or does not by its operand's strides, which libtorch's elementwise results take from their
      // operands while ours are row-major.
      if (!same_layouts) return leave_out();
      return fmt::format("result {} shares memory with other operands than in libtorch", i);
    }
    if (x[i].requires_grad() != y[i].requires_grad()) {
      return fmt::format("requires_grad is {} in libtorch, {} here", x[i].requires_grad(), y[i].requires_grad());
    }
    // What an operation gives back as it is has a Node that was looked at before.
    const bool is_operand = std::any_of(in_torch.begin(), in_torch.end(), [&](const at::Tensor& operand) {
      return operand.is_same(x[i]) && !instruction.operation->in_place;
    });
    if (is_operand) continue;
    if (std::string different = different_node(instruction, x[i], y[i]); !different.empty()) return different;
  }
  return "";
}

// sum_i w_i sum(result_i w'), the weights without a pattern, over all results that require grad.
template <class Library>
std::optional<typename Library::Tensor> loss_of(const Program& program, const Results<Library>& results) {
  std::optional<typename Library::Tensor> loss;
  double weight = 0.7;
  for (size_t i = 0; i < program.size(); ++i) {
    if (program[i].operation == nullptr && program[i].leaf.requires_grad) continue;
    for (const auto& result : results.of[i]) {
      if (!result.requires_grad() || result.numel() == 0) continue;
      const auto flat = result.reshape({-1});
      const auto weights = (count_along(flat, 0) * 0.618).frac() + 0.25;
      const auto part = (flat * weights.to(flat.dtype())).sum().to(Library::dtype(Leaf::Dtype::kDouble)) * weight;
      loss = loss ? *loss + part : part;
      weight = weight < 0.5 ? weight + 0.37 : weight - 0.31;
    }
  }
  return loss;
}

// The program with each element of its leaves off by a few roundings.
Program nudged(Program program, double roundings, uint32_t seed) {
  std::mt19937 random(seed);
  for (Instruction& instruction : program) {
    if (instruction.leaf.dtype == Leaf::Dtype::kLong || instruction.leaf.dtype == Leaf::Dtype::kBool) continue;
    for (double& x : instruction.leaf.elements) x *= 1 + roundings * (static_cast<double>(random()) / 2147483648.0 - 1);
  }
  return program;
}

// libtorch's gradient for result j of instruction i; undefined if something throws.
at::Tensor gradient_in_torch(const Program& program, size_t i, size_t j) {
  Results<Torch> results;
  at::Tensor grad;
  thrown_by([&] {
    for (const Instruction& instruction : program) run(instruction, results);  // what threw there throws here, too
    if (const auto loss = loss_of<Torch>(program, results)) loss->backward();
    grad = results.of[i].at(j).grad();
  });
  return grad;
}

// Whether libtorch's own gradient moves by so much where leaves are off by a few roundings. (The gradient of the spread
// of equal numbers is such a one.)
bool is_ill_conditioned(const Program& program, size_t i, size_t j, const at::Tensor& in_torch, const at::Tensor& here,
                        double roughness) {
  const double roundings = roughness > 1e6 ? 0x1p-20 : 0x1p-48;
  for (uint32_t seed = 1; seed <= 20; ++seed) {
    const at::Tensor moved = gradient_in_torch(nudged(program, roundings, seed), i, j);
    if (!moved.defined() || moved.sizes() != in_torch.sizes()) continue;
    if (kTellingPart * distance(moved, in_torch) >= distance(here, in_torch)) return true;
  }
  return false;
}

// Whether libtorch may have forgotten a hook: that on a view's Node, which it makes anew when the view is changed in
// place. (Results of a few operations are views there and not here.)
bool may_forget_hooks(const Program& program, const Results<Torch>& torch) {
  return std::any_of(program.begin(), program.end(), [&](const Instruction& instruction) {
    if (instruction.operation == nullptr || instruction.operation->name != "hook_on_operand") return false;
    // Results that are not compared are left out, and what would have used them.
    const Instruction::Operand operand = instruction.operands[0];
    const std::vector<at::Tensor>& made = torch.of[operand.instruction];
    if (operand.result >= made.size()) return false;
    const at::Tensor& x = made[operand.result];
    return x.is_view() && !x.is_inference() && x._version() > 0;
  });
}

// The largest of the gradients that Nodes send on: parts of sums, which may cancel.
class LargestPart final : public wengert::autograd::BackwardObserver {
 public:
  void backward_begins(wengert::ArrayRef<wengert::autograd::Edge>, const wengert::autograd::Gradients&) override {}
  void node_begins(wengert::autograd::Node&, const wengert::autograd::Gradients&) override {}
  void node_ended(wengert::autograd::Node&, const wengert::autograd::Gradients& results) override {
    for (const wengert::Tensor& part : results) {
      if (!part.defined() || part.is_sparse()) continue;
      for (const double v : elements(part)) {
        if (std::isfinite(v)) largest = std::max(largest, std::abs(v));
      }
    }
  }
  void node_passed_over(wengert::autograd::Node&, const wengert::autograd::Gradients&) override {}
  void backward_ended() override {}

  double largest = 1;
};

std::string compare_gradients(const Program& program, const Results<Torch>& torch, const Results<Wengert>& here,
                              double roughness) {
  if (may_forget_hooks(program, torch)) return "";
  std::optional<at::Tensor> torch_loss;
  std::optional<wengert::Tensor> here_loss;
  LargestPart parts;
  const auto torch_threw = thrown_by([&] {
    // Sums of large gradients that cancel are not exact: those on the way count among the numbers in play.
    for (const auto& made : torch.of) {
      for (const at::Tensor& x : made) {
        if (!x.is_inference() && !x.is_view() && x.requires_grad() && x.grad_fn() != nullptr) x.retain_grad();
      }
    }
    if ((torch_loss = loss_of<Torch>(program, torch))) torch_loss->backward();
  });
  const auto here_threw = thrown_by([&] {
    const wengert::autograd::ObserveBackward observe(parts);
    if ((here_loss = loss_of<Wengert>(program, here))) here_loss->backward();
  });
  if (torch_threw && !here_threw && is_own_refusal(*torch_threw)) return "";
  if (torch_threw.has_value() != here_threw.has_value()) {
    return torch_threw ? fmt::format("backward: only libtorch throws: {}", *torch_threw)
                       : fmt::format("backward: only Wengert throws: {}", *here_threw);
  }
  if (torch_threw) return "";
  double largest = parts.largest;
  for (const auto& made : torch.of) {
    for (const at::Tensor& x : made) {
      if (x.requires_grad() && (x.is_leaf() || x.retains_grad()) && x.grad().defined())
        largest = std::max(largest, largest_of(x.grad()));
    }
  }
  for (size_t i = 0; i < program.size(); ++i) {
    for (size_t j = 0; j < torch.of[i].size(); ++j) {
      const at::Tensor& x = torch.of[i][j];
      const wengert::Tensor& y = here.of[i][j];
      if (!x.requires_grad() || !(x.is_leaf() || y.retains_grad())) continue;
      // Changed in place since: PyTorch 2 and Wengert retain the gradient of the new value, libtorch 1.13 of the old.
      if (y.retains_grad() && y._version() > 0) continue;
      const std::string different = difference(x.grad(), y.grad(), largest, roughness);
      if (!different.empty() && x.grad().defined() && y.grad().defined() && y.grad().sizes() == y.sizes() &&
          is_ill_conditioned(program, i, j, x.grad(), as_torch(y.grad()), roughness)) {
        continue;
      }
      if (!different.empty()) return fmt::format("gradient of %{}: {}", i, different);
    }
  }
  return "";
}

// --- Making programs --------------------------------------------------------------------------------------

class ProgramMaker {
 public:
  explicit ProgramMaker(uint32_t seed) : random_(seed) {}

  Program make(size_t length) {
    // All shapes broadcast against each other, so that most pairs of operands go together.
    base_.resize(1 + below(3));
    for (int64_t& size : base_) size = 1 + below(4);
    if (below(25) == 0) base_[below(base_.size())] = 0;
    for (size_t i = 0, leaves = 2 + below(3); i < leaves; ++i) add_leaf();
    while (length-- > 0) {
      // Now and then a few steps in another mode.
      if (stretch_ == 0 && below(12) == 0) {
        mode_ = below(2) == 0 ? Mode::kNoGrad : Mode::kInference;
        stretch_ = 1 + below(3);
      }
      add_operation();
      if (stretch_ > 0 && --stretch_ == 0) mode_ = Mode::kNormal;
    }
    return std::move(program_);
  }

 private:
  size_t below(size_t range) { return random_() % range; }

  void add_leaf() {
    Leaf leaf;
    leaf.sizes = base_;
    const size_t kind = below(10);
    if (kind < 3)
      leaf.sizes.erase(leaf.sizes.begin(), leaf.sizes.begin() + static_cast<std::ptrdiff_t>(below(base_.size() + 1)));
    for (int64_t& size : leaf.sizes) size = below(5) == 0 ? 1 : size;
    if (kind == 8) leaf.sizes = {2 + static_cast<int64_t>(below(3)), 2 + static_cast<int64_t>(below(3))};
    if (kind == 9) leaf.sizes.assign(2, 2 + static_cast<int64_t>(below(3)));
    const size_t dtype = below(10);
    leaf.dtype = dtype < 6    ? Leaf::Dtype::kDouble
                 : dtype < 8  ? Leaf::Dtype::kFloat
                 : dtype == 8 ? Leaf::Dtype::kLong
                              : Leaf::Dtype::kBool;
    const bool real = dtype < 8;
    leaf.requires_grad = real && below(4) != 0;
    int64_t count = 1;
    for (const int64_t size : leaf.sizes) count *= size;
    for (int64_t i = 0; i < count; ++i) {
      // In float exactly, so that both libraries start from one number.
      const double value = static_cast<float>(static_cast<double>(random_()) / 4294967296.0 * 4 - 2);
      leaf.elements.push_back(leaf.dtype == Leaf::Dtype::kBool ? value > 0 : real ? value : std::round(value));
    }
    add({nullptr, std::move(leaf), {}, {}, Mode::kNormal});
  }

  bool is_kind(const at::Tensor& x, Kind kind) const {
    const bool real = x.is_floating_point();
    switch (kind) {
      case Kind::kAny: return true;
      case Kind::kReal: return real;
      case Kind::kBool: return x.scalar_type() == at::kBool;
      case Kind::kLong: return x.scalar_type() == at::kLong;
      case Kind::kMatrix: return real && x.dim() == 2;
      case Kind::kSquare: return real && x.dim() == 2 && x.size(0) == x.size(1);
      case Kind::kVector: return real && x.dim() == 1;
    }
    return false;
  }

  void add_operation() {
    for (int attempt = 0; attempt < 20; ++attempt) {
      const Operation& operation = operations()[below(operations().size())];
      Instruction instruction{&operation, {}, {}, {}, mode_};
      for (int i = 0; i < 4; ++i) instruction.numbers.raw.push_back(static_cast<uint32_t>(random_()));
      instruction.numbers.real = static_cast<double>(below(33)) / 8 - 2;
      if (below(2) == 0) instruction.numbers.real = std::round(instruction.numbers.real);
      bool found = true;
      for (const Kind kind : operation.operands) {
        std::vector<Instruction::Operand> candidates;
        for (size_t i = 0; i < results_.of.size(); ++i) {
          for (size_t j = 0; j < results_.of[i].size(); ++j) {
            if (usable_[i] && is_kind(results_.of[i][j], kind)) candidates.push_back({i, j});
          }
        }
        found &= !candidates.empty();
        if (!found) break;
        instruction.operands.push_back(candidates[below(candidates.size())]);
      }
      if (!found) continue;
      // Most of those that throw teach nothing new.
      Results<Torch> probe = results_;
      if (thrown_by([&] { operation.in_torch(detached(probe.operands(instruction)), instruction.numbers); }) &&
          below(8) != 0) {
        continue;
      }
      add(std::move(instruction));
      return;
    }
  }

  static std::vector<at::Tensor> detached(std::vector<at::Tensor> list) {
    for (at::Tensor& x : list) x = x.detach().clone();
    return list;
  }

  void add(Instruction instruction) {
    run(instruction, results_);
    program_.push_back(std::move(instruction));
    // All of them anew: an in-place operation may have changed any.
    usable_.clear();
    for (const auto& made : results_.of) {
      usable_.push_back(
          std::all_of(made.begin(), made.end(), [](const at::Tensor& x) { return is_tame(x) && x.numel() < 2000; }));
    }
  }

  std::mt19937 random_;
  std::vector<int64_t> base_;
  Program program_;
  Results<Torch> results_;
  std::vector<bool> usable_;
  Mode mode_ = Mode::kNormal;
  size_t stretch_ = 0;  // steps that are left of it
};

Program without(const Program& program, size_t dropped) {
  Program rest;
  std::vector<std::optional<size_t>> moved(program.size());
  for (size_t i = 0; i < program.size(); ++i) {
    if (i == dropped) continue;
    Instruction instruction = program[i];
    bool keeps = true;
    for (auto& operand : instruction.operands) {
      keeps &= moved[operand.instruction].has_value();
      if (keeps) operand.instruction = *moved[operand.instruction];
    }
    if (!keeps) continue;
    moved[i] = rest.size();
    rest.push_back(std::move(instruction));
  }
  return rest;
}

}  // namespace

const std::vector<Operation>& operations() {
  static const Operations all = [] {
    Operations operations;
    add_pointwise(operations);
    add_reductions(operations);
    add_shapes(operations);
    add_positions(operations);
    add_matrices(operations);
    add_graphs(operations);
    operations.mark_jumps({"floor",
                           "floor_",
                           "ceil",
                           "ceil_",
                           "round",
                           "round_",
                           "trunc",
                           "trunc_",
                           "frac",
                           "frac_",
                           "sign",
                           "sign_",
                           "remainder",
                           "remainder_",
                           "remainder_number",
                           "fmod",
                           "fmod_number",
                           "div_floor",
                           "div_trunc",
                           "eq",
                           "ne",
                           "lt",
                           "ge",
                           "lt_number",
                           "maximum",
                           "minimum",
                           "argmax",
                           "argmin",
                           "argmax_dim",
                           "argmin_dim",
                           "max",
                           "min",
                           "max_dim",
                           "min_dim",
                           "amax",
                           "amin",
                           "norm_inf",
                           "median",
                           "median_dim",
                           "sort_values",
                           "topk_values",
                           "count_nonzero",
                           "count_nonzero_dim",
                           "nonzero",
                           "all",
                           "any",
                           "all_dim",
                           "any_dim",
                           "logical_and",
                           "logical_or",
                           "logical_xor",
                           "logical_not",
                           "nll_loss",
                           "cross_entropy_loss",
                           "clamp_tensors"});
    return operations;
  }();
  return all.all();
}

Program make_program(uint32_t seed, size_t length) { return ProgramMaker(seed).make(length); }

std::string disagreement(const Program& program) {
  Results<Torch> torch;
  Results<Wengert> here;
  bool tame = true;
  double roughness = 1;
  for (size_t i = 0; i < program.size(); ++i) {
    if (std::string different = step(program[i], torch, here, roughness); !different.empty()) {
      if (different == kGrownRounding) return "";
      return fmt::format("%{}: {}", i, different);
    }
    // What an in-place operation that throws leaves behind, and what large numbers are rounded to, is not compared.
    if (torch.of.back().empty() && program[i].operation != nullptr && program[i].operation->in_place) return "";
    for (const at::Tensor& x : torch.of.back()) tame &= is_tame(x);
    if (!tame) return "";
  }
  return compare_gradients(program, torch, here, roughness);
}

Program shrunk(Program program) {
  for (size_t i = program.size(); i-- > 0;) {
    Program smaller = without(program, i);
    if (!smaller.empty() && !disagreement(smaller).empty()) {
      program = std::move(smaller);
      i = std::min(i, program.size());
    }
  }
  return program;
}

std::string listing(const Program& program) {
  std::string text;
  for (size_t i = 0; i < program.size(); ++i) {
    const Instruction& instruction = program[i];
    if (instruction.operation == nullptr) {
      const Leaf& leaf = instruction.leaf;
      const char* dtypes[] = {"Float", "Double", "Long", "Bool"};
      text += fmt::format("%{} = leaf {} {}{} {}\n", i, dtypes[static_cast<int>(leaf.dtype)], leaf.sizes,
                          leaf.requires_grad ? " requires_grad" : "", leaf.elements);
      continue;
    }
    std::vector<std::string> operands;
    for (const auto& operand : instruction.operands) {
      operands.push_back(operand.result == 0 ? fmt::format("%{}", operand.instruction)
                                             : fmt::format("%{}.{}", operand.instruction, operand.result));
    }
    const char* modes[] = {"", "   no_grad", "   inference"};
    text +=
        fmt::format("%{} = {}({})   numbers {} real {}{}\n", i, instruction.operation->name, fmt::join(operands, ", "),
                    instruction.numbers.raw, instruction.numbers.real, modes[static_cast<int>(instruction.mode)]);
  }
  return text;
}

}  // namespace differential
