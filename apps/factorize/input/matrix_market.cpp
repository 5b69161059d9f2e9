#include <factorize/input/matrix_market.h>
#include <factorize/input/text.h>
#include <fmt/format.h>
#include <wengert/autograd/base/error.h>
#include <wengert/autograd/tensor/factories.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <vector>

namespace factorize {
namespace {

using wengert::Error;

constexpr std::string_view kBanner = "%%MatrixMarket";

// Takes the text apart into words, and knows the line it is in.
class Words {
 public:
  Words(const std::string& name, std::string_view content) : name_(name), rest_(content) {}

  /// The next word of the current line, empty at its end.
  std::string_view next_in_line() {
    skip(" \t\r");
    const std::string_view word = rest_.substr(0, rest_.find_first_of(" \t\r\n"));
    rest_.remove_prefix(word.size());
    return word;
  }
  /// The next word of the file that is in no comment, empty at its end.
  std::string_view next() {
    while (true) {
      const std::string_view word = next_in_line();
      if (!word.empty() && !word.starts_with('%')) return word;
      rest_.remove_prefix(std::min(rest_.find('\n'), rest_.size()));
      if (rest_.empty()) return {};
      rest_.remove_prefix(1);
      ++line_;
    }
  }
  double next_number(std::string_view what) {
    const std::string_view word = next();
    const std::optional<double> value = parse_number(word);
    if (!value) fail(fmt::format("expected {}, found {}", what, word.empty() ? "the end" : shown(word)));
    return *value;
  }
  double next_finite(std::string_view what) {
    const double value = next_number(what);
    if (!std::isfinite(value)) fail(fmt::format("expected a finite number, found {}", value));
    return value;
  }
  int64_t next_whole(std::string_view what, int64_t least, int64_t most) {
    const double value = next_number(what);
    if (!(value >= static_cast<double>(least) && value <= static_cast<double>(most)) || value != std::floor(value)) {
      fail(fmt::format("expected {} from {} to {}, found {}", what, least, most, value));
    }
    return static_cast<int64_t>(value);
  }
  [[noreturn]] void fail(std::string_view what) const { throw Error(fmt::format("{}:{}: {}", name_, line_, what)); }

 private:
  void skip(std::string_view characters) {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(characters), rest_.size()));
  }

  const std::string& name_;
  std::string_view rest_;
  int64_t line_ = 1;
};

std::string lower(std::string_view word) {
  std::string result(word);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

struct Header {
  bool is_array = false, is_pattern = false, symmetric = false, skew = false;
  int64_t rows = 0, columns = 0;
};

// Column by column; of the symmetric ones only the lower triangle is there.
void parse_array(Words& words, const Header& header, size_t bytes, wengert::ScalarType dtype, Data& data) {
  // Each element takes a digit and a blank: memory is not asked for in vain.
  const double all = static_cast<double>(header.rows) * static_cast<double>(header.columns);
  const bool half = header.symmetric || header.skew;
  if ((half ? (all - static_cast<double>(header.rows)) / 2 : all) > static_cast<double>(bytes)) {
    words.fail(fmt::format("the file is too short for {} x {} elements", header.rows, header.columns));
  }
  const wengert::Tensor matrix = wengert::zeros({header.rows, header.columns}, wengert::kDouble);
  auto at = matrix.accessor<double, 2>();
  for (int64_t j = 0; j < header.columns; ++j) {
    for (int64_t i = header.symmetric ? j : header.skew ? j + 1 : 0; i < header.rows; ++i) {
      const double value = words.next_finite("a number");
      at[i][j] = value;
      if (header.symmetric) at[j][i] = value;
      if (header.skew) at[j][i] = -value;
    }
  }
  data.content = matrix.to(dtype);
}

void parse_coordinates(Words& words, const Header& header, size_t bytes, Data& data) {
  const auto entries = words.next_whole("the number of entries", 1, static_cast<int64_t>(bytes));
  Ratings ratings;
  const auto add = [&](int64_t row, int64_t column, double value) {
    ratings.rows.push_back(static_cast<int32_t>(row));
    ratings.columns.push_back(static_cast<int32_t>(column));
    ratings.values.push_back(static_cast<float>(value));
  };
  for (int64_t e = 0; e < entries; ++e) {
    const int64_t row = words.next_whole("a row", 1, header.rows) - 1,
                  column = words.next_whole("a column", 1, header.columns) - 1;
    const double value = header.is_pattern ? 1 : words.next_finite("a number");
    add(row, column, value);
    if (row != column && header.symmetric) add(column, row, value);
    if (row != column && header.skew) add(column, row, -value);
  }
  data.content = std::move(ratings);
}

}  // namespace

bool is_matrix_market(std::string_view content) { return content.starts_with(kBanner); }

void parse_matrix_market(const std::string& name, std::string_view content, wengert::ScalarType dtype, Data& data) {
  Words words(name, content);
  words.next_in_line();  // the banner
  const std::string object = lower(words.next_in_line()), format = lower(words.next_in_line()),
                    field = lower(words.next_in_line()), symmetry = lower(words.next_in_line());
  Header header;
  header.is_array = format == "array";
  if (object != "matrix" || (!header.is_array && format != "coordinate")) {
    words.fail(fmt::format("{} is not read here; expected \"matrix array\" or \"matrix coordinate\"",
                           shown(object + " " + format)));
  }
  header.is_pattern = field == "pattern" && !header.is_array;
  if (field != "real" && field != "integer" && field != "double" && !header.is_pattern) {
    words.fail(fmt::format("elements are {}; expected \"real\" or \"integer\"", shown(field)));
  }
  header.symmetric = symmetry == "symmetric";
  header.skew = symmetry == "skew-symmetric";
  if (!header.symmetric && !header.skew && symmetry != "general") {
    words.fail(fmt::format("symmetry {} is not known", shown(symmetry)));
  }
  constexpr int64_t kMost = 1'000'000'000;
  header.rows = words.next_whole("the number of rows", 1, kMost);
  header.columns = words.next_whole("the number of columns", 1, kMost);
  if ((header.symmetric || header.skew) && header.rows != header.columns) {
    words.fail(fmt::format("a {} matrix must be square", symmetry));
  }
  data.rows = header.rows;
  data.columns = header.columns;
  header.is_array ? parse_array(words, header, content.size(), dtype, data)
                  : parse_coordinates(words, header, content.size(), data);
  if (const std::string_view more = words.next(); !more.empty()) {
    words.fail(fmt::format("expected the end, found {}", shown(more)));
  }
  data.found = fmt::format("Matrix Market {}", format);
}

}  // namespace factorize
