#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace factorize {

/// Numbers the names of rows or columns as they are read: whole numbers in ascending order, other names as they come.
class Ids {
 public:
  static constexpr int32_t kMostNumber = (1 << 30) - 1;

  /// The names of one piece of a file. They are numbers, from 0 to kMostNumber and written without a sign or leading
  /// zeros, until one is not.
  struct Piece {
    std::vector<int32_t> numbers;
    std::vector<std::string_view> texts;  ///< all of the piece's, once one of them is no number
    bool are_numbers = true;

    void add(std::string_view text);
    void add_number(int32_t number) { are_numbers ? numbers.push_back(number) : add_written(number); }
    size_t size() const { return are_numbers ? numbers.size() : texts.size(); }

   private:
    std::vector<std::unique_ptr<std::string>> written_;  // what texts refer to that is in no file
    void become_texts();
    void add_written(int32_t number);
  };

  /// Adds the piece's names to `entries`, as keys that finish() makes positions of. All vectors that were added to are
  /// to be finished.
  void append(const Piece& piece, std::vector<int32_t>& entries);
  /// entries: every vector that names were added to.
  void finish(const std::vector<std::vector<int32_t>*>& entries);

  int64_t size() const { return static_cast<int64_t>(names_.size()); }
  /// Whether all names are such as Piece::numbers holds.
  bool are_numbers() const { return are_numbers_; }
  /// By position.
  const std::vector<std::string>& names() const { return names_; }

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  int32_t position_of(std::string_view name);
  void finish_sparse(const std::vector<std::vector<int32_t>*>& entries);

  bool are_numbers_ = true;
  std::vector<std::vector<int32_t>*> numbered_;  // entries that hold numbers so far
  std::vector<std::string> names_;
  std::unordered_map<std::string, int32_t, Hash, std::equal_to<>> positions_;
};

}  // namespace factorize
