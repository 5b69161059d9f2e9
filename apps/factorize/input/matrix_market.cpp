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
  // line: that the content begins with.
  Words(const std::string& name, std::string_view content, int64_t line = 1)
      : name_(name), rest_(content), line_(line) {}

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
  bool at_end() {
    const Words before = *this;
    const bool is_end = next().empty();
    rest_ = before.rest_;
    line_ = before.line_;
    return is_end;
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
  int64_t line_;
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
  int64_t entries = 0;  // that the file has; of an array its elements

  // Of the symmetric ones only the lower triangle is there.
  int64_t first_row(int64_t column) const { return symmetric ? column : skew ? column + 1 : 0; }
};

Header read_header(Words& words, size_t bytes_of_file) {
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
  if (!header.is_array) {
    header.entries = words.next_whole("the number of entries", 1, static_cast<int64_t>(bytes_of_file));
    return header;
  }
  // Each element takes a digit and a blank: memory is not asked for in vain.
  const double n = static_cast<double>(header.rows), all = n * static_cast<double>(header.columns);
  const double there = header.symmetric ? (all + n) / 2 : header.skew ? (all - n) / 2 : all;
  if (there > static_cast<double>(bytes_of_file)) {
    words.fail(fmt::format("the file is too short for {} x {} elements", header.rows, header.columns));
  }
  header.entries = static_cast<int64_t>(there);
  return header;
}

void take_header(const Header& header, Data& data) {
  data.rows = header.rows;
  data.columns = header.columns;
  data.found = fmt::format("Matrix Market {}", header.is_array ? "array" : "coordinate");
}

// Column by column.
void parse_array(Words& words, const Header& header, wengert::ScalarType dtype, Data& data) {
  const wengert::Tensor matrix = wengert::zeros({header.rows, header.columns}, wengert::kDouble);
  auto at = matrix.accessor<double, 2>();
  for (int64_t j = 0; j < header.columns; ++j) {
    for (int64_t i = header.first_row(j); i < header.rows; ++i) {
      const double value = words.next_finite("a number");
      at[i][j] = value;
      if (header.symmetric) at[j][i] = value;
      if (header.skew) at[j][i] = -value;
    }
  }
  data.content = matrix.to(dtype);
}

// An entry of the file, and what it says of the other triangle: add(row, column, value).
template <class Add>
void parse_entry(Words& words, const Header& header, const Add& add) {
  const int64_t row = words.next_whole("a row", 1, header.rows) - 1,
                column = words.next_whole("a column", 1, header.columns) - 1;
  const double value = header.is_pattern ? 1 : words.next_finite("a number");
  add(row, column, value);
  if (row != column && header.symmetric) add(column, row, value);
  if (row != column && header.skew) add(column, row, -value);
}

void add_entry(Ratings& ratings, int64_t row, int64_t column, double value) {
  ratings.rows.push_back(static_cast<int32_t>(row));
  ratings.columns.push_back(static_cast<int32_t>(column));
  ratings.values.push_back(static_cast<float>(value));
}

