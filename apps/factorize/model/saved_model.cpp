#include <factorize/input/text.h>
#include <factorize/model/saved_model.h>
#include <fmt/format.h>
#include <wengert/autograd/serialize/npy.h>
#include <wengert/autograd/serialize/safetensors.h>
#include <wengert/wengert.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <numeric>

namespace factorize {
namespace {

using wengert::Error;
using wengert::Tensor;
using wengert::serialize::Input;
using wengert::serialize::Safetensors;
using wengert::serialize::Sink;

constexpr const char* kModelFile = "factors.safetensors";
constexpr const char* kEntriesFile = "entries.safetensors";

std::string path_in(const std::string& folder, const std::string& file) {
  return (std::filesystem::path(folder) / file).string();
}

std::vector<std::string> lines_in(const std::string& path) {
  const Input input = Input::file(path);
  std::vector<std::string> lines;
  const std::string text = input.read(0, input.size());
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

// How many letters must be put in, left out or exchanged to come from one to the other.
size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t exchanged = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, exchanged});
    }
  }
  return row[b.size()];
}

std::map<std::string, std::string> texts_of(const Model& model) {
  return {{"loss", name_of(model.loss, loss_names())},
          {"feedback", name_of(model.feedback, feedback_names())},
          {"huber_delta", fmt::format("{}", model.huber_delta)},
          {"alpha", fmt::format("{}", model.alpha)},
          {"mean", fmt::format("{}", model.mean)},
          {"expected_curvature", fmt::format("{}", model.expected_curvature)},
          {"nonnegative", model.nonnegative ? "yes" : "no"},
          {"penalties_by_count", model.penalties_by_count ? "yes" : "no"}};
}

// Takes from a file's texts and tensors, and says what is wrong with it.
class Reader {
 public:
  explicit Reader(const std::string& path) : input_(Input::file(path)), file_(read_safetensors(input_)) {}

  [[noreturn]] void fail(const std::string& what) const { input_.fail(what); }
  bool contains(const std::string& name) const { return file_.tensors.contains(name); }
  Tensor tensor(const std::string& name) const {
    const auto found = file_.tensors.find(name);
    if (found == file_.tensors.end()) fail(fmt::format("there is no tensor {}", name));
    return wengert::serialize::read_elements(input_, found->second.offset, found->second.shape, *found->second.type);
  }
  Tensor tensor(const std::string& name, wengert::IntArrayRef shape, wengert::ScalarType dtype) const {
    Tensor found = tensor(name);
    if (found.sizes() != shape || found.dtype() != dtype) {
      fail(fmt::format("tensor {} is of shape [{}] and dtype {}; expected [{}] and {}", name,
                       fmt::join(found.sizes(), ", "), wengert::toString(found.dtype()), fmt::join(shape, ", "),
                       wengert::toString(dtype)));
    }
    return found;
  }
  std::string text(const std::string& name) const {
    const auto found = file_.metadata.find(name);
    if (found == file_.metadata.end()) {
      fail(fmt::format("it says nothing of the {}: the model is of an older version, or none of this program", name));
    }
    return found->second;
  }
  double number(const std::string& name) const {
    const std::string text = this->text(name);
    const std::optional<double> value = parse_number(text);
    if (!value) fail(fmt::format("the {} {} is no number", name, text));
    return *value;
  }
  bool truth(const std::string& name) const { return text(name) == "yes"; }
  template <class T>
  T word(const std::string& name, const std::vector<std::pair<std::string, T>>& names) const {
    const std::string word = text(name);
    for (const auto& [known, value] : names) {
      if (known == word) return value;
    }
    fail(fmt::format("the {} {} is not known", name, word));
  }

 private:
  Input input_;
  Safetensors file_;
};

Model read_model(const Reader& reader) {
  Model model;
  model.C = reader.tensor("C");
  const wengert::ScalarType dtype = model.C.dtype();
  if (model.C.dim() != 2 || !model.C.is_floating_point()) reader.fail("C is no matrix of numbers");
  const int64_t n = model.rows(), k = model.rank();
  model.F = reader.tensor("F");
  if (model.F.dim() != 2 || model.F.size(0) != k || model.F.dtype() != dtype || n == 0 || k == 0) {
    reader.fail("the shapes or dtypes of C and F do not go together");
  }
  const int64_t m = model.columns();
  if (reader.contains("offset")) {
    model.offset = reader.tensor("offset");
    const bool is_one = model.offset.dim() == 2 && model.offset.dtype() == dtype &&
                        ((model.offset.size(1) == 1 && (model.offset.size(0) == 1 || model.offset.size(0) == n)) ||
                         (model.offset.size(0) == 1 && model.offset.size(1) == m));
    if (!is_one) reader.fail("the offset does not go with C and F");
  }
  if (reader.contains("row_bias")) {
    model.row_bias = reader.tensor("row_bias", {n}, dtype);
    model.column_bias = reader.tensor("column_bias", {m}, dtype);
  }
  if (reader.contains("row_penalties")) model.row_penalties = reader.tensor("row_penalties", {k + 1}, dtype);
  if (reader.contains("column_variances")) model.column_variances = reader.tensor("column_variances", {k, m}, dtype);
  model.loss = reader.word("loss", loss_names());
  model.feedback = reader.word("feedback", feedback_names());
  model.huber_delta = reader.number("huber_delta");
  model.alpha = reader.number("alpha");
  model.mean = reader.number("mean");
  model.expected_curvature = reader.number("expected_curvature");
  model.nonnegative = reader.truth("nonnegative");
  model.penalties_by_count = reader.truth("penalties_by_count");
  return model;
}

