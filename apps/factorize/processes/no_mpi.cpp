#include <factorize/processes/started.h>
#include <wengert/autograd/base/error.h>

namespace factorize {

Processes& Processes::world() {
  if (number_started() > 1) {
    throw wengert::Error(
        "this factorize was built without MPI, and can't work with others: build it with "
        "-DWENGERT_MPI=ON");
  }
  static Processes alone;
  return alone;
}

}  // namespace factorize
