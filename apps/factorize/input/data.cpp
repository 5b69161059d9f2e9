#include <factorize/input/arrays.h>
#include <factorize/input/byte_stream.h>
#include <factorize/input/data.h>
#include <factorize/input/matrix_market.h>
#include <factorize/input/part.h>
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

// What a process reads of a file: all of it, or its part. stream: from the beginning, of which no more is needed.
template <class Layout, class Read>
void read_part(ByteStream& stream, const std::string& path, Layout& layout, const ReadOptions& options,
               const Read& read) {
  const Processes& processes = *options.processes;
  if (!processes.are_several()) return read(stream);
  const SharedFile file(processes, path);
  ByteStream part = file.open_part(options.on_read);
  layout.has_header = layout.has_header && file.has_beginning();
  read(part);
  file.check_unchanged();
}

// The ids that this process found become positions in the whole matrix.
int64_t number(const Processes& processes, const Ids& ids, const std::vector<std::vector<int32_t>*>& lists,
               NamesOfAll& all) {
  const std::vector<int32_t> positions = number_names(processes, ids.names(), ids.are_numbers(), all);
  for (auto* list : lists) {
    for (int32_t& id : *list) id = positions[static_cast<size_t>(id)];
  }
  return all.count;
}

void read_triples(ByteStream& stream, const std::string& path, Sample sample, const ReadOptions& options, Data& data) {
  const Processes& processes = *options.processes;
  TriplesReader reader;
  Ratings ratings;
  TriplesLayout layout = triples_layout(stream.name(), std::move(sample.dialect), sample.rows, options);
  const auto read = [&](ByteStream& file, const std::string& path_of_file, TriplesLayout& of_file, Ratings& to) {
    read_part(file, path_of_file, of_file, options, [&](ByteStream& part) { reader.read(part, of_file, to); });
    if (!processes.any(to.size() > 0)) {
      throw Error(fmt::format("{}: {}", file.name(),
                              processes.any(reader.holes() > 0) ? "all values are missing" : "there is no entry"));
    }
  };
  read(stream, path, layout, ratings);
  std::vector<Ratings*> all{&ratings};
  if (!options.test.empty()) {
    ByteStream other = ByteStream::open(path_for(options.test, processes), options.on_read);
    Sample of_other = sample_of(other, options);
    data.test.emplace();
    TriplesLayout layout_of_other = triples_layout(other.name(), std::move(of_other.dialect), of_other.rows, options);
    read(other, options.test, layout_of_other, *data.test);
    all.push_back(&*data.test);
  }
  reader.finish(all);
  data.holes = processes.sum(reader.holes());
  if (processes.are_several()) {
    std::vector<std::vector<int32_t>*> rows, columns;
    for (Ratings* some : all) {
      rows.push_back(&some->rows);
      columns.push_back(&some->columns);
    }
    data.rows = number(processes, reader.row_ids(), rows, data.names_of_rows);
    data.columns = number(processes, reader.column_ids(), columns, data.names_of_columns);
  } else {
    data.rows = reader.row_ids().size();
    data.columns = reader.column_ids().size();
    data.row_ids = reader.row_ids().names();
    data.column_ids = reader.column_ids().names();
  }
  data.found = fmt::format("entries (row, column{}{}{}), {}", layout.of(ColumnRole::kValue) ? ", value" : "",
                           layout.of(ColumnRole::kWeight) ? ", weight" : "",
                           layout.of(ColumnRole::kTime) ? ", time" : "", layout.dialect.described());
  data.content = std::move(ratings);
}

void read_text(ByteStream& stream, const std::string& path, const ReadOptions& options, Data& data) {
  Sample sample = sample_of(stream, options);
  const bool are_triples = options.format ? *options.format == Format::kTriples
                                          : !options.columns.empty() || !options.test.empty() || options.pairs ||
                                                looks_like_triples(sample.rows);
  if (are_triples) return read_triples(stream, path, std::move(sample), options, data);
  TableLayout layout = table_layout(std::move(sample.dialect), sample.rows);
  read_part(stream, path, layout, options, [&](ByteStream& part) { read_table(part, layout, options.dtype, data); });
  if (options.processes->sum(data.rows) == 0) {
    throw Error(fmt::format("{}: there is a header, but no row of numbers", stream.name()));
  }
  data.found = fmt::format("a table, {}", layout.dialect.described());
}

Format format_of(ByteStream& stream) {
  const std::string_view head = stream.peek(16);
  if (head.starts_with("\x93NUMPY")) return Format::kNpy;
  if (head.starts_with("PK\x03\x04")) return Format::kNpz;
  return is_matrix_market(head) ? Format::kMatrixMarket : Format::kDense;
}

// From a process's block of rows to the sizes of all, and what is known of it alone.
void join_blocks(const Processes& processes, Data& data) {
  if (!processes.are_several()) return;
  if (processes.most(static_cast<double>(data.columns)) != static_cast<double>(data.columns)) {
    throw Error(fmt::format("{}: other processes' parts have more than {} columns", data.name, data.columns));
  }
  data.first_row = processes.sum_before(data.rows);
  data.names_of_rows = {processes.sum(data.rows), data.first_row, std::exchange(data.row_ids, {})};
  if (!processes.any(!data.names_of_rows.own.empty())) data.names_of_rows.count = 0;
  data.names_of_columns.own = std::exchange(data.column_ids, {});
  data.names_of_columns.begin = processes.sum_before(static_cast<int64_t>(data.names_of_columns.own.size()));
  data.names_of_columns.count = processes.sum(static_cast<int64_t>(data.names_of_columns.own.size()));
  data.rows = processes.sum(data.rows);
}

