#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace factorize {

/// The program's manual page, in troff's language, from what --help says.
std::string manual_page(const CLI::App& app, const std::string& version);

enum class Shell { kBash, kZsh, kFish };
/// What a shell reads to complete the program's commands and options.
std::string completion(const CLI::App& app, Shell shell);

}  // namespace factorize
