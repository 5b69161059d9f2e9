#include <factorize/input/pieces.h>
#include <factorize/input/table.h>
#include <factorize/input/text.h>
#include <fast_float/fast_float.h>
#include <fmt/format.h>
#include <wengert/autograd/base/dispatch.h>
#include <wengert/autograd/base/error.h>
#include <wengert/autograd/tensor/factories.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace factorize {
namespace {

bool is_number(const std::string& field) { return parse_number(field).has_value(); }
bool is_word(const std::string& field) { return !is_number(field) && !is_hole(field); }

}  // namespace

TableLayout table_layout(Dialect dialect, const std::vector<std::vector<std::string>>& rows) {
  TableLayout layout{std::move(dialect)};
  if (rows.empty()) return layout;
  const std::vector<std::string>& first = rows[0];
  layout.fields = first.size();
  const size_t others = rows.size() - 1;
  // Names are words in every line but perhaps the header.
  const auto names = static_cast<size_t>(
      std::count_if(rows.begin() + 1, rows.end(), [](const auto& row) { return !row.empty() && is_word(row[0]); }));
  // As of R: the header has no field for the names.
  const bool header_is_shorter =
      others > 0 && std::none_of(first.begin(), first.end(), is_number) &&
      std::all_of(rows.begin() + 1, rows.end(), [&](const auto& row) { return row.size() == first.size() + 1; });
  if (header_is_shorter) ++layout.fields;
  layout.has_names = layout.fields > 1 && (others > 0 ? names == others
                                                      : is_word(first[0]) && first.size() > 1 &&
                                                            std::any_of(first.begin() + 1, first.end(), is_number));
  const auto from = first.begin() + (layout.has_names && !header_is_shorter ? 1 : 0);
  const bool has_number = std::any_of(from, first.end(), is_number), has_word = std::any_of(from, first.end(), is_word);
  layout.has_header = header_is_shorter || (has_word && !has_number) ||
                      (layout.has_names && others > 0 && first[0].empty() && !first.empty());
  return layout;
}

namespace {

template <class T>
struct Piece {
  std::shared_ptr<Fields> fields;
  std::vector<T> values;
  std::vector<std::string> names, header;
  int64_t lines = 0, rows = 0;
  std::optional<LineError> error;
};

template <class T>
class Parser {
 public:
  explicit Parser(const TableLayout& layout)
      : layout_(layout),
        columns_(layout.fields - (layout.has_names ? 1 : 0)),
        is_plain_(!layout.has_names && layout.dialect.delimiter.size() == 1 && !layout.dialect.decimal_comma),
        delimiter_(layout.dialect.delimiter[0]) {}

  Piece<T> operator()(std::string_view text, bool is_first) const {
    Piece<T> piece;
    piece.fields = std::make_shared<Fields>(layout_.dialect);
    if (is_first) text = without_byte_order_mark(text);
    piece.values.reserve(text.size() / 8);
    fill_piece(
        piece, text, is_first && layout_.has_header,
        [&](std::string_view line) { return is_plain_ && take_plain(line, piece); },
        [&](std::string_view line) { take_header(line, piece); }, [&](std::string_view line) { take(line, piece); });
    return piece;
  }

 private:
  // A line of finite numbers and nothing else.
  bool take_plain(std::string_view line, Piece<T>& piece) const {
    const char *at = line.data(), *end = at + line.size();
    const size_t before = piece.values.size();
    while (true) {
      while (at < end && *at == ' ') ++at;
      T value;
      const auto number = fast_float::from_chars(at, end, value);
      if (number.ec != std::errc() || !std::isfinite(value)) break;
      piece.values.push_back(value);
      at = number.ptr;
      if (at == end) {
        if (piece.values.size() - before != columns_) break;
        ++piece.rows;
        return true;
      }
      if (*at != delimiter_) break;
      ++at;
    }
    piece.values.resize(before);
    return false;
  }

  void check_count(size_t fields) const {
    if (fields == layout_.fields) return;
    throw fmt::format("expected {} columns as in the lines before, found {}", layout_.fields, fields);
  }
  void take_header(std::string_view line, Piece<T>& piece) const {
    const std::vector<std::string_view>& fields = piece.fields->of(line);
    const size_t names = fields.size() == columns_ ? 0 : 1;
    if (fields.size() - names != columns_) check_count(fields.size());
    piece.header.assign(fields.begin() + static_cast<int64_t>(names), fields.end());
  }
  void take(std::string_view line, Piece<T>& piece) const {
    const std::vector<std::string_view>& fields = piece.fields->of(line);
    check_count(fields.size());
    for (size_t i = layout_.has_names ? 1 : 0; i < fields.size(); ++i) {
      if (is_hole(fields[i])) {
        piece.values.push_back(std::numeric_limits<T>::quiet_NaN());
        continue;
      }
      const std::optional<double> value = piece.fields->number(fields[i]);
      if (!value) throw fmt::format("expected a number in column {}, found {}", i + 1, shown(fields[i]));
      const T stored = static_cast<T>(*value);
      if (!std::isfinite(stored)) {
        throw fmt::format("expected a finite number in column {}, found {}", i + 1, shown(fields[i]));
      }
      piece.values.push_back(stored);
    }
    if (layout_.has_names) piece.names.emplace_back(fields[0]);
    ++piece.rows;
  }

  const TableLayout& layout_;
  size_t columns_;
  bool is_plain_;
  char delimiter_;
};

}  // namespace

void read_table(ByteStream& stream, const TableLayout& layout, wengert::ScalarType dtype, Data& data) {
  wengert::dispatch_floating(dtype, "read_table", [&]<class T>() {
    auto values = std::make_shared<std::vector<T>>();
    bool is_first = true;
    for_each_piece(stream, Parser<T>(layout), [&](Piece<T>& piece) {
      if (std::exchange(is_first, false)) {
        *values = std::move(piece.values);
        values->reserve(expected_in_all(stream, values->size()));
      } else {
        values->insert(values->end(), piece.values.begin(), piece.values.end());
      }
      data.rows += piece.rows;
      data.row_ids.insert(data.row_ids.end(), std::make_move_iterator(piece.names.begin()),
                          std::make_move_iterator(piece.names.end()));
      if (!piece.header.empty()) data.column_ids = std::move(piece.header);
    });
    data.columns = static_cast<int64_t>(layout.fields) - (layout.has_names ? 1 : 0);
    T* elements = values->data();
    data.content = wengert::from_blob(
        elements, {data.rows, data.columns}, [values](void*) {}, dtype);
  });
}

}  // namespace factorize
