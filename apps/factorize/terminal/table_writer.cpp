#include <factorize/terminal/table_writer.h>
#include <fmt/format.h>
#include <wengert/autograd/base/dispatch.h>
#include <wengert/autograd/base/error.h>

#include <nlohmann/json.hpp>
#include <cerrno>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <iterator>

namespace factorize {
namespace {

constexpr size_t kBuffer = size_t{1} << 16;

std::string json_text(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void check_standard_output(bool is_written) {
  if (is_written) return;
  if (errno == EPIPE) throw PipeClosed();
  throw wengert::Error(fmt::format("standard output: {}", std::strerror(errno)));
}

}  // namespace

Cell cell_of(const wengert::Tensor& x, int64_t position) {
  switch (x.dtype()) {
    case wengert::kFloat: return x.data_ptr<float>()[position];
    case wengert::kDouble: return x.data_ptr<double>()[position];
    default: return x.data_ptr<int64_t>()[position];
  }
}

void add_cells(std::vector<Cell>& cells, const wengert::Tensor& matrix, int64_t row) {
  const int64_t width = matrix.size(1);
  for (int64_t j = 0; j < width; ++j) cells.push_back(cell_of(matrix, row * width + j));
}

double rounded(double x, int digits) { return std::isfinite(x) ? std::stod(fmt::format("{:.{}g}", x, digits)) : x; }

TableWriter::TableWriter(const wengert::serialize::Sink& write, std::vector<std::string> columns, const Output& output)
    : write_(write), names_(std::move(columns)), json_(output.json) {
  if (json_) {
    for (std::string& name : names_) name = json_text(name);
    buffer_ += '[';
  } else if (output.has_header) {
    for (size_t i = 0; i < names_.size(); ++i) {
      if (i > 0) buffer_ += ',';
      put_csv(names_[i]);
    }
    buffer_ += '\n';
  }
}

void TableWriter::put_csv(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) {
    buffer_ += text;
    return;
  }
  buffer_ += '"';
  for (const char c : text) {
    if (c == '"') buffer_ += '"';
    buffer_ += c;
  }
  buffer_ += '"';
}

void TableWriter::row(const Cell* cells, size_t count) {
  if (json_) buffer_ += std::exchange(is_first_, false) ? "\n{" : ",\n{";
  for (size_t i = 0; i < count; ++i) {
    if (i > 0) buffer_ += ',';
    if (json_) fmt::format_to(std::back_inserter(buffer_), "{}:", names_[i]);
    std::visit(
        [&]<class T>(const T& value) {
          if constexpr (std::is_same_v<T, std::monostate>) {
            if (json_) buffer_ += "null";
          } else if constexpr (std::is_same_v<T, std::string>) {
            json_ ? void(buffer_ += json_text(value)) : put_csv(value);
          } else if constexpr (std::is_floating_point_v<T>) {
            if (std::isfinite(value)) {
              fmt::format_to(std::back_inserter(buffer_), "{}", value);
            } else if (json_) {
              buffer_ += "null";
            }
          } else {
            fmt::format_to(std::back_inserter(buffer_), "{}", value);
          }
        },
        cells[i]);
  }
  buffer_ += json_ ? "}" : "\n";
  if (buffer_.size() >= kBuffer) flush();
}

void TableWriter::flush() {
  write_(buffer_.data(), buffer_.size());
  buffer_.clear();
}

void TableWriter::finish() {
  if (json_) buffer_ += "\n]\n";
  flush();
}

void write_table(const Output& output, std::vector<std::string> columns,
                 const std::function<void(TableWriter&)>& fill) {
  const auto write = [&](const wengert::serialize::Sink& sink) {
    TableWriter table(sink, std::move(columns), output);
    fill(table);
    table.finish();
  };
  if (!output.file.empty()) return wengert::serialize::write_file(output.file, write);
  std::signal(SIGPIPE, SIG_IGN);  // whoever reads may have seen enough
  write([](const void* data, size_t count) { check_standard_output(std::fwrite(data, 1, count, stdout) == count); });
  check_standard_output(std::fflush(stdout) == 0);
}

}  // namespace factorize
