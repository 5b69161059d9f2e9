#include <factorize/delimited.h>
#include <factorize/matrix_market.h>
#include <fmt/format.h>
#include <wengert/autograd/base/error.h>
#include <wengert/autograd/tensor/factories.h>

#include <algorithm>
#include <cctype>
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
    if (!value)
      fail(fmt::format("expected {}, found {}", what, word.empty() ? "the end" : fmt::format("\"{}\"", word)));
    return *value;
  }
  int64_t next_size(std::string_view what) {
    const double value = next_number(what);
    if (value < 1 || value > 1e9 || value != static_cast<double>(static_cast<int64_t>(value))) {
      fail(fmt::format("expected {}, found {}", what, value));
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

}  // namespace

bool is_matrix_market(std::string_view content) { return content.starts_with(kBanner); }

wengert::Tensor parse_matrix_market(const std::string& name, std::string_view content) {
  Words words(name, content);
  words.next_in_line();  // the banner
  const std::string object = lower(words.next_in_line()), format = lower(words.next_in_line()),
                    field = lower(words.next_in_line()), symmetry = lower(words.next_in_line());
  if (object != "matrix" || format != "array") {
    words.fail(fmt::format("\"{} {}\" is not read here; expected a dense matrix, \"matrix array\"", object, format));
  }
  if (field != "real" && field != "integer") {
    words.fail(fmt::format("elements are \"{}\"; expected \"real\" or \"integer\"", field));
  }
  const bool symmetric = symmetry == "symmetric", skew = symmetry == "skew-symmetric";
  if (!symmetric && !skew && symmetry != "general") words.fail(fmt::format("symmetry \"{}\" is not known", symmetry));

  const int64_t rows = words.next_size("the number of rows"), columns = words.next_size("the number of columns");
  if ((symmetric || skew) && rows != columns) words.fail(fmt::format("a {} matrix must be square", symmetry));
  // Each element takes a digit and a blank: memory is not asked for in vain.
  const double all = static_cast<double>(rows) * static_cast<double>(columns);
  if ((symmetric || skew ? (all - static_cast<double>(rows)) / 2 : all) > static_cast<double>(content.size())) {
    words.fail(fmt::format("the file is too short for {} x {} elements", rows, columns));
  }
  wengert::Tensor matrix = wengert::zeros({rows, columns}, wengert::kDouble);
  auto at = matrix.accessor<double, 2>();
  // Column by column; of the symmetric ones only the lower triangle is there.
  for (int64_t j = 0; j < columns; ++j) {
    for (int64_t i = symmetric ? j : skew ? j + 1 : 0; i < rows; ++i) {
      const double value = words.next_number("a number");
      at[i][j] = value;
      if (symmetric) at[j][i] = value;
      if (skew) at[j][i] = -value;
    }
  }
  if (const std::string_view more = words.next(); !more.empty()) {
    words.fail(fmt::format("expected the end after {} x {} elements, found \"{}\"", rows, columns, more));
  }
  return matrix;
}

}  // namespace factorize
