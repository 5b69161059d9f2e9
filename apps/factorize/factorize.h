#pragma once

namespace factorize {

/// The program. Returns its exit status: 0 when all went well, 2 for wrong usage, 130 when interrupted, else 1.
int run(int argc, char** argv);

}  // namespace factorize