// A process's block of rows, from the numbers that all read, each some that follow one another.
void exchange_array(const Processes& processes, const Header& header, const std::vector<double>& numbers,
                    wengert::ScalarType dtype, Data& data) {
  const int64_t count = processes.count(), index = processes.index();
  const auto begin_of = [&](int64_t p) { return header.rows * p / count; };
  std::vector<std::vector<double>> values(static_cast<size_t>(count));
  std::vector<std::vector<int64_t>> places(static_cast<size_t>(count));
  const auto send = [&](int64_t row, int64_t column, double value) {
    int64_t to = row * count / header.rows;
    while (row >= begin_of(to + 1)) ++to;
    values[static_cast<size_t>(to)].push_back(value);
    places[static_cast<size_t>(to)].push_back((row - begin_of(to)) * header.columns + column);
  };
  int64_t before = processes.sum_before(static_cast<int64_t>(numbers.size())), column = 0;
  while (column < header.columns && before >= header.rows - header.first_row(column)) {
    before -= header.rows - header.first_row(column++);
  }
  int64_t row = column < header.columns ? header.first_row(column) + before : 0;
  for (const double value : numbers) {
    send(row, column, value);
    if (row != column && header.symmetric) send(column, row, value);
    if (row != column && header.skew) send(column, row, -value);
    if (++row == header.rows && ++column < header.columns) row = header.first_row(column);
  }
  std::vector<double> own_values;
  std::vector<int64_t> own_places;
  for (const std::string& of_one : processes.exchange(bytes_of_each(values))) add_values(own_values, of_one);
  for (const std::string& of_one : processes.exchange(bytes_of_each(places))) add_values(own_places, of_one);
  data.rows = begin_of(index + 1) - begin_of(index);
  const wengert::Tensor block = wengert::zeros({data.rows, data.columns}, wengert::kDouble);
  for (size_t i = 0; i < own_values.size(); ++i) block.data_ptr<double>()[own_places[i]] = own_values[i];
  data.content = block.to(dtype);
}

// Behind the line with the sizes. Nothing where the text ends before.
std::optional<size_t> end_of_header(std::string_view text) {
  for (size_t begin = 0, end = text.find('\n'); end != std::string_view::npos; end = text.find('\n', begin)) {
    const std::string_view line = text.substr(begin, end - begin);
    begin = end + 1;
    if (line.find_first_not_of(" \t\r") != std::string_view::npos && !line.starts_with('%')) return begin;
  }
  return std::nullopt;
}

}  // namespace

bool is_matrix_market(std::string_view content) { return content.starts_with(kBanner); }

void parse_matrix_market(const std::string& name, std::string_view content, wengert::ScalarType dtype, Data& data) {
  Words words(name, content);
  const Header header = read_header(words, content.size());
  take_header(header, data);
  if (header.is_array) {
    parse_array(words, header, dtype, data);
  } else {
    Ratings ratings;
    for (int64_t e = 0; e < header.entries; ++e) {
      parse_entry(words, header, [&](auto... entry) { add_entry(ratings, entry...); });
    }
    data.content = std::move(ratings);
  }
  if (const std::string_view more = words.next(); !more.empty()) {
    words.fail(fmt::format("expected the end, found {}", shown(more)));
  }
}

void read_matrix_market_part(ByteStream& stream, const SharedFile& file, const ReadOptions& options, Data& data) {
  const Processes& processes = *options.processes;
  std::optional<size_t> end;
  for (size_t size = 1 << 12; !end; size *= 2) {
    const std::string_view text = stream.peek(size);
    end = end_of_header(text);
    if (!end && text.size() < size) end = text.size();
  }
  const std::string head(stream.peek(*end));
  Words in_head(data.name, head);
  const Header header = read_header(in_head, *stream.size_hint());
  if (const std::string_view more = in_head.next(); !more.empty()) {
    in_head.fail(fmt::format("expected the end of the line, found {}", shown(more)));
  }
  take_header(header, data);
  const auto lines_of = [](std::string_view text) {
    return static_cast<int64_t>(std::count(text.begin(), text.end(), '\n'));
  };
  ByteStream part = file.open_part(options.on_read, *end);
  const std::string content = part.read_all();
  Words words(data.name, content, 1 + lines_of(head) + processes.sum_before(lines_of(content)));
  int64_t found = 0;
  Ratings ratings;
  std::vector<double> numbers;
  for (; !words.at_end(); ++found) {
    if (header.is_array) {
      numbers.push_back(words.next_finite("a number"));
    } else {
      parse_entry(words, header, [&](auto... entry) { add_entry(ratings, entry...); });
    }
  }
  if (const int64_t all = processes.sum(found); all != header.entries) {
    throw Error(fmt::format("{}: expected {} {}, found {}", data.name, header.entries,
                            header.is_array ? "numbers" : "entries", all));
  }
  if (header.is_array) return exchange_array(processes, header, numbers, options.dtype, data);
  data.content = std::move(ratings);
}

}  // namespace factorize
