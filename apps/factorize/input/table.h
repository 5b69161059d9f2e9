#pragma once

#include <factorize/input/byte_stream.h>
#include <factorize/input/data.h>
#include <factorize/input/dialect.h>

#include <string>
#include <vector>

namespace factorize {

/// How a whole matrix is written as text.
struct TableLayout {
  Dialect dialect;
  bool has_header = false;
  bool has_names = false;  ///< in the first column
  size_t fields = 0;       ///< of a line, the name among them
};

/// By the first lines' fields.
TableLayout table_layout(Dialect dialect, const std::vector<std::vector<std::string>>& rows);

/// Reads a matrix whose missing elements become NaN. Throws wengert::Error, "NAME:LINE: what is wrong".
void read_table(ByteStream& stream, const TableLayout& layout, wengert::ScalarType dtype, Data& data);

}  // namespace factorize
