#include <factorize/matrix_market.h>
#include <fuzz/fuzz.h>

// Any text is refused, or is a matrix.

void wengert::fuzz(std::string content) {
  const Tensor matrix = factorize::parse_matrix_market("input", content);
  expect(matrix.dim() == 2 && matrix.dtype() == kDouble);
}