void check_same_sizes(const Processes& processes, const Data& data) {
  const auto differ = [&](int64_t size) {
    const std::vector<int64_t> of_each = processes.of_each(size);
    return std::any_of(of_each.begin(), of_each.end(), [&](int64_t other) { return other != of_each[0]; });
  };
  if (differ(data.rows) || differ(data.columns)) {
    throw Error(fmt::format("{}: processes have entries of matrices of other sizes", data.name));
  }
}

void check_elements(const Processes& processes, Data& data) {
  const Tensor& matrix = std::get<Tensor>(data.content);
  join_blocks(processes, data);
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
                                data.name, data.first_row + i / data.columns + 1, i % data.columns + 1));
      }
      ++data.holes;
    }
    data.least = static_cast<double>(least);
    data.most = static_cast<double>(most);
  });
  data.holes = processes.sum(data.holes);
  data.entries = data.rows * data.columns - data.holes;
  if (data.entries == 0) throw Error(fmt::format("{}: all elements are missing", data.name));
  data.content = matrix.contiguous();
}

void find_range(const Processes& processes, Data& data) {
  if (const auto* ratings = std::get_if<Ratings>(&data.content)) {
    data.entries = processes.sum(static_cast<int64_t>(ratings->size()));
    const auto [low, high] = std::minmax_element(ratings->values.begin(), ratings->values.end());
    const bool is_empty = low == ratings->values.end();
    data.least = is_empty ? std::numeric_limits<double>::infinity() : static_cast<double>(*low);
    data.most = is_empty ? -data.least : static_cast<double>(*high);
  }
  data.least = processes.least(data.least);
  data.most = processes.most(data.most);
}

// What the ids are, in words that the description ends with.
std::string ids_described(const Processes& processes, const Data& data) {
  const bool are_several = processes.are_several();
  const auto& rows = are_several ? data.names_of_rows.own : data.row_ids;
  const auto& columns = are_several ? data.names_of_columns.own : data.column_ids;
  const auto are_none = [&](const std::vector<std::string>& ids) { return !processes.any(!ids.empty()); };
  const auto are_numbers = [&](const std::vector<std::string>& ids) {
    return !processes.any(std::any_of(ids.begin(), ids.end(), [](const std::string& id) {
      return id.empty() || id.find_first_not_of("0123456789") != std::string::npos;
    }));
  };
  const bool no_rows = are_none(rows), no_columns = are_none(columns);
  if (no_rows || no_columns) return no_rows && no_columns ? "" : no_rows ? ", columns have names" : ", rows have names";
  const bool rows_are = are_numbers(rows), columns_are = are_numbers(columns);
  return rows_are && columns_are ? ", ids are numbers" : ", ids are names";
}

}  // namespace

Data read_data(const std::string& path, const ReadOptions& options) {
  const Processes& processes = *options.processes;
  if (processes.are_several() && path == "-") throw Error("several processes read files, not standard input");
  const std::string own = path_for(path, processes);
  ByteStream stream = ByteStream::open(own, options.on_read);
  Data data;
  data.name = path == own ? stream.name() : path;
  Format format = format_of(stream);
  if (options.format && format == Format::kDense) format = *options.format;
  const auto input = [&] {
    return path != "-" && stream.size_hint() ? Input::file(own) : Input::bytes(data.name, stream.read_all());
  };
  const bool is_text = format == Format::kDense || format == Format::kTriples;  // which is shared file by file
  std::optional<SharedFile> file;
  if (processes.are_several() && !is_text) file.emplace(processes, path);
  const bool is_shared = file && !file->is_own();
  const Processes& readers = is_shared ? processes : Processes::alone();
  switch (format) {
    case Format::kNpy: read_npy_matrix(input(), readers, options.dtype, data); break;
    case Format::kNpz: read_npz_matrix(input(), readers, options.dtype, data); break;
    case Format::kMatrixMarket:
      is_shared ? read_matrix_market_part(stream, *file, options, data)
                : parse_matrix_market(data.name, stream.read_all(), options.dtype, data);
      break;
    case Format::kDense:
    case Format::kTriples: read_text(stream, path, options, data);
  }
  if (file) {
    file->check_unchanged();
    if (std::holds_alternative<Ratings>(data.content)) check_same_sizes(processes, data);
  }
  if (std::holds_alternative<Tensor>(data.content)) check_elements(processes, data);
  find_range(processes, data);
  data.ids = ids_described(processes, data);
  if (!options.test.empty() && !data.test) {
    throw Error(fmt::format("{}: --test needs entries (row, column, value) in both files", data.name));
  }
  return data;
}

std::string description(const Data& data) {
  std::string text = fmt::format("{}: {}: {} x {}", data.name, data.found, data.rows, data.columns);
  const auto out = std::back_inserter(text);
  const double all = static_cast<double>(data.rows) * static_cast<double>(data.columns);
  if (std::holds_alternative<Ratings>(data.content)) {
    fmt::format_to(out, ", {} entries ({:.3g} %)", data.entries, 100 * static_cast<double>(data.entries) / all);
  }
  fmt::format_to(out, " from {:g} to {:g}", data.least, data.most);
  if (data.holes > 0 && std::holds_alternative<Ratings>(data.content)) {
    fmt::format_to(out, ", {} lines without a value", data.holes);
  } else if (data.holes > 0) {
    fmt::format_to(out, ", {} holes ({:.3g} %)", data.holes, 100 * static_cast<double>(data.holes) / all);
  }
  return text + data.ids;
}

}  // namespace factorize
