#pragma once

#include <factorize/processes/processes.h>

#include <cstdlib>

namespace factorize {

/// How many processes mpirun started together, as it tells them; 1 where it did not.
inline int number_started() {
  // Open MPI's own, and what most others have.
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE"}) {
    if (const char* value = std::getenv(name)) return std::atoi(value);
  }
  return 1;
}

}  // namespace factorize
