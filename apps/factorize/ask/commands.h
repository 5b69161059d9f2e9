#pragma once

#include <factorize/terminal/command_line.h>

// The commands that ask a model that was fitted. Each adds itself to the program, with its options; when it is on the
// line, `action` becomes what it does.

namespace factorize {

void add_predict(CLI::App& app, Action& action);
void add_recommend(CLI::App& app, Action& action);
void add_similar(CLI::App& app, Action& action);
void add_fold_in(CLI::App& app, Action& action);
void add_complete(CLI::App& app, Action& action);
void add_inspect(CLI::App& app, Action& action);
void add_compare(CLI::App& app, Action& action);
void add_evaluate(CLI::App& app, Action& action);
void add_export(CLI::App& app, Action& action);

}  // namespace factorize
