#pragma once

#include <factorize/model/model.h>
#include <factorize/model/share.h>
#include <wengert/autograd/serialize/file.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace factorize {

/// The names of rows or of columns, by position; where a file gives none, they are numbers from 1.
class Names {
 public:
  Names() = default;
  /// what: "row" or "column", for errors; given: empty, or `count` names.
  Names(std::string what, std::vector<std::string> given, int64_t count);
  Names(Names&&) = default;
  Names& operator=(Names&&) = default;

  const std::string& what() const { return what_; }
  int64_t size() const { return count_; }
  bool are_given() const { return !given_.empty(); }
  std::string operator[](int64_t position) const;
  std::vector<std::string> all() const;
  std::optional<int64_t> find(std::string_view name) const;
  /// Throws wengert::Error with the nearest names where it is not there.
  int64_t position_of(std::string_view name) const;
  /// The positions of the names of a file's rows or columns, -1 for those that are not there: Long (size).
  wengert::Tensor find_all(const std::vector<std::string>& names, int64_t size) const;

 private:
  std::string what_;
  std::vector<std::string> given_;
  int64_t count_ = 0;
  std::unordered_map<std::string_view, int64_t> positions_;  // refers to given_, whose texts stay where they are
};

/// A model with what its folder has beside it.
struct SavedModel {
  std::string folder;
  Model model;
  Names rows, columns;
  std::optional<EntryRows> fitted;     ///< what it was fitted to; none for whole matrices
  std::optional<EntryRows> validated;  ///< entries that told when to stop

  /// visit(column) for each entry of a row in either.
  template <class Visit>
  void for_each_seen(int64_t row, const Visit& visit) const {
    for (const auto* seen : {&fitted, &validated}) {
      if (!*seen) continue;
      for (const int64_t column : (*seen)->columns_of(row)) visit(column);
    }
  }
};

/// Writes a file of the first process, whose content the others help to make; or their pieces, one after another.
void write_together(const Processes& processes, const std::string& path,
                    const std::function<void(const wengert::serialize::Sink&)>& content);
void write_together(const Processes& processes, const std::string& path, const std::string& piece);

/// A line for each name.
void write_names(const std::string& path, const std::vector<std::string>& names);

/// Writes factors.safetensors, the tensors beside it as .npy, the ids and, where there are any, the entries of a share
/// and its validation into a folder that is there. write_beside (may be empty) is called for what else belongs to the
/// model, after the large files and before the last, with which the folder is this model's. Of several processes the
/// first writes: it has the model, and gets the ids, of which each has some, and the entries piece by piece. Throws
/// wengert::Error.
void save_model(const std::string& folder, const Model& model, const std::vector<std::string>& row_ids,
                const std::vector<std::string>& column_ids, const Share* share,
                const std::function<void()>& write_beside = {}, const Processes& processes = Processes::alone());

/// Throws wengert::Error where the folder holds no model that save_model() has written, or a damaged one.
SavedModel load_model(const std::string& folder);

}  // namespace factorize
