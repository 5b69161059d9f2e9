#pragma once

namespace wengert {

/// The number of threads that operations may use; at first the number of processors (or OMP_NUM_THREADS).
int get_num_threads();
/// Throws wengert::Error unless `threads` is positive. Results do not depend on it.
void set_num_threads(int threads);

}  // namespace wengert
