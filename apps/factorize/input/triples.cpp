#include <factorize/input/pieces.h>
#include <factorize/input/text.h>
#include <factorize/input/triples.h>
#include <fast_float/fast_float.h>
#include <fmt/format.h>
#include <wengert/autograd/base/error.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <set>
#include <utility>

namespace factorize {
namespace {

using wengert::Error;

constexpr size_t kLongestId = 4096;
constexpr size_t kMostFields = 5;

std::string lower_letters(std::string_view word) {
  std::string letters;
  for (const char c : word) {
    if (c >= 'A' && c <= 'Z') letters += static_cast<char>(c - 'A' + 'a');
    if (c >= 'a' && c <= 'z') letters += c;
  }
  return letters;
}

// What a header's word says that its column is.
std::optional<ColumnRole> role_of(std::string_view word) {
  static const std::vector<std::pair<ColumnRole, std::set<std::string>>> words{
      {ColumnRole::kRow, {"user", "userid", "row", "rowid", "customer", "customerid", "student", "u", "i"}},
      {ColumnRole::kColumn, {"item",   "itemid",   "movie",   "movieid",   "film",   "filmid",   "column",
                             "col",    "columnid", "product", "productid", "book",   "bookid",   "isbn",
                             "artist", "artistid", "track",   "song",      "songid", "lecturer", "j"}},
      {ColumnRole::kValue, {"rating", "ratings", "value", "score", "stars", "count", "plays", "playcount", "quantity"}},
      {ColumnRole::kWeight, {"weight", "weights", "confidence"}},
      {ColumnRole::kTime, {"time", "timestamp", "date", "datetime", "unixtime"}}};
  const std::string letters = lower_letters(word);
  for (const auto& [role, names] : words) {
    if (names.contains(letters)) return role;
  }
  return std::nullopt;
}

bool is_whole_number(std::string_view field) {
  return !field.empty() && field.size() <= 18 &&
         std::all_of(field.begin(), field.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool is_number(std::string_view field) { return parse_number(field).has_value(); }

// One whose words are no numbers.
bool is_header(const std::vector<std::string>& row) {
  return std::none_of(row.begin(), row.end(),
                      [](const std::string& field) { return is_number(field) || field.empty(); });
}

// The same of two ids, which may be words, too.
bool is_header_of_pairs(const std::vector<std::vector<std::string>>& rows, size_t row, size_t column) {
  const std::vector<std::string>& first = rows[0];
  const size_t both = std::max(row, column);
  if (first.size() <= both || !is_header(first)) return false;
  const auto is_named = [&](size_t field, ColumnRole role) {
    return role_of(first[field]) == role && first[field].find_first_of("0123456789") == std::string::npos;
  };
  if (is_named(row, ColumnRole::kRow) && is_named(column, ColumnRole::kColumn)) return true;
  return rows.size() > 1 && std::all_of(rows.begin() + 1, rows.end(), [&](const auto& fields) {
           return fields.size() > both && is_whole_number(fields[row]) && is_whole_number(fields[column]);
         });
}

}  // namespace

bool looks_like_triples(const std::vector<std::vector<std::string>>& rows) {
  if (rows.empty() || rows[0].size() < 3 || rows[0].size() > kMostFields) return false;
  const bool has_header = is_header(rows[0]);
  if (has_header) {
    std::set<ColumnRole> roles;
    for (const std::string& word : rows[0]) {
      if (const auto role = role_of(word)) roles.insert(*role);
    }
    if (roles.contains(ColumnRole::kRow) && roles.contains(ColumnRole::kColumn)) return true;
  }
  size_t whole_rows = 0, whole_columns = 0, numbers = 0, all = 0;
  std::set<std::pair<std::string, std::string>> pairs;
  std::set<std::string> row_names;
  for (size_t i = has_header ? 1 : 0; i < rows.size(); ++i) {
    const std::vector<std::string>& row = rows[i];
    if (row.size() != rows[0].size()) continue;  // told when it is read
    ++all;
    whole_rows += is_whole_number(row[0]) || row[0].empty() ? 1 : 0;
    whole_columns += is_whole_number(row[1]) || row[1].empty() ? 1 : 0;
    numbers += is_number(row[2]) || is_hole(row[2]) ? 1 : 0;
    pairs.emplace(row[0], row[1]);
    row_names.insert(row[0]);
  }
  if (2 * all < rows.size() || all == 0 || numbers < all || 2 * pairs.size() < all) return false;
  if (whole_rows == all && whole_columns == all) return true;
  const auto are_words = [&](size_t column) {
    return std::all_of(rows.begin() + (has_header ? 1 : 0), rows.end(), [&](const auto& row) {
      return column >= row.size() || (!is_number(row[column]) && !is_hole(row[column]));
    });
  };
  // A name, and a word or a whole number beside it: of a table's rows, names are different ones.
  if (whole_rows == 0 && are_words(0)) return are_words(1) || (whole_columns == all && row_names.size() < all);
  return whole_rows == all && are_words(1);
}

TriplesLayout triples_layout(const std::string& name, Dialect dialect,
                             const std::vector<std::vector<std::string>>& rows, const ReadOptions& options) {
  const std::vector<std::string>& columns = options.columns;
  TriplesLayout layout;
  layout.dialect = std::move(dialect);
  if (rows.empty()) return layout;
  const std::vector<std::string>& first = rows[0];
  layout.fields = first.size();
  const auto place_of = [&](ColumnRole role) -> std::optional<size_t>& {
    return layout.place[static_cast<size_t>(role)];
  };
  const auto field_named = [&](std::string_view word) -> std::optional<size_t> {
    const auto found = std::find(first.begin(), first.end(), word);
    if (found == first.end()) return std::nullopt;
    return static_cast<size_t>(found - first.begin());
  };
  // A value that is no number tells a header: ids may be words. Without values the words themselves do, or numbers
  // below them.
  const auto set_header = [&] {
    const std::optional<size_t> value = layout.of(ColumnRole::kValue);
    layout.has_header = value ? *value < first.size() && !is_number(first[*value]) && !is_hole(first[*value])
                              : is_header_of_pairs(rows, *layout.of(ColumnRole::kRow), *layout.of(ColumnRole::kColumn));
    if (options.pairs) place_of(ColumnRole::kValue).reset();
  };

  if (!columns.empty()) {
    layout.place.fill(std::nullopt);
    bool by_name = false;
    for (size_t i = 0; i < columns.size(); ++i) {
      const size_t equals = columns[i].find('=');
      const std::string word = equals == std::string::npos ? columns[i] : columns[i].substr(equals + 1);
      auto role = equals == std::string::npos ? static_cast<ColumnRole>(std::min<size_t>(i, kMostFields - 1))
                                              : role_of(columns[i].substr(0, equals)).value_or(ColumnRole::kRow);
      if (i == 3 && columns.size() == 4 && equals == std::string::npos && role_of(word) == ColumnRole::kTime) {
        role = ColumnRole::kTime;
      }
      std::optional<size_t> field;
      if (is_whole_number(word)) {
        const auto number = static_cast<size_t>(std::stoll(word));
        if (number >= 1 && number <= first.size()) field = number - 1;
      } else {
        field = field_named(word);
        by_name = by_name || field.has_value();
      }
      if (!field) {
        throw Error(fmt::format("{}: there is no column {}; the first line has {}", name, shown(word), first.size()));
      }
      place_of(role) = field;
    }
    for (const ColumnRole role : {ColumnRole::kRow, ColumnRole::kColumn}) {
      if (!layout.of(role)) throw Error(fmt::format("{}: --columns needs a row and a column", name));
    }
    set_header();
    layout.has_header = layout.has_header || by_name;
    return layout;
  }

  if (first.size() < 2) {
    throw Error(fmt::format("{}: expected at least 2 fields in a line (row, column), found 1", name));
  }
  if (first.size() == 2) place_of(ColumnRole::kValue).reset();
  set_header();
  if (layout.has_header) {
    std::array<std::optional<size_t>, kMostFields> told{};
    for (size_t i = 0; i < first.size(); ++i) {
      const auto role = role_of(first[i]);
      if (role && !told[static_cast<size_t>(*role)]) told[static_cast<size_t>(*role)] = i;
    }
    if (told[0] && told[1] && (told[2] || !layout.of(ColumnRole::kValue))) {
      layout.place = told;
      if (options.pairs) place_of(ColumnRole::kValue).reset();
    }
    layout.place[3] = told[3];
    layout.place[4] = told[4];
    return layout;
  }
  if (options.pairs) return layout;
  // Without a header a fourth field of large whole numbers is a time in seconds.
  constexpr double kLeastTime = 1e8;
  if (first.size() == 4 && std::all_of(rows.begin(), rows.end(), [&](const auto& row) {
        return row.size() == 4 && parse_number(row[3]).value_or(0) >= kLeastTime;
      })) {
    place_of(ColumnRole::kTime) = 3;
  }
  return layout;
}

namespace {

struct Piece {
  std::shared_ptr<Fields> fields;  // what ids may refer to
  Ids::Piece rows, columns;
  std::vector<float> values, weights;
  std::vector<double> times;
  int64_t lines = 0, holes = 0;
  std::optional<LineError> error;
};

// Makes pieces of lines.
class Parser {
 public:
  explicit Parser(const TriplesLayout& layout)
      : layout_(layout),
        is_plain_(layout.dialect.delimiter.size() == 1 && !layout.dialect.decimal_comma &&
                  layout.of(ColumnRole::kRow) == 0 && layout.of(ColumnRole::kColumn) == 1 &&
                  layout.of(ColumnRole::kValue) == 2 && !layout.of(ColumnRole::kWeight) &&
                  layout.of(ColumnRole::kTime).value_or(3) == 3),
        delimiter_(layout.dialect.delimiter[0]) {}

  Piece operator()(std::string_view text, bool is_first) const {
    Piece piece;
    piece.fields = std::make_shared<Fields>(layout_.dialect);
    if (is_first) text = without_byte_order_mark(text);
    piece.values.reserve(text.size() / 12);
    fill_piece(
        piece, text, is_first && layout_.has_header,
        [&](std::string_view line) { return is_plain_ && take_plain(line, piece); }, [](std::string_view) {},
        [&](std::string_view line) { take(line, piece); });
    return piece;
  }

 private:
  // A whole number without leading zeros.
  static bool take_id(const char*& at, const char* end, int32_t& id) {
    const char* begin = at;
    int32_t number = 0;
    while (at < end && static_cast<unsigned char>(*at - '0') < 10 && at - begin < 9)
      number = number * 10 + (*at++ - '0');
    id = number;
    return at > begin && (*begin != '0' || at - begin == 1);
  }
  bool take_delimiter(const char*& at, const char* end) const {
    if (at == end || *at != delimiter_) return false;
    ++at;
    if (delimiter_ == ' ') {
      while (at < end && *at == ' ') ++at;
    }
    return true;
  }
  // A line as most are: two whole numbers and a finite one, perhaps a time, nothing else. False where it is not one.
  bool take_plain(std::string_view line, Piece& piece) const {
    const char *at = line.data(), *end = at + line.size();
    int32_t row, column;
    float value;
    double time = 0;
    if (!take_id(at, end, row) || !take_delimiter(at, end) || !take_id(at, end, column) || !take_delimiter(at, end)) {
      return false;
    }
    const auto number = fast_float::from_chars(at, end, value);
    if (number.ec != std::errc() || !std::isfinite(value)) return false;
    at = number.ptr;
    if (layout_.fields > 3) {
      if (!take_delimiter(at, end)) return false;
      if (layout_.of(ColumnRole::kTime)) {
        const auto seconds = fast_float::from_chars(at, end, time);
        if (seconds.ec != std::errc() || !std::isfinite(time)) return false;
        at = seconds.ptr;
      } else if (layout_.fields == 4) {
        at = static_cast<const char*>(std::memchr(at, delimiter_, static_cast<size_t>(end - at)));
        if (at == nullptr) at = end;
      }
    }
    if (at != end) return false;
    piece.rows.add_number(row);
    piece.columns.add_number(column);
    piece.values.push_back(value);
    if (layout_.of(ColumnRole::kTime)) piece.times.push_back(time);
    return true;
  }

  double number_in(const std::vector<std::string_view>& fields, size_t field, Piece& piece) const {
    const std::optional<double> value = piece.fields->number(fields[field]);
    if (!value || !std::isfinite(*value) || std::abs(*value) > static_cast<double>(std::numeric_limits<float>::max())) {
      throw fmt::format("expected a {}number in column {}, found {}", value ? "finite " : "", field + 1,
                        shown(fields[field]));
    }
    return *value;
  }
  static std::string_view id_in(const std::vector<std::string_view>& fields, size_t field) {
    if (fields[field].empty()) throw fmt::format("there is no id in column {}", field + 1);
    if (fields[field].size() > kLongestId) {
      throw fmt::format("the id in column {} has {} characters; at most {} are read", field + 1, fields[field].size(),
                        kLongestId);
    }
    return fields[field];
  }
  void take(std::string_view line, Piece& piece) const {
    const std::vector<std::string_view>& fields = piece.fields->of(line);
    if (fields.size() != layout_.fields) {
      throw fmt::format("expected {} columns as in the first line, found {}", layout_.fields, fields.size());
    }
    const std::string_view row = id_in(fields, *layout_.of(ColumnRole::kRow)),
                           column = id_in(fields, *layout_.of(ColumnRole::kColumn));
    const std::optional<size_t> at = layout_.of(ColumnRole::kValue);
    if (at && is_hole(fields[*at])) {
      ++piece.holes;
      return;
    }
    const double value = at ? number_in(fields, *at, piece) : 1;
    if (const auto place = layout_.of(ColumnRole::kWeight)) {
      const double weight = number_in(fields, *place, piece);
      if (weight < 0) throw fmt::format("the weight in column {} is below 0", *place + 1);
      piece.weights.push_back(static_cast<float>(weight));
    }
    if (const auto place = layout_.of(ColumnRole::kTime)) piece.times.push_back(number_in(fields, *place, piece));
    piece.rows.add(row);
    piece.columns.add(column);
    piece.values.push_back(static_cast<float>(value));
  }

  const TriplesLayout& layout_;
  bool is_plain_;
  char delimiter_;
};

template <class T>
void add_all(std::vector<T>& all, const std::vector<T>& more) {
  all.insert(all.end(), more.begin(), more.end());
}

}  // namespace

void TriplesReader::read(ByteStream& stream, const TriplesLayout& layout, Ratings& ratings) {
  const size_t before = ratings.size();
  bool is_first = true;
  for_each_piece(stream, Parser(layout), [&](Piece& piece) {
    row_ids_.append(piece.rows, ratings.rows);
    column_ids_.append(piece.columns, ratings.columns);
    add_all(ratings.values, piece.values);
    add_all(ratings.weights, piece.weights);
    add_all(ratings.times, piece.times);
    holes_ += piece.holes;
    if (std::exchange(is_first, false)) {
      const size_t expected = before + expected_in_all(stream, ratings.size() - before);
      ratings.rows.reserve(expected);
      ratings.columns.reserve(expected);
      ratings.values.reserve(expected);
    }
  });
}

void TriplesReader::finish(const std::vector<Ratings*>& all) {
  std::vector<std::vector<int32_t>*> rows, columns;
  for (Ratings* ratings : all) {
    rows.push_back(&ratings->rows);
    columns.push_back(&ratings->columns);
  }
  row_ids_.finish(rows);
  column_ids_.finish(columns);
}

}  // namespace factorize
