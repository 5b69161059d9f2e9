#include <factorize/input/ids.h>
#include <wengert/autograd/base/error.h>

#include <algorithm>
#include <charconv>

namespace factorize {
namespace {

// The number that is written so and not otherwise; -1 if there is none.
int32_t canonical_number(std::string_view text) {
  if (text.empty() || text.size() > 10 || (text[0] == '0' && text.size() > 1)) return -1;
  int64_t number = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return -1;
    number = number * 10 + (c - '0');
  }
  return number <= Ids::kMostNumber ? static_cast<int32_t>(number) : -1;
}

}  // namespace

void Ids::Piece::become_texts() {
  are_numbers = false;
  for (const int32_t number : numbers) add_written(number);
  numbers = {};
}

void Ids::Piece::add_written(int32_t number) {
  texts.emplace_back(*written_.emplace_back(std::make_unique<std::string>(std::to_string(number))));
}

void Ids::Piece::add(std::string_view text) {
  if (are_numbers) {
    if (const int32_t number = canonical_number(text); number >= 0) return numbers.push_back(number);
    become_texts();
  }
  texts.push_back(text);
}

int32_t Ids::position_of(std::string_view name) {
  if (const auto found = positions_.find(name); found != positions_.end()) return found->second;
  if (names_.size() >= static_cast<size_t>(INT32_MAX)) throw wengert::Error("there are more than 2^31 - 1 ids");
  const auto position = static_cast<int32_t>(names_.size());
  names_.emplace_back(name);
  positions_.emplace(names_.back(), position);
  return position;
}

void Ids::append(const Piece& piece, std::vector<int32_t>& entries) {
  if (are_numbers_ && !piece.are_numbers) {
    are_numbers_ = false;
    for (std::vector<int32_t>* numbers : numbered_) {
      for (int32_t& entry : *numbers) entry = position_of(std::to_string(entry));
    }
  }
  if (are_numbers_) {
    if (std::find(numbered_.begin(), numbered_.end(), &entries) == numbered_.end()) numbered_.push_back(&entries);
    entries.insert(entries.end(), piece.numbers.begin(), piece.numbers.end());
    return;
  }
  for (const int32_t number : piece.numbers) entries.push_back(position_of(std::to_string(number)));
  for (const std::string_view text : piece.texts) entries.push_back(position_of(text));
}

void Ids::finish(const std::vector<std::vector<int32_t>*>& entries) {
  positions_ = {};
  if (!are_numbers_) return;
  int32_t largest = -1;
  size_t total = 0;
  for (const auto* some : entries) {
    for (const int32_t number : *some) largest = std::max(largest, number);
    total += some->size();
  }
  if (static_cast<size_t>(largest) > 8 * total + (size_t{1} << 20)) return finish_sparse(entries);
  std::vector<int32_t> position(static_cast<size_t>(largest) + 1, -1);
  for (const auto* some : entries) {
    for (const int32_t number : *some) position[static_cast<size_t>(number)] = 0;
  }
  int32_t count = 0;
  for (size_t number = 0; number < position.size(); ++number) {
    if (position[number] < 0) continue;
    position[number] = count++;
    names_.push_back(std::to_string(number));
  }
  for (auto* some : entries) {
    for (int32_t& number : *some) number = position[static_cast<size_t>(number)];
  }
}

// Where a table of all numbers would be much larger than what was read.
void Ids::finish_sparse(const std::vector<std::vector<int32_t>*>& entries) {
  std::vector<int32_t> numbers;
  for (const auto* some : entries) numbers.insert(numbers.end(), some->begin(), some->end());
  std::sort(numbers.begin(), numbers.end());
  numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
  for (const int32_t number : numbers) names_.push_back(std::to_string(number));
  for (auto* some : entries) {
    for (int32_t& number : *some) {
      number = static_cast<int32_t>(std::lower_bound(numbers.begin(), numbers.end(), number) - numbers.begin());
    }
  }
}

}  // namespace factorize
