#include <wengert/autograd/base/tracing.h>
#include <wengert/ops/kernels/elementwise.h>
#include <wengert/ops/kernels/parallel.h>

#include <cstddef>
#include <vector>

namespace wengert::kernels {

namespace {

template <size_t N>
void do_runs(const StridedLoop<N>& loop, const std::array<Operand, N>& operands, Run run) {
  if (loop.is_one_run() && loop.numel() <= kParallelGrain) {
    if (loop.numel() == 0) return;
    std::array<char*, N> at;
    for (size_t i = 0; i < N; ++i) at[i] = static_cast<char*>(operands[i].data);
    run(at.data(), loop.numel());
    return;
  }
  const auto call = [&](const int64_t* offsets, int64_t count) {
    std::array<char*, N> at;
    for (size_t i = 0; i < N; ++i) at[i] = static_cast<char*>(operands[i].data) + offsets[i] * operands[i].element_size;
    run(at.data(), count);
  };
  parallel_ranges(loop.numel(), [&](int64_t begin, int64_t end) { loop.run(begin, end, call); });
}

template <size_t N>
[[gnu::noinline, gnu::cold]] void record(const StridedLoop<N>& loop, const std::array<Operand, N>& operands, Run run) {
  tracing::ElementwiseWork work{N, loop.numel(), loop.is_one_run(), {}, {}, run, {}};
  for (size_t i = 0; i < N; ++i) {
    const int64_t size = operands[i].element_size;
    work.steps[i] = loop.inner_stride(i) * size;
    work.operands[i] = {operands[i].data, static_cast<size_t>(loop.extent(i) * size), i == 0 || operands[i].written};
  }
  if (!loop.is_one_run()) {
    const auto* function = static_cast<const std::byte*>(run.object());
    work.whole = [loop, run, operands,
                  copy = std::vector<std::byte>(function, function + run.object_bytes())](char* const* at) {
      std::array<Operand, N> moved = operands;
      for (size_t i = 0; i < N; ++i) moved[i].data = at[i];
      do_runs(loop, moved, run.on_copy(copy.data()));
    };
  }
  tracing::listener->elementwise(work);
}

}  // namespace

template <size_t N>
void for_each_run(const StridedLoop<N>& loop, const std::array<Operand, N>& operands, Run run) {
  do_runs(loop, operands, run);
  if (tracing::listener != nullptr) [[unlikely]]
    record(loop, operands, run);
}

template <class T>
bool binary_in_rows(simd::Binary op, const StridedLoop<3>& loop, T* out, const T* a, const T* b) {
  const int64_t a_inner = loop.inner_stride(1), b_inner = loop.inner_stride(2);
  const bool rows_are_plain = loop.inner_stride(0) == 1 && (a_inner | b_inner | 1) == 1;
  const bool large = loop.numel() * int64_t{sizeof(T)} >= simd::kLargerThanCaches;
  if (!rows_are_plain || loop.dims() > 2 || (loop.is_one_run() && !large) || tracing::listener != nullptr) return false;
  if (loop.numel() == 0) return true;

  const bool streamed = large && out != a && out != b;
  const auto rows_from = [&](const std::array<int64_t, 3>& at, int64_t length, const simd::Rows& rows) {
    simd::kernels<T>().binary_rows(op, out + at[0], a + at[1], a_inner == 1, b + at[2], b_inner == 1, length, rows,
                                   streamed);
  };
  if (loop.is_one_run()) {
    parallel_ranges(loop.numel(), [&](int64_t begin, int64_t end) {
      rows_from({begin, begin * a_inner, begin * b_inner}, end - begin, {1, 0, 0, 0});
    });
  } else {
    const std::array<int64_t, 3>& step = loop.strides(1);
    const int64_t length = loop.inner_size();
    parallel_rows(loop.numel() / length, length, [&](int64_t begin, int64_t end) {
      rows_from({begin * step[0], begin * step[1], begin * step[2]}, length, {end - begin, step[0], step[1], step[2]});
    });
  }
  return true;
}

template bool binary_in_rows(simd::Binary, const StridedLoop<3>&, float*, const float*, const float*);
template bool binary_in_rows(simd::Binary, const StridedLoop<3>&, double*, const double*, const double*);

template void for_each_run<1>(const StridedLoop<1>&, const std::array<Operand, 1>&, Run);
template void for_each_run<2>(const StridedLoop<2>&, const std::array<Operand, 2>&, Run);
template void for_each_run<3>(const StridedLoop<3>&, const std::array<Operand, 3>&, Run);
template void for_each_run<4>(const StridedLoop<4>&, const std::array<Operand, 4>&, Run);
template void for_each_run<5>(const StridedLoop<5>&, const std::array<Operand, 5>&, Run);
template void for_each_run<6>(const StridedLoop<6>&, const std::array<Operand, 6>&, Run);

}  // namespace wengert::kernels
