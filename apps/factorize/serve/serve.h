#pragma once

#include <factorize/terminal/command_line.h>

namespace factorize {

/// The command that answers over HTTP, on loopback alone: see Answers. It reads the model anew on SIGHUP, and when the
/// folder has another; whoever asks meanwhile is answered by the one that is there. SIGINT and SIGTERM end it.
void add_serve(CLI::App& app, Action& action);

}  // namespace factorize
