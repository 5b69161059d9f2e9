#include <wengert/autograd/base/check.h>
#include <wengert/autograd/base/grad_mode.h>
#include <wengert/autograd/serialize/archive.h>
#include <wengert/autograd/tensor/factories.h>

#include <algorithm>
#include <charconv>
#include <ostream>
#include <set>

namespace wengert::serialize {
namespace {

constexpr const char* kRequiresGrad = ".requires_grad";
constexpr const char* kNone = "none";
// Parts of a sparse tensor; its layout is one of two words.
constexpr const char* kIndices = ".indices";
constexpr const char* kValues = ".values";
constexpr const char* kSize = ".size";
constexpr const char* kLayout = ".layout";
constexpr const char* kSparse = "sparse";
constexpr const char* kCoalesced = "sparse, coalesced";

template <class T>
bool parse_number(const std::string& text, T& value) {
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  return error == std::errc() && rest == end;
}

void put(Tensor read, Tensor& tensor) {
  if (tensor.defined() && !tensor.is_sparse()) {
    tensor.set_data(read);
  } else {
    tensor = std::move(read);
  }
}

}  // namespace

void OutputArchive::write(const std::string& key, const Tensor& tensor) {
  check(tensor.defined(), "save: tensor \"{}\" is undefined", key);
  if (tensor.is_sparse()) {
    write(key + kIndices, tensor._indices());
    write(key + kValues, tensor._values());
    write(key + kSize, wengert::tensor(tensor.sizes()));
    write(key + kLayout, tensor.is_coalesced() ? kCoalesced : kSparse);
  } else {
    tensors_[key] = tensor.detach();
  }
  if (tensor.requires_grad()) write(key + kRequiresGrad, true);
}

void OutputArchive::write(const std::string& key, bool value) { texts_[key] = value ? "true" : "false"; }
void OutputArchive::write(const std::string& key, int64_t value) { texts_[key] = std::to_string(value); }
void OutputArchive::write(const std::string& key, double value) { texts_[key] = fmt::format("{}", value); }
void OutputArchive::write(const std::string& key, const std::string& value) { texts_[key] = value; }

void OutputArchive::write(const std::string& key, std::nullopt_t) { texts_[key] = kNone; }

void OutputArchive::write(const std::string& key, const OutputArchive& nested) {
  for (const auto& [name, tensor] : nested.tensors_) tensors_[fmt::format("{}.{}", key, name)] = tensor;
  for (const auto& [name, text] : nested.texts_) texts_[fmt::format("{}.{}", key, name)] = text;
}

void OutputArchive::write(const std::string& key, const Generator& generator) {
  const Generator::State state = generator.state();
  write(key + ".words", tensor(ArrayRef<int64_t>(state.words)));
  if (state.spare_normal) write(key + ".spare_normal", *state.spare_normal);
}

void OutputArchive::save_to(const std::string& path) const {
  write_file(path, [this](const Sink& write) { write_safetensors(write, tensors_, texts_); });
}

void OutputArchive::save_to(std::ostream& stream) const {
  write_safetensors(
      [&stream](const void* data, size_t count) {
        stream.write(static_cast<const char*>(data), static_cast<std::streamsize>(count));
      },
      tensors_, texts_);
  check(bool(stream), "save: the stream does not take what is written");
}

struct InputArchive::File {
  Input input;
  Safetensors content;
};

void InputArchive::load_from(Input input) {
  Safetensors content = read_safetensors(input);
  file_ = std::make_shared<const File>(File{std::move(input), std::move(content)});
  prefix_.clear();
}

const InputArchive::File& InputArchive::file() const {
  check(file_ != nullptr, "load: nothing was loaded into the archive");
  return *file_;
}

void InputArchive::fail(std::string_view what) const { file().input.fail(what); }

const Safetensors::Entry& InputArchive::entry(const std::string& key) const {
  const auto found = file().content.tensors.find(prefix_ + key);
  if (found == file().content.tensors.end()) fail(fmt::format("it has no tensor \"{}\"", prefix_ + key));
  return found->second;
}

const std::string& InputArchive::text(const std::string& key) const {
  const auto found = file().content.metadata.find(prefix_ + key);
  if (found == file().content.metadata.end()) fail(fmt::format("it has no value \"{}\"", prefix_ + key));
  return found->second;
}

bool InputArchive::is_sparse(const std::string& key) const {
  const auto layout = file().content.metadata.find(prefix_ + key + kLayout);
  return layout != file().content.metadata.end() && (layout->second == kSparse || layout->second == kCoalesced);
}

Tensor InputArchive::read_sparse(const std::string& key) const {
  Tensor indices, values, size;
  read(key + kIndices, indices);
  read(key + kValues, values);
  read(key + kSize, size);
  try {
    const Tensor read =
        sparse_coo_tensor(indices, values, {size.data_ptr<int64_t>(), static_cast<size_t>(size.numel())});
    return text(key + kLayout) == kCoalesced ? read.coalesce() : read;
  } catch (const Error& error) {
    fail(fmt::format("tensor \"{}\": {}", prefix_ + key, error.what()));
  }
}

Tensor InputArchive::read_for(const std::string& key, const Tensor& tensor) const {
  const bool sparse = is_sparse(key);
  const Safetensors::Entry& found = entry(sparse ? key + kValues : key);
  if (tensor.defined() && (tensor.dtype() != found.type->dtype || tensor.is_sparse() != sparse)) {
    const auto name = [](bool is_sparse) { return is_sparse ? "sparse" : "dense"; };
    fail(fmt::format("tensor \"{}\" is {} and of dtype {}; it is to be read into a {} one of dtype {}", prefix_ + key,
                     name(sparse), found.type->dtype, name(tensor.is_sparse()), tensor.dtype()));
  }
  const NoGradGuard no_grad;
  Tensor read = sparse ? read_sparse(key) : read_elements(file().input, found.offset, found.shape, *found.type);
  bool requires_grad = false;
  try_read(key + kRequiresGrad, requires_grad);
  return read.requires_grad_(requires_grad);
}

void InputArchive::read(const std::string& key, Tensor& tensor) const { put(read_for(key, tensor), tensor); }

void InputArchive::read_all(std::map<std::string, Tensor>& tensors) const {
  std::map<std::string, Tensor> all;
  const auto read_one = [&](const std::string& key) {
    const auto present = tensors.find(key);
    all[key] = read_for(key, present == tensors.end() ? Tensor() : present->second);
  };
  for (const auto& [name, entry] : file().content.tensors) {
    if (!name.starts_with(prefix_)) continue;
    const std::string key = name.substr(prefix_.size()), whole = key.substr(0, key.rfind('.'));
    if (!is_sparse(whole)) {
      read_one(key);
    } else if (key == whole + kValues) {
      read_one(whole);
    }
  }
  for (auto& [key, tensor] : all) put(std::move(tensor), tensors[key]);
}

void InputArchive::read(const std::string& key, bool& value) const {
  const std::string& found = text(key);
  if (found != "true" && found != "false") fail(fmt::format("\"{}\" is \"{}\", no bool", prefix_ + key, found));
  value = found == "true";
}

void InputArchive::read(const std::string& key, int64_t& value) const {
  const std::string& found = text(key);
  if (!parse_number(found, value)) fail(fmt::format("\"{}\" is \"{}\", no whole number", prefix_ + key, found));
}

void InputArchive::read(const std::string& key, double& value) const {
  const std::string& found = text(key);
  if (!parse_number(found, value)) fail(fmt::format("\"{}\" is \"{}\", no number", prefix_ + key, found));
}

void InputArchive::read(const std::string& key, std::string& value) const { value = text(key); }

void InputArchive::read(const std::string& key, InputArchive& nested) const {
  if (!contains(key)) fail(fmt::format("it has nothing under \"{}\"", prefix_ + key));
  nested.file_ = file_;
  nested.prefix_ = prefix_ + key + ".";
}

void InputArchive::read(const std::string& key, Generator& generator) const {
  Tensor words;
  read(key + ".words", words);
  Generator::State state{};
  const bool fits = words.dtype() == kLong && words.numel() == static_cast<int64_t>(state.words.size());
  if (fits) std::copy_n(words.data_ptr<int64_t>(), state.words.size(), state.words.begin());
  double spare = 0;
  if (try_read(key + ".spare_normal", spare)) state.spare_normal = spare;
  if (!fits || !generator.set_state(state)) fail(fmt::format("\"{}\" is no state of a generator", prefix_ + key));
}

bool InputArchive::is_none(const std::string& key) const {
  const auto found = file().content.metadata.find(prefix_ + key);
  return found != file().content.metadata.end() && found->second == kNone;
}

bool InputArchive::contains(const std::string& key) const {
  const std::string whole = prefix_ + key;
  const auto holds = [&](const auto& values) {
    const auto below = values.lower_bound(whole + ".");
    return values.count(whole) != 0 || (below != values.end() && below->first.starts_with(whole + "."));
  };
  return holds(file().content.tensors) || holds(file().content.metadata);
}

std::vector<std::string> InputArchive::keys() const {
  std::set<std::string> names;
  const auto add = [&](const auto& values) {
    for (auto at = values.lower_bound(prefix_); at != values.end() && at->first.starts_with(prefix_); ++at) {
      const std::string_view name = std::string_view(at->first).substr(prefix_.size());
      names.emplace(name.substr(0, name.find('.')));
    }
  };
  add(file().content.tensors);
  add(file().content.metadata);
  return {names.begin(), names.end()};
}

// --- Fields ------------------------------------------------------------------------------------------

namespace {

template <class T>
constexpr bool is_optional = false;
template <class T>
constexpr bool is_optional<std::optional<T>> = true;
template <class T>
constexpr bool is_deque = false;
template <class T>
constexpr bool is_deque<std::deque<T>> = true;

}  // namespace

// An undefined tensor is written as an optional without a value is.
template <class T>
void Fields::write(std::string_view name, const T& value) {
  if constexpr (is_optional<T>) {
    value ? write(name, *value) : out_->write(full(name), std::nullopt);
  } else if constexpr (is_deque<T>) {
    write(fmt::format("{}.size", name), static_cast<int64_t>(value.size()));
    for (size_t i = 0; i < value.size(); ++i) write(fmt::format("{}.{}", name, i), value[i]);
  } else if constexpr (std::is_same_v<T, std::tuple<double, double>>) {
    write(fmt::format("{}.0", name), std::get<0>(value));
    write(fmt::format("{}.1", name), std::get<1>(value));
  } else if constexpr (std::is_same_v<T, Tensor>) {
    value.defined() ? out_->write(full(name), value) : out_->write(full(name), std::nullopt);
  } else {
    out_->write(full(name), value);
  }
}

template <class T>
void Fields::read(std::string_view name, T& value) {
  if constexpr (is_optional<T>) {
    value.reset();
    if (!in_->is_none(full(name))) read(name, value.emplace());
  } else if constexpr (is_deque<T>) {
    int64_t size = 0;
    read(fmt::format("{}.size", name), size);
    value.clear();
    for (int64_t i = 0; i < size; ++i) {
      const std::string element = fmt::format("{}.{}", name, i);
      if (!in_->contains(full(element))) in_->fail(fmt::format("it has no \"{}\"", full(element)));
      read(element, value.emplace_back());
    }
  } else if constexpr (std::is_same_v<T, std::tuple<double, double>>) {
    read(fmt::format("{}.0", name), std::get<0>(value));
    read(fmt::format("{}.1", name), std::get<1>(value));
  } else if constexpr (std::is_same_v<T, Tensor>) {
    value = Tensor();
    if (in_->is_none(full(name))) return;
    in_->read(full(name), value);
    if (!expected_) return;
    if (value.is_sparse() && !sparse_too_) in_->fail(fmt::format("\"{}\" is sparse", full(name)));
    const auto& [sizes, dtype] = *expected_;
    if (value.sizes() != IntArrayRef(sizes) || value.dtype() != dtype) {
      in_->fail(fmt::format("\"{}\" is of shape {} and dtype {}; expected {} and {}", full(name), value.sizes(),
                            value.dtype(), IntArrayRef(sizes), dtype));
    }
  } else {
    in_->read(full(name), value);
  }
}

template <class T>
Fields& Fields::operator()(std::string_view name, T& member) {
  if (visit_) {
    if constexpr (std::is_same_v<T, Tensor>) visit_(member);
    if constexpr (std::is_same_v<T, std::deque<Tensor>>) std::for_each(member.begin(), member.end(), visit_);
  } else if (out_ != nullptr) {
    write(name, member);
  } else if (rehearses_) {
    T copy = member;
    read(name, copy);
  } else {
    read(name, member);
  }
  return *this;
}

template Fields& Fields::operator()(std::string_view, bool&);
template Fields& Fields::operator()(std::string_view, int64_t&);
template Fields& Fields::operator()(std::string_view, double&);
template Fields& Fields::operator()(std::string_view, std::string&);
template Fields& Fields::operator()(std::string_view, Tensor&);
template Fields& Fields::operator()(std::string_view, std::optional<bool>&);
template Fields& Fields::operator()(std::string_view, std::optional<int64_t>&);
template Fields& Fields::operator()(std::string_view, std::optional<double>&);
template Fields& Fields::operator()(std::string_view, std::optional<std::string>&);
template Fields& Fields::operator()(std::string_view, std::tuple<double, double>&);
template Fields& Fields::operator()(std::string_view, std::deque<double>&);
template Fields& Fields::operator()(std::string_view, std::deque<Tensor>&);

Fields& Fields::dense_or_sparse(std::string_view name, Tensor& member) {
  sparse_too_ = true;
  (*this)(name, member);
  sparse_too_ = false;
  return *this;
}

}  // namespace wengert::serialize
