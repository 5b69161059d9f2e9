#pragma once

namespace wengert {

/// The number of threads that operations may use; at first that of the processors that the process may use, or
/// OMP_NUM_THREADS.
int get_num_threads();
/// Throws wengert::Error unless `threads` is positive. Results do not depend on it.
void set_num_threads(int threads);

namespace kernels {

/// How many processors this process may use: the machine's, unless it is bound to some (taskset, mpirun, containers).
int processors();

}  // namespace kernels
}  // namespace wengert
