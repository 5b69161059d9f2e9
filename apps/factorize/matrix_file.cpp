#include <factorize/delimited.h>
#include <factorize/matrix_file.h>
#include <factorize/matrix_market.h>
#include <factorize/npy.h>
#include <fmt/format.h>
#include <unistd.h>
#include <wengert/autograd/base/error.h>

#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>

namespace factorize {
namespace {

using wengert::Error;

struct Close {
  void operator()(std::FILE* file) const {
    if (file != stdin) std::fclose(file);
  }
};
using File = std::unique_ptr<std::FILE, Close>;

std::string read_all(const std::string& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) throw Error(fmt::format("{}: is a directory", path));
  const File file(path == "-" ? stdin : std::fopen(path.c_str(), "rb"));
  if (!file) throw Error(fmt::format("{}: {}", path, std::strerror(errno)));
  std::string content;
  char buffer[1 << 16];
  while (const size_t count = std::fread(buffer, 1, sizeof buffer, file.get())) content.append(buffer, count);
  if (std::ferror(file.get())) throw Error(fmt::format("{}: {}", path, std::strerror(errno)));
  return content;
}

void check_usable(const std::string& name, const wengert::Tensor& matrix) {
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

wengert::Tensor read_matrix(const std::string& path) {
  const std::string name = path == "-" ? "standard input" : path;
  const std::string content = read_all(path);
  if (content.find_first_not_of(" \t\r\n") == std::string::npos)
    throw Error(fmt::format("{}: the file is empty", name));
  wengert::Tensor matrix = is_npy(content)             ? parse_npy(name, content)
                           : is_matrix_market(content) ? parse_matrix_market(name, content)
                                                       : parse_delimited(name, content);
  check_usable(name, matrix);
  return matrix;
}

void write_file(const std::string& path, std::string_view content) {
  const std::string temporary = fmt::format("{}.{}.tmp", path, getpid());
  const auto fail = [&] {
    const std::string reason = std::strerror(errno);
    std::remove(temporary.c_str());
    throw Error(fmt::format("{}: {}", path, reason));
  };
  std::FILE* file = std::fopen(temporary.c_str(), "wb");
  if (file == nullptr) fail();
  const bool written = std::fwrite(content.data(), 1, content.size(), file) == content.size();
  if (std::fclose(file) != 0 || !written) fail();
  if (std::rename(temporary.c_str(), path.c_str()) != 0) fail();
}

}  // namespace factorize
