#include <factorize/npy.h>
#include <fmt/format.h>
#include <wengert/autograd/base/error.h>
#include <wengert/autograd/tensor/factories.h>

#include <bit>
#include <charconv>
#include <cstring>
#include <vector>

namespace factorize {
namespace {

using wengert::Error;
using wengert::Tensor;

static_assert(std::endian::native == std::endian::little, "elements are read and written as they lie in memory");

constexpr std::string_view kMagic = "\x93NUMPY";

uint32_t little_endian(std::string_view bytes) {
  uint32_t value = 0;
  for (size_t i = bytes.size(); i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

// The text behind 'key': in the header's dictionary, up to the next comma that is in no parentheses.
std::string_view header_value(std::string_view header, std::string_view key) {
  const size_t at = header.find(fmt::format("'{}':", key));
  if (at == std::string_view::npos) return {};
  std::string_view rest = header.substr(at + key.size() + 3);
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  const size_t end = rest.starts_with('(') ? rest.find(')') + 1 : rest.find_first_of(",}");
  return rest.substr(0, end);
}

std::vector<int64_t> parse_shape(std::string_view tuple) {
  std::vector<int64_t> shape;
  const char* at = tuple.data();
  const char* end = at + tuple.size();
  while (at < end) {
    int64_t size;
    const auto [next, error] = std::from_chars(at, end, size);
    if (error == std::errc()) shape.push_back(size);
    at = next > at ? next : at + 1;
  }
  return shape;
}

}  // namespace

bool is_npy(std::string_view content) { return content.starts_with(kMagic); }

Tensor parse_npy(const std::string& name, std::string_view content) {
  const auto fail = [&](std::string_view what) { throw Error(fmt::format("{}: {}", name, what)); };
  // Behind the magic: two bytes of version, the header's length in two bytes (version 1) or four, the header.
  if (content.size() < 12) fail("the .npy file ends within its header");
  const auto version = static_cast<unsigned char>(content[6]);
  if (version < 1 || version > 3) fail(fmt::format(".npy version {} is not known", version));
  const size_t length_bytes = version == 1 ? 2 : 4;
  const size_t start = 8 + length_bytes;
  const size_t length = little_endian(content.substr(8, length_bytes));
  if (content.size() < start + length) fail("the .npy file ends within its header");
  const std::string_view header = content.substr(start, length);
  std::string_view elements = content.substr(start + length);

  const std::string_view descr = header_value(header, "descr");
  const bool is_float = descr == "'<f4'", is_double = descr == "'<f8'";
  if (!is_float && !is_double) fail(fmt::format("the array's dtype is {}; expected '<f4' or '<f8'", descr));
  const std::vector<int64_t> shape = parse_shape(header_value(header, "shape"));
  if (shape.size() != 2) fail(fmt::format("the array has {} dimensions; expected a matrix, with 2", shape.size()));
  const bool fortran = header_value(header, "fortran_order") == "True";

  const auto dtype = is_float ? wengert::kFloat : wengert::kDouble;
  const auto wanted = static_cast<size_t>(wengert::numel_of(shape) * wengert::element_size(dtype));
  if (elements.size() != wanted) {
    fail(fmt::format("expected {} bytes of elements for shape ({}, {}), found {}", wanted, shape[0], shape[1],
                     elements.size()));
  }
  // In Fortran order the file holds the transpose in C order.
  Tensor stored = wengert::empty({shape[fortran ? 1 : 0], shape[fortran ? 0 : 1]}, dtype);
  if (wanted > 0) std::memcpy(stored.data_ptr(), elements.data(), wanted);
  return (fortran ? stored.t() : stored).to(wengert::kDouble).contiguous();
}

std::string to_npy(const Tensor& matrix) {
  const Tensor elements = matrix.detach().contiguous();
  std::string header =
      fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}, {}), }}",
                  elements.dtype() == wengert::kFloat ? "<f4" : "<f8", elements.size(0), elements.size(1));
  // Padded with blanks so that the elements start at a multiple of 64.
  constexpr size_t kPrefix = 10;
  header.append(63 - (kPrefix + header.size()) % 64, ' ');
  header += '\n';
  std::string content(kMagic);
  content += {'\1', '\0', static_cast<char>(header.size() & 0xff), static_cast<char>(header.size() >> 8)};
  content += header;
  content.append(static_cast<const char*>(elements.data_ptr()), elements.nbytes());
  return content;
}

}  // namespace factorize
