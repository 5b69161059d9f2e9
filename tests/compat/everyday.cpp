#include TORCH_HEADER

#include <iostream>

// Lines that every program has: what small things print, and calls that are made in passing.

namespace {

using namespace torch::indexing;

void show(const torch::Tensor& x) {
  std::cout << x.sizes();
  for (int64_t i = 0; i < x.numel(); ++i) std::cout << " " << x.reshape({-1})[i].item();
  std::cout << "\n";
}

// The first line of what a call throws.
template <class Call>
void show_error(const Call& call) {
  try {
    call();
    std::cout << "no error\n";
  } catch (const c10::Error& error) {
    const std::string text = error.what_without_backtrace();
    std::cout << text.substr(0, text.find('\n')) << "\n";
  }
}

}  // namespace

int main() {
  std::cout << std::boolalpha;
  const torch::Tensor x = torch::arange(6, torch::kFloat).view({2, 3});
  std::cout << x.options() << "\n"
            << torch::TensorOptions() << "\n"
            << torch::dtype(torch::kLong).requires_grad(false) << "\n"
            << torch::TensorOptions(torch::kCPU).dtype(torch::kDouble).layout(torch::kStrided) << "\n"
            << torch::dtype(torch::kBool).device(torch::kCPU) << "\n";
  std::cout << x.sum().item() << " " << torch::tensor(true).item() << " " << torch::tensor(1e20).item() << " "
            << torch::Scalar(0.1) << " " << torch::Scalar(7) << " " << torch::Scalar(false) << "\n";
  std::cout << Slice() << " " << Slice(1, 2) << " " << Slice(None, 5, 2) << "\n";
  std::cout << TensorIndex(1) << " " << TensorIndex(Slice(1, 2)) << " " << TensorIndex(None) << " "
            << TensorIndex("...") << " " << TensorIndex(true) << " "
            << std::vector<TensorIndex>{1, Slice(1, None), None, Ellipsis} << "\n";
  std::cout << torch::Device("cpu") << " " << torch::Device("cpu:0") << " " << torch::Device("cpu").has_index() << " "
            << static_cast<int>(torch::Device("cpu:0").index()) << " " << x.device().has_index() << "\n";

  std::cout << x.itemsize() << " " << x.ndimension() << " " << x.is_complex() << " " << x.has_names() << " ["
            << x.name() << "] " << x.use_count() << " " << torch::Tensor().use_count() << " " << x.is_same_size(x.mT())
            << " " << x.is_signed() << "\n";
  const torch::IntArrayRef sizes = x.sizes();
  std::cout << sizes.at(1) << " " << sizes.slice(1) << " " << sizes.slice(0, 1) << " " << *sizes.rbegin() << "\n";
  show_error([&] { sizes.at(2); });
  std::cout << torch::Scalar(2.5).isComplex() << " " << torch::Scalar(1.0).log() << " " << torch::Scalar(3).conj()
            << "\n";

  show(x.mT());
  show_error([&] { torch::ones({2}).mT(); });
  show(torch::logspace(0, 4, 5));
  show(torch::logspace(0, 3, 4, 2));
  show(torch::isclose(x, x + torch::tensor({0.0, 1e-7, 1.0})));
  show_error([&] { torch::isclose(x, x.to(torch::kDouble)); });
  for (const torch::Tensor& positions : torch::where(x > 3)) show(positions);
  show(torch::one_hot(torch::tensor({1, 0, 2})));
  show(torch::one_hot(torch::tensor({1, 0}), 4));
  show_error([&] { torch::one_hot(torch::tensor({1.5})); });
  show_error([&] { torch::one_hot(torch::tensor({-1, 0})); });
  show_error([&] { torch::one_hot(torch::tensor({1, 5}), 3); });
  show_error([&] { torch::one_hot(torch::zeros({0}, torch::kLong)); });
  const auto grids = torch::meshgrid({torch::arange(2), torch::arange(3)}, "ij");
  show(grids[0]);
  show(grids[1]);
  show(torch::meshgrid({torch::arange(2), torch::arange(3)}, "xy")[1]);
  show_error([&] { torch::meshgrid({torch::arange(2)}, "yx"); });
  std::cout << torch::cuda::is_available() << " " << torch::kCPU << " " << x.layout() << " " << x.strides() << "\n";
}