EntryRows read_entries(const Reader& reader, const std::string& which, const Model& model) {
  EntryRows entries;
  entries.starts = reader.tensor(which + "starts", {model.rows() + 1}, wengert::kLong);
  entries.columns = reader.tensor(which + "columns");
  const int64_t nnz = entries.columns.numel();
  entries.columns = reader.tensor(which + "columns", {nnz}, wengert::kLong);
  entries.values = reader.tensor(which + "values", {nnz}, model.C.dtype());
  if (reader.contains(which + "weights")) entries.weights = reader.tensor(which + "weights", {nnz}, model.C.dtype());
  const auto* starts = entries.starts.data_ptr<int64_t>();
  if (starts[0] != 0 || starts[model.rows()] != nnz || !std::is_sorted(starts, starts + model.rows() + 1)) {
    reader.fail("the rows of the entries do not begin where they may");
  }
  if (nnz > 0 &&
      (entries.columns.min().item<int64_t>() < 0 || entries.columns.max().item<int64_t>() >= model.columns())) {
    reader.fail("there are entries outside the matrix");
  }
  return entries;
}

// Each process's piece of a tensor, (all, ...), one after another.
wengert::serialize::StreamedTensor streamed(const Processes& processes, const Tensor& piece) {
  std::vector<int64_t> shape = piece.sizes().vec();
  shape[0] = processes.sum(shape[0]);
  return {piece.dtype(), shape, [&processes, piece](const Sink& sink) {
            const Tensor elements = piece.contiguous();
            const auto size = static_cast<size_t>(elements.numel() * elements.element_size());
            if (!processes.are_several()) return sink(elements.data_ptr(), size);
            processes.to_first(std::string(static_cast<const char*>(elements.data_ptr()), size),
                               [&](std::string_view bytes) { sink(bytes.data(), bytes.size()); });
          }};
}

// As EntryRows of the whole matrix. The last process's rows end, too.
void add_entries(std::map<std::string, wengert::serialize::StreamedTensor>& tensors, const std::string& which,
                 const Share& share, const Entries& entries) {
  const Processes& processes = share.processes();
  const EntryRows rows = by_rows(entries);
  const bool is_last = processes.index() == processes.count() - 1;
  const auto add = [&](const char* name, const Tensor& piece) { tensors[which + name] = streamed(processes, piece); };
  add("starts",
      rows.starts.narrow(0, 0, rows.starts.numel() - (is_last ? 0 : 1)) + processes.sum_before(entries.size()));
  add("columns", share.is_whole() ? rows.columns : share.columns.positions().index_select(0, rows.columns));
  add("values", rows.values);
  if (!processes.any(rows.weights.defined())) return;
  add("weights", rows.weights.defined() ? rows.weights : wengert::ones_like(rows.values));
}

// A line for each name.
void write_names(const Processes& processes, const std::string& path, const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += name + '\n';
  write_together(processes, path, text);
}

}  // namespace

Names::Names(std::string what, std::vector<std::string> given, int64_t count)
    : what_(std::move(what)), given_(std::move(given)), count_(count) {
  positions_.reserve(given_.size());
  for (size_t i = 0; i < given_.size(); ++i) positions_.emplace(given_[i], static_cast<int64_t>(i));
}

std::string Names::operator[](int64_t position) const {
  return are_given() ? given_[static_cast<size_t>(position)] : std::to_string(position + 1);
}

std::vector<std::string> Names::all() const {
  if (are_given()) return given_;
  std::vector<std::string> names(static_cast<size_t>(count_));
  for (size_t i = 0; i < names.size(); ++i) names[i] = std::to_string(i + 1);
  return names;
}

std::optional<int64_t> Names::find(std::string_view name) const {
  if (are_given()) {
    const auto found = positions_.find(name);
    return found == positions_.end() ? std::nullopt : std::optional(found->second);
  }
  int64_t number = 0;
  for (const char c : name) {
    if (c < '0' || c > '9' || number > count_) return std::nullopt;
    number = number * 10 + (c - '0');
  }
  return number >= 1 && number <= count_ && name[0] != '0' ? std::optional(number - 1) : std::nullopt;
}

