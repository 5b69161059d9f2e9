// Memory that is shared: by DLPack, by std::span, and by a pointer with a deleter.

#include <wengert/ops/interop/dlpack.h>
#include <wengert/ops/interop/span.h>
#include <wengert/torch.h>

#include <iostream>
#include <numeric>
#include <vector>

int main() {
  // A library that knows DLPack takes a tensor, and gives one back.
  const torch::Tensor tensor = torch::arange(6, torch::kFloat).view({2, 3}).t();
  DLManagedTensor* taken = wengert::to_dlpack(tensor);
  static_cast<float*>(taken->dl_tensor.data)[0] = 10;
  const torch::Tensor back = wengert::from_dlpack(taken);

  // Elements as a span, and a tensor on a vector's.
  const std::span<float> elements = wengert::span_of<float>(tensor.t());
  std::vector<double> numbers(4, 1.5);
  const torch::Tensor matrix = wengert::tensor_on(std::span(numbers), {2, 2});
  numbers[3] = 2.5;

  // A pointer that is let go of with the last tensor on it.
  bool is_gone = false;
  {
    auto* owned = new double[3]{1, 2, 3};
    const torch::Tensor on_it = torch::from_blob(
        owned, {3}, [&](void* memory) { delete[] static_cast<double*>(memory), is_gone = true; }, torch::kDouble);
    std::cout << on_it.narrow(0, 1, 2) << "\n";
  }
  std::cout << back << "\n" << matrix << "\n";
  const bool is_shared = back.data_ptr() == tensor.data_ptr() &&
                         std::accumulate(elements.begin(), elements.end(), 0.0f) == 25 &&
                         matrix[1][1].item<double>() == 2.5;
  return is_shared && is_gone ? 0 : 1;
}
