#pragma once

#include <factorize/terminal/command_line.h>

namespace factorize {

/// The command that fits a model. command: the whole line, for the report. `action` becomes what it does when it is on
/// the line.
void add_fit(CLI::App& app, Action& action, const std::string& command);

}  // namespace factorize
