#include <wengert/ops/kernels/elementwise.h>
#include <wengert/ops/kernels/parallel.h>

namespace wengert::kernels {

template <size_t N>
void for_each_run(const StridedLoop<N>& loop, Run run) {
  parallel_ranges(loop.numel(), [&](int64_t begin, int64_t end) { loop.run(begin, end, run); });
}

template void for_each_run<1>(const StridedLoop<1>&, Run);
template void for_each_run<2>(const StridedLoop<2>&, Run);
template void for_each_run<3>(const StridedLoop<3>&, Run);
template void for_each_run<4>(const StridedLoop<4>&, Run);
template void for_each_run<5>(const StridedLoop<5>&, Run);

}  // namespace wengert::kernels