int64_t Names::position_of(std::string_view name) const {
  if (const auto found = find(name)) return *found;
  if (!are_given()) {
    throw Error(
        fmt::format("there is no {} {}: they have no names, and are numbers from 1 to {}", what_, name, count_));
  }
  constexpr size_t kShown = 3;
  std::vector<std::pair<size_t, const std::string*>> nearest;
  for (const std::string& known : given_) nearest.emplace_back(edit_distance(name, known), &known);
  const auto last = nearest.begin() + static_cast<int64_t>(std::min(kShown, nearest.size()));
  std::partial_sort(nearest.begin(), last, nearest.end(),
                    [](const auto& a, const auto& b) { return a.first < b.first; });
  std::string shown;
  for (auto each = nearest.begin(); each != last; ++each) {
    shown += fmt::format("{}{}", shown.empty() ? "" : ", ", *each->second);
  }
  throw Error(fmt::format("there is no {} {}; the nearest {}: {}", what_, name,
                          last - nearest.begin() == 1 ? "is" : "are", shown));
}

Tensor Names::find_all(const std::vector<std::string>& names, int64_t size) const {
  Tensor positions = wengert::full({size}, -1, wengert::kLong);
  auto* at = positions.data_ptr<int64_t>();
  for (int64_t i = 0; i < size; ++i) {
    if (names.empty() && !are_given()) {
      if (i < count_) at[i] = i;
      continue;
    }
    at[i] = find(names.empty() ? std::to_string(i + 1) : names[static_cast<size_t>(i)]).value_or(-1);
  }
  return positions;
}

void write_names(const std::string& path, const std::vector<std::string>& names) {
  write_names(Processes::alone(), path, names);
}

void save_model(const std::string& folder, const Model& model, const std::vector<std::string>& row_ids,
                const std::vector<std::string>& column_ids, const Share* share,
                const std::function<void()>& write_beside, const Processes& processes) {
  std::map<std::string, Tensor> tensors;
  if (processes.is_first()) {
    for_each_tensor(model, [&](const std::string& name, const Tensor& tensor) {
      if (!tensor.defined()) return;
      tensors[name] = tensor;
      const bool predicts = name != "row_penalties" && name != "column_variances";
      if (predicts) wengert::save_npy(tensor, path_in(folder, name + ".npy"));
    });
    tensors["mean"] = wengert::full({1}, model.mean, model.C.options());
  }
  if (share != nullptr) {
    std::map<std::string, wengert::serialize::StreamedTensor> entries;
    add_entries(entries, "", *share, share->of_rows);
    if (share->validation) add_entries(entries, "validation_", *share, *share->validation);
    write_together(processes, path_in(folder, kEntriesFile),
                   [&](const Sink& sink) { wengert::serialize::write_safetensors(sink, entries, {}); });
  } else if (processes.is_first()) {
    std::error_code not_there;
    std::filesystem::remove(path_in(folder, kEntriesFile), not_there);
  }
  write_names(processes, path_in(folder, "row_ids.txt"), row_ids);
  write_names(processes, path_in(folder, "column_ids.txt"), column_ids);
  if (!processes.is_first()) return;
  if (write_beside) write_beside();
  wengert::serialize::write_file(path_in(folder, kModelFile), [&](const Sink& sink) {
    wengert::serialize::write_safetensors(sink, tensors, texts_of(model));
  });
}

void write_together(const Processes& processes, const std::string& path,
                    const std::function<void(const Sink&)>& content) {
  if (processes.is_first()) return wengert::serialize::write_file(path, content);
  content([](const void*, size_t) {});
}

void write_together(const Processes& processes, const std::string& path, const std::string& piece) {
  write_together(processes, path, [&](const Sink& sink) {
    processes.to_first(piece, [&](std::string_view bytes) { sink(bytes.data(), bytes.size()); });
  });
}

SavedModel load_model(const std::string& folder) {
  if (!std::filesystem::exists(path_in(folder, kModelFile))) {
    throw Error(
        fmt::format("{}: there is no model ({}); factorize fit FILE --out {} makes one", folder, kModelFile, folder));
  }
  const Reader reader(path_in(folder, kModelFile));
  SavedModel saved{folder, read_model(reader), {}, {}, {}, {}};
  const auto names = [&](const char* what, const char* file, int64_t count) {
    const std::string path = path_in(folder, file);
    std::vector<std::string> given = lines_in(path);
    if (!given.empty() && static_cast<int64_t>(given.size()) != count) {
      throw Error(fmt::format("{}: there are {} names; the model has {} {}s", path, given.size(), count, what));
    }
    return Names(what, std::move(given), count);
  };
  saved.rows = names("row", "row_ids.txt", saved.model.rows());
  saved.columns = names("column", "column_ids.txt", saved.model.columns());
  if (std::filesystem::exists(path_in(folder, kEntriesFile))) {
    const Reader entries(path_in(folder, kEntriesFile));
    saved.fitted = read_entries(entries, "", saved.model);
    if (entries.contains("validation_starts")) saved.validated = read_entries(entries, "validation_", saved.model);
  }
  return saved;
}

}  // namespace factorize
