#pragma once

#include <wengert/autograd/base/generator.h>
#include <wengert/autograd/serialize/safetensors.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <iosfwd>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace wengert::serialize {

// Archives hold values by name: tensors, numbers, texts, and other archives, whose names are put behind theirs and a
// dot. In the file, which is in the format safetensors, numbers and texts are in __metadata__; numbers are written so
// that the same bits are read. A sparse tensor's parts stand under its name: "x.indices", "x.values" and "x.size".

/// What is to be written. It shares the tensors that it is given; their elements are read when it is saved.
class OutputArchive {
 public:
  void write(const std::string& key, const Tensor& tensor);
  void write(const std::string& key, bool value);
  void write(const std::string& key, int64_t value);
  void write(const std::string& key, int value) { write(key, int64_t{value}); }
  void write(const std::string& key, double value);
  void write(const std::string& key, const std::string& value);
  void write(const std::string& key, const char* value) { write(key, std::string(value)); }
  void write(const std::string& key, std::nullopt_t none);
  void write(const std::string& key, const OutputArchive& nested);
  void write(const std::string& key, const Generator& generator);
  /// What has a member save(OutputArchive&): an optimizer, a scheduler.
  template <class T>
  requires requires(const T& value, OutputArchive& archive) { value.save(archive); }
  void write(const std::string& key, const T& value) {
    OutputArchive nested;
    value.save(nested);
    write(key, nested);
  }

  /// Replaces the file whole or not at all. Throws wengert::Error, "PATH: what is wrong".
  void save_to(const std::string& path) const;
  void save_to(std::ostream& stream) const;

 private:
  std::map<std::string, Tensor> tensors_;
  std::map<std::string, std::string> texts_;
};

/// What was read: the names at once, a tensor's elements when it is asked for.
class InputArchive {
 public:
  /// Throws wengert::Error for what is no such file, or is damaged.
  void load_from(const std::string& path) { load_from(Input::file(path)); }
  void load_from(std::istream& stream) { load_from(Input::stream(stream)); }
  void load_from(Input input);

  // Into `value`; a tensor that is defined keeps its identity and takes the data alone, as by set_data(). Throw where
  // there is no such name, or the value is of another kind.
  void read(const std::string& key, Tensor& tensor) const;
  void read(const std::string& key, bool& value) const;
  void read(const std::string& key, int64_t& value) const;
  void read(const std::string& key, double& value) const;
  void read(const std::string& key, std::string& value) const;
  void read(const std::string& key, InputArchive& nested) const;
  void read(const std::string& key, Generator& generator) const;
  /// What has a member load(InputArchive&).
  template <class T>
  requires requires(T& value, const InputArchive& archive) { value.load(archive); }
  void read(const std::string& key, T& value) const {
    InputArchive nested;
    read(key, nested);
    value.load(nested);
  }
  /// Every tensor that there is, by its whole name: all, or where one can't be read none.
  void read_all(std::map<std::string, Tensor>& tensors) const;
  /// As read(), but false where there is no such name.
  template <class T>
  bool try_read(const std::string& key, T& value) const {
    if (!contains(key)) return false;
    read(key, value);
    return true;
  }

  /// Whether nullopt was written.
  bool is_none(const std::string& key) const;
  /// Whether there is a value of this name, or one in an archive of this name.
  bool contains(const std::string& key) const;
  /// The names, without what comes behind a dot, each once.
  std::vector<std::string> keys() const;
  /// Throws wengert::Error for the file.
  [[noreturn]] void fail(std::string_view what) const;

 private:
  struct File;
  // Throws where nothing was loaded.
  const File& file() const;
  // A new tensor, to be put into this one.
  Tensor read_for(const std::string& key, const Tensor& tensor) const;
  Tensor read_sparse(const std::string& key) const;
  bool is_sparse(const std::string& key) const;
  const Safetensors::Entry& entry(const std::string& key) const;
  const std::string& text(const std::string& key) const;

  std::shared_ptr<const File> file_;
  std::string prefix_;
};

/// Names an object's members, so that one function both saves and loads them:
///
///     void fields(serialize::Fields& fields) override { fields("lr", lr_)("betas", betas_); }
class Fields {
 public:
  explicit Fields(OutputArchive& archive) : out_(&archive) {}
  /// Only a rehearsal: everything is read as it would be, and thrown for, but nothing is changed.
  static Fields rehearsing(const InputArchive& archive) { return Fields(&archive, true); }
  static Fields reading(const InputArchive& archive) { return Fields(&archive, false); }
  /// Nothing is saved or loaded: visit(tensor) is called for each member that is a tensor, and may change it.
  static Fields visiting(std::function<void(Tensor&)> visit) { return Fields(std::move(visit)); }
  /// Tensors that are read must have this shape and dtype, and be dense.
  void expect(std::vector<int64_t> sizes, ScalarType dtype) { expected_.emplace(std::move(sizes), dtype); }
  /// A tensor that may be sparse, too.
  Fields& dense_or_sparse(std::string_view name, Tensor& member);
  /// T: bool, int64_t, double, std::string, Tensor; an optional of the first four, a pair (tuple) of double; a deque of
  /// double or Tensor.
  template <class T>
  Fields& operator()(std::string_view name, T& member);
  /// The members of an object that has a function fields().
  template <class T>
  Fields& of(std::string_view name, T& object) {
    const std::string outer = std::exchange(prefix_, prefix_ + std::string(name) + ".");
    object.fields(*this);
    prefix_ = outer;
    return *this;
  }

 private:
  Fields(const InputArchive* archive, bool rehearses) : in_(archive), rehearses_(rehearses) {}
  explicit Fields(std::function<void(Tensor&)> visit) : visit_(std::move(visit)) {}

  std::string full(std::string_view name) const { return prefix_ + std::string(name); }
  template <class T>
  void write(std::string_view name, const T& value);
  template <class T>
  void read(std::string_view name, T& value);

  OutputArchive* out_ = nullptr;
  const InputArchive* in_ = nullptr;
  std::function<void(Tensor&)> visit_;  // empty: to save or to load
  bool rehearses_ = false, sparse_too_ = false;
  std::string prefix_;
  std::optional<std::pair<std::vector<int64_t>, ScalarType>> expected_;
};

/// Writes the members of an object that has a function fields().
template <class T>
void save_fields(OutputArchive& archive, const T& object) {
  Fields fields(archive);
  const_cast<T&>(object).fields(fields);  // which reads the members alone then
}

/// Reads the members of an object that has a function fields(): all of them, or where one is wrong none.
template <class T>
void load_fields(const InputArchive& archive, T& object) {
  Fields rehearsal = Fields::rehearsing(archive), fields = Fields::reading(archive);
  object.fields(rehearsal);
  object.fields(fields);
}

}  // namespace wengert::serialize
