#include <factorize/input/data.h>
#include <fuzz/fuzz.h>
#include <unistd.h>

#include <cmath>
#include <fstream>

// Any file is refused in one line, or is a matrix or entries in which all fits together. Each format of the program's
// input has a corpus of its own.

namespace {

using factorize::Data;
using factorize::Format;
using wengert::expect;

void expect_whole(const Data& data) {
  expect(data.rows > 0 && data.columns > 0 && !description(data).empty());
  if (const auto* matrix = std::get_if<wengert::Tensor>(&data.content)) {
    expect(matrix->size(0) == data.rows && matrix->size(1) == data.columns && data.holes < matrix->numel());
    return;
  }
  const auto& ratings = std::get<factorize::Ratings>(data.content);
  expect(ratings.rows.size() == ratings.size() && ratings.columns.size() == ratings.size());
  for (size_t e = 0; e < ratings.size(); ++e) {
    expect(ratings.rows[e] >= 0 && ratings.rows[e] < data.rows && ratings.columns[e] >= 0 &&
           ratings.columns[e] < data.columns && std::isfinite(ratings.values[e]));
  }
}

}  // namespace

void wengert::fuzz(std::string content) {
  static const std::string path = "/tmp/wengert-fuzz-" + std::to_string(getpid());
  std::ofstream(path, std::ios::binary) << content;
  for (const auto format : {std::optional<Format>(), std::optional(Format::kTriples), std::optional(Format::kDense)}) {
    factorize::ReadOptions options;
    options.format = format;
    try {
      expect_whole(read_data(path, options));
    } catch (const Error& error) {
      for (const char* c = error.what(); *c != '\0'; ++c) expect(static_cast<unsigned char>(*c) >= 0x20);
    }
  }
}
