#include <gtest/gtest.h>
#include <support/inputs.h>

#include <cmath>
#include <cstring>

namespace wengert::test {

Tensor arbitrary(IntArrayRef sizes, double low, double high, int salt, ScalarType dtype) {
  Tensor out = empty(sizes, kDouble);
  double* data = out.data_ptr<double>();
  for (int64_t i = 0; i < out.numel(); ++i) {
    const double noise = std::sin(12.9898 * static_cast<double>(i + 1) + 78.233 * salt) * 43758.5453;
    data[i] = low + (high - low) * (noise - std::floor(noise));
  }
  return out.to(dtype);
}

Tensor with_gaps(const Tensor& x) {
  if (x.dim() == 0) return x.detach().clone();
  Dims sizes(x.sizes());
  sizes.back() *= 2;
  const Tensor wide = zeros(sizes, x.options());
  const Tensor view = wide.slice(-1, 0, sizes.back(), 2);
  view.copy_(x.detach());
  return view.detach();
}

std::vector<double> values(const Tensor& x) {
  const Tensor flat = x.detach().to(kDouble).contiguous();
  return {flat.data_ptr<double>(), flat.data_ptr<double>() + flat.numel()};
}

bool same_bits(const std::vector<Tensor>& a, const std::vector<Tensor>& b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i].defined() != b[i].defined()) return false;
    if (!a[i].defined()) continue;
    const Tensor x = a[i].contiguous(), y = b[i].contiguous();
    if (x.sizes() != y.sizes() || std::memcmp(x.data_ptr(), y.data_ptr(), x.nbytes()) != 0) return false;
  }
  return true;
}

std::string error_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  ADD_FAILURE() << "no error was thrown";
  return "";
}

testing::AssertionResult fails_with(const std::function<void()>& call, const std::string& text) {
  const std::string error = error_of(call);
  if (error.find(text) != std::string::npos) return testing::AssertionSuccess();
  return testing::AssertionFailure() << "expected an error with \"" << text << "\", got \"" << error << "\"";
}

}  // namespace wengert::test
