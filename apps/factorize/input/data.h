#pragma once

#include <factorize/input/byte_stream.h>
#include <factorize/processes/numbering.h>
#include <wengert/autograd/tensor/tensor.h>

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace factorize {

/// Entries of a matrix that has others that nobody knows.
struct Ratings {
  std::vector<int32_t> rows, columns;  ///< positions
  std::vector<float> values;
  std::vector<float> weights;  ///< empty: all 1
  std::vector<double> times;   ///< empty: none

  size_t size() const { return values.size(); }
};

/// What a file holds.
struct Data {
  std::string name;   ///< the file's
  std::string found;  ///< the format, in words
  std::string ids;    ///< what is told of them, in words
  int64_t rows = 0, columns = 0;
  std::vector<std::string> row_ids, column_ids;  ///< names, by position; empty where the file has none
  /// A whole matrix (rows, columns), of which NaN are missing elements; or entries, those of Data::test behind them.
  std::variant<wengert::Tensor, Ratings> content;
  std::optional<Ratings> test;  ///< of another file, with the same ids
  int64_t holes = 0;            ///< of a matrix: elements that are missing; of entries: lines without a value
  double least = 0, most = 0;   ///< of the values

  // Of a matrix that several processes read: each has the content of its part of the file, a block of rows or some of
  // the entries, with positions in the whole matrix; all else is of the whole.
  NamesOfAll names_of_rows, names_of_columns;  ///< in the place of row_ids and column_ids of entries
  int64_t first_row = 0;                       ///< of a block
  int64_t entries = 0;                         ///< in all parts

  /// A matrix without holes.
  bool is_whole() const { return std::holds_alternative<wengert::Tensor>(content) && holes == 0; }
};

enum class Format { kDense, kTriples, kMatrixMarket, kNpy, kNpz };
/// What becomes of several values for one pair.
enum class Duplicates { kMean, kLast, kSum, kError };
enum class ColumnRole { kRow, kColumn, kValue, kWeight, kTime };

struct ReadOptions {
  std::optional<Format> format;                      ///< none: as the content tells
  std::optional<std::string> separator;              ///< of text: "," or "tab" ...
  std::vector<std::string> columns;                  ///< of triples: names or numbers, as --columns has them
  wengert::ScalarType dtype = wengert::kFloat;       ///< of a whole matrix
  const Processes* processes = &Processes::alone();  ///< that read the file together
  bool pairs = false;                                ///< entries whose values, if there are any, are not looked at
  std::string test;                                  ///< another file of entries; empty: none
  ByteStream::OnRead on_read;                        ///< may be empty
};

/// Reads a file as its content tells: text (whole matrices, or entries as row, column, value), Matrix Market, .npy,
/// .npz of scipy.sparse; compressed by gzip or Zstandard, too. "-" is standard input. Throws wengert::Error, "FILE:
/// what is wrong" or "FILE:LINE: what is wrong".
Data read_data(const std::string& path, const ReadOptions& options);

/// One line on what was found.
std::string description(const Data& data);

}  // namespace factorize
