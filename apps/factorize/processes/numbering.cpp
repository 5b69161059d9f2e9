#include <factorize/processes/numbering.h>
#include <wengert/autograd/base/error.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace factorize {
namespace {

using Texts = std::vector<std::string>;
using Positions = std::vector<int32_t>;

int64_t number_in(std::string_view text) {
  int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// Names are lines of files, and have no ends of lines in them.
std::vector<std::string_view> names_in(std::string_view lines) {
  std::vector<std::string_view> names;
  while (!lines.empty()) {
    const size_t end = lines.find('\n');
    names.push_back(lines.substr(0, end));
    lines.remove_prefix(end + 1);
  }
  return names;
}

// The same everywhere (FNV-1a: Fowler, Noll and Vo).
uint64_t hash_of(std::string_view text) {
  uint64_t hash = 14695981039346656037ULL;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  return hash;
}

void check_count(int64_t count) {
  if (count > INT32_MAX) throw wengert::Error("there are more than 2^31 - 1 ids");
}

std::vector<Positions> decoded(const Texts& from_each) {
  std::vector<Positions> of_each(from_each.size());
  for (size_t p = 0; p < of_each.size(); ++p) add_values(of_each[p], from_each[p]);
  return of_each;
}

// Numbers are together in ranges of values, which are in ascending order, too.
std::vector<Positions> positions_of_numbers(const Processes& processes, const Texts& asked, NamesOfAll& all) {
  std::map<int64_t, int32_t> positions;
  for (const std::string& lines : asked) {
    for (const std::string_view name : names_in(lines)) positions.emplace(number_in(name), 0);
  }
  all.begin = processes.sum_before(static_cast<int64_t>(positions.size()));
  all.count = processes.sum(static_cast<int64_t>(positions.size()));
  check_count(all.count);
  auto next = static_cast<int32_t>(all.begin);
  for (auto& [number, position] : positions) {
    position = next++;
    all.own.push_back(std::to_string(number));
  }
  std::vector<Positions> answers(asked.size());
  for (size_t p = 0; p < asked.size(); ++p) {
    for (const std::string_view name : names_in(asked[p])) answers[p].push_back(positions[number_in(name)]);
  }
  return answers;
}

// Whoever was the first to have a name numbers it, as it came, and keeps it.
// keepers: of the names.
std::vector<Positions> positions_of_texts(const Processes& processes, const Texts& asked, const Texts& names,
                                          const std::vector<size_t>& keepers, NamesOfAll& all) {
  struct Known {
    size_t first;
    int32_t position;
  };
  std::unordered_map<std::string_view, Known> known;
  std::vector<Positions> is_first(asked.size());
  for (size_t p = 0; p < asked.size(); ++p) {
    for (const std::string_view name : names_in(asked[p])) {
      is_first[p].push_back(known.emplace(name, Known{p, 0}).second ? 1 : 0);
    }
  }
  const std::vector<Positions> told = decoded(processes.exchange(bytes_of_each(is_first)));
  std::vector<size_t> at(asked.size());
  std::vector<Positions> numbered(asked.size());  // from 0 on
  for (size_t i = 0; i < names.size(); ++i) {
    if (told[keepers[i]][at[keepers[i]]++] == 0) continue;
    numbered[keepers[i]].push_back(static_cast<int32_t>(all.own.size()));
    all.own.push_back(names[i]);
  }
  all.begin = processes.sum_before(static_cast<int64_t>(all.own.size()));
  all.count = processes.sum(static_cast<int64_t>(all.own.size()));
  check_count(all.count);
  for (Positions& positions : numbered) {
    for (int32_t& position : positions) position += static_cast<int32_t>(all.begin);
  }
  const std::vector<Positions> of_firsts = decoded(processes.exchange(bytes_of_each(numbered)));
  std::vector<Positions> answers(asked.size());
  for (size_t p = 0; p < asked.size(); ++p) {
    size_t next = 0;
    for (const std::string_view name : names_in(asked[p])) {
      Known& found = known.at(name);
      if (found.first == p) found.position = of_firsts[p][next++];
    }
  }
  for (size_t p = 0; p < asked.size(); ++p) {
    for (const std::string_view name : names_in(asked[p])) answers[p].push_back(known.at(name).position);
  }
  return answers;
}

}  // namespace

std::vector<int32_t> number_names(const Processes& processes, const Texts& names, bool are_numbers, NamesOfAll& all) {
  const auto count = static_cast<uint64_t>(processes.count());
  are_numbers = !processes.any(!are_numbers);
  double largest = 0;
  if (are_numbers) {
    for (const std::string& name : names) largest = std::max(largest, static_cast<double>(number_in(name)));
    largest = processes.most(largest);
  }
  const auto width = static_cast<uint64_t>(largest) / count + 1;
  std::vector<size_t> keepers;
  keepers.reserve(names.size());
  Texts sent(count);
  for (const std::string& name : names) {
    keepers.push_back(are_numbers ? static_cast<uint64_t>(number_in(name)) / width : hash_of(name) % count);
    sent[keepers.back()] += name + '\n';
  }
  const Texts asked = processes.exchange(std::exchange(sent, {}));
  const std::vector<Positions> answers = decoded(
      processes.exchange(bytes_of_each(are_numbers ? positions_of_numbers(processes, asked, all)
                                                   : positions_of_texts(processes, asked, names, keepers, all))));
  std::vector<size_t> at(count);
  Positions positions;
  positions.reserve(names.size());
  for (const size_t keeper : keepers) positions.push_back(answers[keeper][at[keeper]++]);
  return positions;
}

std::vector<std::string> NamesOfAll::at(const Processes& processes, const Positions& positions) const {
  if (count == 0) {
    Texts numbers;
    numbers.reserve(positions.size());
    for (const int32_t position : positions) numbers.push_back(std::to_string(position + 1));
    return numbers;
  }
  const std::vector<int64_t> begins = processes.of_each(begin);
  const auto keeper_of = [&](int32_t position) {
    return static_cast<size_t>(std::upper_bound(begins.begin(), begins.end(), position) - begins.begin() - 1);
  };
  std::vector<Positions> wanted(begins.size());
  for (const int32_t position : positions) wanted[keeper_of(position)].push_back(position);
  Texts answers(begins.size());
  const std::vector<Positions> asked = decoded(processes.exchange(bytes_of_each(wanted)));
  for (size_t p = 0; p < asked.size(); ++p) {
    for (const int32_t position : asked[p]) answers[p] += own[static_cast<size_t>(position - begin)] + '\n';
  }
  const Texts told = processes.exchange(answers);
  std::vector<std::vector<std::string_view>> names;
  names.reserve(told.size());
  for (const std::string& lines : told) names.push_back(names_in(lines));
  std::vector<size_t> next(begins.size());
  Texts found;
  found.reserve(positions.size());
  for (const int32_t position : positions) {
    const size_t keeper = keeper_of(position);
    found.emplace_back(names[keeper][next[keeper]++]);
  }
  return found;
}

}  // namespace factorize
