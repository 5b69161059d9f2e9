#include <factorize/delimited.h>
#include <fuzz/fuzz.h>

// Any text is refused, or is a matrix.

void wengert::fuzz(std::string content) {
  const Tensor matrix = factorize::parse_delimited("input", content);
  expect(matrix.dim() == 2 && matrix.numel() > 0 && matrix.dtype() == kDouble);
}
