#include <factorize/input/arrays.h>
#include <factorize/input/byte_stream.h>
#include <factorize/input/data.h>
#include <factorize/input/matrix_market.h>
#include <factorize/input/table.h>
#include <factorize/input/text.h>
#include <factorize/input/triples.h>
#include <fmt/format.h>
#include <wengert/autograd/base/dispatch.h>
#include <wengert/autograd/base/error.h>
#include <wengert/autograd/serialize/file.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>

namespace factorize {
namespace {

using wengert::Error;
using wengert::Tensor;
using wengert::serialize::Input;

// The first lines of a text that say something, without the last, which may be cut.
constexpr size_t kSample = size_t{1} << 16;
constexpr size_t kSampleLines = 200;

struct Sample {
  Dialect dialect;
  std::vector<std::vector<std::string>> rows;
};

std::string delimiter_of(const std::string& separator) {
  if (separator == "tab" || separator == "\\t") return "\t";
  if (separator == "space" || separator == "blank") return " ";
  if (separator == "comma") return ",";
  if (separator == "semicolon") return ";";
  return separator;
}

Sample sample_of(ByteStream& stream, const ReadOptions& options) {
  std::string_view text = stream.peek(kSample);
  const bool is_cut = text.size() == kSample;
  text = without_byte_order_mark(text);
  // Of a text that goes on, a line without an end is not looked at, unless it is the only one.
  if (const size_t last = text.rfind('\n'); is_cut && last != std::string_view::npos) text = text.substr(0, last);
  std::vector<std::string_view> lines;
  for (std::string_view rest = text; !rest.empty() && lines.size() < kSampleLines;) {
    const std::string_view line = take_line(rest);
    if (!says_nothing(line)) lines.push_back(line);
  }
  if (lines.empty() && !is_cut) {
    throw Error(
        fmt::format("{}: the file {}", stream.name(),
                    text.find_first_not_of(" \t\r\n") == std::string_view::npos ? "is empty" : "holds comments alone"));
  }
  Sample sample{Dialect::of(lines, options.separator ? delimiter_of(*options.separator) : ""), {}};
  Fields fields(sample.dialect);
  for (const std::string_view line : lines) {
    try {
      const auto& found = fields.of(line);
      std::vector<std::string>& row = sample.rows.emplace_back(found.begin(), found.end());
      if (!sample.dialect.decimal_comma) continue;
      for (std::string& field : row) {
        if (fields.number(field)) std::replace(field.begin(), field.end(), ',', '.');
      }
    } catch (const std::string&) {
      break;  // told when the line is read
    }
  }
  return sample;
}

void read_triples(ByteStream& stream, Sample sample, const ReadOptions& options, Data& data) {
  TriplesReader reader;
  Ratings ratings;
  const TriplesLayout layout = triples_layout(stream.name(), std::move(sample.dialect), sample.rows, options);
  reader.read(stream, layout, ratings);
  std::vector<Ratings*> all{&ratings};
  if (!options.test.empty()) {
    ByteStream other = ByteStream::open(options.test, options.on_read);
    Sample of_other = sample_of(other, options);
    data.test.emplace();
    reader.read(other, triples_layout(other.name(), std::move(of_other.dialect), of_other.rows, options), *data.test);
    all.push_back(&*data.test);
  }
  reader.finish(all);
  data.rows = reader.row_ids().size();
  data.columns = reader.column_ids().size();
  data.row_ids = reader.row_ids().names();
  data.column_ids = reader.column_ids().names();
  data.holes = reader.holes();
  data.found = fmt::format("entries (row, column{}{}{}), {}", layout.of(ColumnRole::kValue) ? ", value" : "",
                           layout.of(ColumnRole::kWeight) ? ", weight" : "",
                           layout.of(ColumnRole::kTime) ? ", time" : "", layout.dialect.described());
  data.content = std::move(ratings);
}

void read_text(ByteStream& stream, const ReadOptions& options, Data& data) {
  Sample sample = sample_of(stream, options);
  const bool are_triples = options.format ? *options.format == Format::kTriples
                                          : !options.columns.empty() || !options.test.empty() || options.pairs ||
                                                looks_like_triples(sample.rows);
  if (are_triples) return read_triples(stream, std::move(sample), options, data);
  const TableLayout layout = table_layout(std::move(sample.dialect), sample.rows);
  read_table(stream, layout, options.dtype, data);
  data.found = fmt::format("a table, {}", layout.dialect.described());
}

Format format_of(ByteStream& stream) {
  const std::string_view head = stream.peek(16);
  if (head.starts_with("\x93NUMPY")) return Format::kNpy;
  if (head.starts_with("PK\x03\x04")) return Format::kNpz;
  return is_matrix_market(head) ? Format::kMatrixMarket : Format::kDense;
}

void check_elements(Data& data) {
  const Tensor& matrix = std::get<Tensor>(data.content);
  if (data.rows == 0 || data.columns == 0) {
    throw Error(fmt::format("{}: the matrix is empty ({} x {})", data.name, data.rows, data.columns));
  }
  wengert::dispatch_floating(matrix.dtype(), "read_data", [&]<class T>() {
    const Tensor elements = matrix.contiguous();
    const T* at = elements.data_ptr<T>();
    T least = std::numeric_limits<T>::infinity(), most = -least;
    for (int64_t i = 0; i < elements.numel(); ++i) {
      least = std::min(least, at[i]);  // not of NaN
      most = std::max(most, at[i]);
      if (std::isfinite(at[i])) continue;
      if (!std::isnan(at[i])) {
        throw Error(fmt::format("{}: row {}, column {} is infinite; every element must be a finite number or NaN",
                                data.name, i / data.columns + 1, i % data.columns + 1));
      }
      ++data.holes;
    }
    data.least = static_cast<double>(least);
    data.most = static_cast<double>(most);
    if (data.holes == elements.numel()) throw Error(fmt::format("{}: all elements are missing", data.name));
  });
  data.content = matrix.contiguous();
}

std::string ids_described(const Data& data) {
  const auto are_numbers = [](const std::vector<std::string>& ids) {
    return std::all_of(ids.begin(), ids.end(), [](const std::string& id) {
      return !id.empty() && id.find_first_not_of("0123456789") == std::string::npos;
    });
  };
  if (data.row_ids.empty() && data.column_ids.empty()) return "";
  if (!data.row_ids.empty() && !data.column_ids.empty() && are_numbers(data.row_ids) && are_numbers(data.column_ids)) {
    return ", ids are numbers";
  }
  return data.row_ids.empty()      ? ", columns have names"
         : data.column_ids.empty() ? ", rows have names"
                                   : ", ids are names";
}

}  // namespace

Data read_data(const std::string& path, const ReadOptions& options) {
  ByteStream stream = ByteStream::open(path, options.on_read);
  Data data;
  data.name = stream.name();
  Format format = format_of(stream);
  if (options.format && format == Format::kDense) format = *options.format;
  const auto input = [&] {
    return path != "-" && stream.size_hint() ? Input::file(path) : Input::bytes(data.name, stream.read_all());
  };
  switch (format) {
    case Format::kNpy: read_npy_matrix(input(), options.dtype, data); break;
    case Format::kNpz: read_npz_matrix(input(), options.dtype, data); break;
    case Format::kMatrixMarket: parse_matrix_market(data.name, stream.read_all(), options.dtype, data); break;
    case Format::kDense:
    case Format::kTriples: read_text(stream, options, data);
  }
  if (const auto* ratings = std::get_if<Ratings>(&data.content)) {
    const auto [low, high] = std::minmax_element(ratings->values.begin(), ratings->values.end());
    data.least = static_cast<double>(*low);
    data.most = static_cast<double>(*high);
  } else {
    check_elements(data);
  }
  if (!options.test.empty() && !data.test) {
    throw Error(fmt::format("{}: --test needs entries (row, column, value) in both files", data.name));
  }
  return data;
}

std::string description(const Data& data) {
  std::string text = fmt::format("{}: {}: {} x {}", data.name, data.found, data.rows, data.columns);
  const auto out = std::back_inserter(text);
  const double all = static_cast<double>(data.rows) * static_cast<double>(data.columns);
  if (const auto* ratings = std::get_if<Ratings>(&data.content)) {
    fmt::format_to(out, ", {} entries ({:.3g} %)", ratings->size(), 100 * static_cast<double>(ratings->size()) / all);
  }
  fmt::format_to(out, " from {:g} to {:g}", data.least, data.most);
  if (data.holes > 0 && std::holds_alternative<Ratings>(data.content)) {
    fmt::format_to(out, ", {} lines without a value", data.holes);
  } else if (data.holes > 0) {
    fmt::format_to(out, ", {} holes ({:.3g} %)", data.holes, 100 * static_cast<double>(data.holes) / all);
  }
  return text + ids_described(data);
}

}  // namespace factorize
