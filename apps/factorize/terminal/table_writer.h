#pragma once

#include <wengert/autograd/serialize/file.h>
#include <wengert/autograd/tensor/tensor.h>

#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace factorize {

/// Nothing, a text, a whole number or another, which is written with as many digits as its type needs to be read back;
/// in JSON what is no number is null.
using Cell = std::variant<std::monostate, std::string, int64_t, float, double>;

/// A tensor's element, in its dtype.
Cell cell_of(const wengert::Tensor& x, int64_t position);

/// Appends a row of a matrix.
void add_cells(std::vector<Cell>& cells, const wengert::Tensor& matrix, int64_t row);

/// With so many significant digits.
double rounded(double x, int digits);

/// Where a table goes, and how.
struct Output {
  std::string file;        ///< empty: standard output
  bool json = false;       ///< an array of objects, one in a line; else CSV (RFC 4180, but lines end with \n)
  bool has_header = true;  ///< of CSV
};

/// Thrown where whoever reads standard output has closed it, which is no error.
struct PipeClosed {};

/// Writes rows of cells as they come.
class TableWriter {
 public:
  TableWriter(const wengert::serialize::Sink& write, std::vector<std::string> columns, const Output& output);
  void row(std::initializer_list<Cell> cells) { row(cells.begin(), cells.size()); }
  void row(const std::vector<Cell>& cells) { row(cells.data(), cells.size()); }
  void finish();

 private:
  void row(const Cell* cells, size_t count);
  void put_csv(std::string_view text);
  void flush();

  const wengert::serialize::Sink& write_;
  std::vector<std::string> names_;  // of the columns; in JSON as they are written there
  bool json_;
  bool is_first_ = true;
  std::string buffer_;
};

/// Writes a table to a file, aside and renamed when it is whole, or to standard output. Throws wengert::Error, or
/// PipeClosed.
void write_table(const Output& output, std::vector<std::string> columns, const std::function<void(TableWriter&)>& fill);

}  // namespace factorize
