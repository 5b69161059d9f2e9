#include <factorize/delimited.h>
#include <factorize/matrix_file.h>
#include <factorize/matrix_market.h>
#include <fmt/format.h>
#include <wengert/autograd/base/error.h>
#include <wengert/autograd/serialize/npy.h>

#include <cmath>

namespace factorize {
namespace {

using wengert::Error;
using wengert::Tensor;
using wengert::serialize::Input;

// A matrix of real numbers.
Tensor matrix_of_npy(const Input& input) {
  const Tensor array = wengert::serialize::read_npy(input);
  if (array.dim() != 2) input.fail(fmt::format("the array has {} dimensions; expected a matrix, with 2", array.dim()));
  if (array.dtype() == wengert::kBool) input.fail("the array's elements are bools; expected numbers");
  return array.to(wengert::kDouble);
}

void check_usable(const std::string& name, const Tensor& matrix) {
  const int64_t rows = matrix.size(0), columns = matrix.size(1);
  if (rows == 0 || columns == 0) throw Error(fmt::format("{}: the matrix is empty ({} x {})", name, rows, columns));
  const double* data = matrix.data_ptr<double>();
  for (int64_t i = 0; i < matrix.numel(); ++i) {
    if (std::isfinite(data[i])) continue;
    throw Error(fmt::format("{}: row {}, column {} is {}; every element must be a finite number", name, i / columns + 1,
                            i % columns + 1, std::isnan(data[i]) ? "NaN" : "infinite"));
  }
}

}  // namespace

Tensor read_matrix(const std::string& path) {
  const Input input = path == "-" ? Input::standard_input() : Input::file(path);
  Tensor matrix;
  if (wengert::serialize::is_npy(input)) {
    matrix = matrix_of_npy(input);
  } else {
    const std::string content = input.read(0, input.size());
    if (content.find_first_not_of(" \t\r\n") == std::string::npos) input.fail("the file is empty");
    matrix =
        is_matrix_market(content) ? parse_matrix_market(input.name(), content) : parse_delimited(input.name(), content);
  }
  check_usable(input.name(), matrix);
  return matrix;
}

}  // namespace factorize
