#pragma once

#include <factorize/input/data.h>
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

// What several commands have on their lines.

namespace factorize {

constexpr int kFailure = 1;
constexpr int kWrongUsage = 2;
constexpr int kInterrupted = 130;  // 128 + SIGINT, as shells have it

/// What a command does once its line is parsed; returns the exit status.
using Action = std::function<int()>;

template <class T>
struct ValueOfOptional {
  using type = T;
};
template <class T>
struct ValueOfOptional<std::optional<T>> {
  using type = T;
};
template <class T>
using ValueOf = typename ValueOfOptional<T>::type;

/// An option whose value is one of a few words. It is stored in `target`, an enumeration or an optional one.
template <class Target>
void add_choice(CLI::App& app, const std::string& name, Target& target,
                const std::vector<std::pair<std::string, ValueOf<Target>>>& choices, const std::string& description) {
  std::string words;
  for (const auto& [word, value] : choices) words += fmt::format("{}{}", words.empty() ? "" : "|", word);
  const auto take = [&target, name, choices, words](const std::string& word) {
    const auto is_it = [lower = CLI::detail::to_lower(word)](const auto& choice) { return choice.first == lower; };
    const auto found = std::find_if(choices.begin(), choices.end(), is_it);
    if (found == choices.end()) throw CLI::ValidationError(name, fmt::format("{} is none of {}", word, words));
    target = found->second;
  };
  app.add_option_function<std::string>(name, take, description)->option_text(words);
}

/// A file that is read, and how.
struct FileArguments {
  std::string file;
  ReadOptions read;
  Duplicates duplicates = Duplicates::kMean;
};
void add_file_options(CLI::App& app, FileArguments& arguments, const std::string& what);

/// threads: 0 for as many as there are processors.
void add_threads_option(CLI::App& app, int& threads);
void use_threads(int threads);

/// Reads it, with a line on a terminal on how far that is.
Data read_shown(const FileArguments& arguments, bool show_progress);

}  // namespace factorize
