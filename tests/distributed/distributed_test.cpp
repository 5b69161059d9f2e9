#include <gtest/gtest.h>
#include <support/inputs.h>
#include <wengert/distributed.h>

#include <limits>
#include <numeric>

// Run by mpirun, in each process the same tests.

namespace wengert {
namespace {

using distributed::ProcessGroup;
using distributed::ReduceOp;
using test::arbitrary;

ProcessGroup& world() { return ProcessGroup::world(); }
int rank() { return world().getRank(); }
int size() { return world().getSize(); }

// What the process of that rank has.
Tensor part_of(int process, IntArrayRef sizes, ScalarType dtype = kDouble) {
  return arbitrary(sizes, -1, 1, 100 + process).to(dtype);
}
Tensor sum_of_parts(IntArrayRef sizes, ScalarType dtype = kDouble) {
  Tensor sum = zeros(sizes, dtype);
  for (int p = 0; p < size(); ++p) sum += part_of(p, sizes, dtype);
  return sum;
}

TEST(ProcessGroup, ReducesTensorsOfEveryDtype) {
  for (const ScalarType dtype : {kFloat, kDouble}) {
    const Tensor x = part_of(rank(), {5, 3}, dtype);
    world().allreduce(x).wait();
    EXPECT_TRUE(allclose(x, sum_of_parts({5, 3}, dtype), 1e-5));
  }
  const Tensor whole = full({4}, rank() + 1, kLong);
  world().allreduce(whole, ReduceOp::MAX).wait();
  EXPECT_EQ(whole[3].item<int64_t>(), size());
  const Tensor mine = tensor({rank() == 0, true});
  world().allreduce(mine, ReduceOp::MIN).wait();
  EXPECT_EQ(mine[0].item<bool>(), size() == 1);
  EXPECT_TRUE(mine[1].item<bool>());
  EXPECT_ERROR(world().allreduce(tensor({true})), "bools have no sum");
  EXPECT_ERROR(world().allreduce(zeros({2, 3}).t()), "contiguous");
  EXPECT_ERROR(world().broadcast(zeros({2}), size()), "there is no rank");
}

TEST(ProcessGroup, EachGivesRowsToEach) {
  // Process p gives p + q rows to q, which say from whom, to whom and how many before.
  std::vector<int64_t> given, received;
  std::vector<Tensor> rows, expected;
  const auto row = [](int from, int to, int64_t i) {
    return tensor({from * 1.0, to * 1.0, static_cast<double>(i)}).unsqueeze(0);
  };
  rows.push_back(zeros({0, 3}));
  expected.push_back(zeros({0, 3}));
  for (int q = 0; q < size(); ++q) {
    given.push_back(rank() + q);
    received.push_back(q + rank());
    for (int64_t i = 0; i < given.back(); ++i) rows.push_back(row(rank(), q, i));
    for (int64_t i = 0; i < received.back(); ++i) expected.push_back(row(q, rank(), i));
  }
  const Tensor input = cat(rows).to(kDouble), output = empty_like(cat(expected).to(kDouble));
  const int64_t before = world().bytes_sent();
  world().alltoall_base(output, input, received, given).wait();
  EXPECT_TRUE(equal(output, cat(expected).to(kDouble)));
  EXPECT_EQ(world().bytes_sent() - before, (input.size(0) - 2 * rank()) * 24);
  given[0] += 1;
  EXPECT_ERROR(world().alltoall_base(output, input, received, given), "rows say how many");
  given[0] -= 1;
  EXPECT_ERROR(world().alltoall_base(output.to(kFloat), input, received, given), "one dtype and size");

  std::vector<std::string> to_each;
  for (int q = 0; q < size(); ++q) to_each.emplace_back(static_cast<size_t>(1000 * q), static_cast<char>('a' + rank()));
  const std::vector<std::string> from_each = world().alltoall(to_each);
  for (int q = 0; q < size(); ++q) {
    EXPECT_EQ(from_each[static_cast<size_t>(q)],
              std::string(static_cast<size_t>(1000 * rank()), static_cast<char>('a' + q)));
  }
  EXPECT_NE(ProcessGroup::getHost(), "");
}

TEST(ProcessGroup, SeveralReductionsMayBeUnderWay) {
  std::vector<Tensor> tensors;
  std::vector<distributed::Work> works;
  for (int i = 0; i < 5; ++i) {
    tensors.push_back(full({1000}, rank() + i, kDouble));
    works.push_back(world().allreduce(tensors.back(), ReduceOp::AVG));
  }
  for (int i = 4; i >= 0; --i) {
    works[static_cast<size_t>(i)].wait();
    EXPECT_DOUBLE_EQ(tensors[static_cast<size_t>(i)][7].item<double>(), i + (size() - 1) / 2.0);
  }
}

TEST(ProcessGroup, CountsBytes) {
  const int64_t before = world().bytes_sent();
  world().allreduce(zeros({1000}, kFloat)).wait();
  EXPECT_EQ(world().bytes_sent() - before, 2 * (size() - 1) * 4000 / size());
}

TEST(AllReduce, HasTheSumOfAllGradients) {
  const Tensor x = part_of(rank(), {2, 3}).requires_grad_();
  const Tensor y = distributed::all_reduce(x);
  EXPECT_ALLCLOSE(y.detach(), sum_of_parts({2, 3}));
  EXPECT_EQ(y.grad_fn()->name(), "AllReduceBackward");
  // L = sum_r (r + 1) sum(y^2): every process has the same dL/dx.
  (y * y * (rank() + 1)).sum().backward();
  const double weight = size() * (size() + 1) / 2.0;
  EXPECT_ALLCLOSE(x.grad(), 2 * weight * sum_of_parts({2, 3}));
  EXPECT_ERROR(distributed::all_reduce(x, ReduceOp::MAX), "have a gradient");
}

TEST(AllReduce, HasASecondGradient) {
  const Tensor x = part_of(rank(), {3}).requires_grad_();
  const Tensor y = distributed::all_reduce(x, ReduceOp::AVG);
  const Tensor dx = autograd::grad({(y * y * y).sum()}, {x}, {}, true, true)[0];
  const Tensor ddx = autograd::grad({dx.sum()}, {x})[0];
  // L = P sum(m^3), m the mean: dL/dx = 3 m^2, and the sum of all dL/dx is 3 P sum(m^2), of which dx has 6 m.
  EXPECT_ALLCLOSE(dx.detach(), 3 * (sum_of_parts({3}) / size()).square());
  EXPECT_ALLCLOSE(ddx, 6 * sum_of_parts({3}) / size());
}

TEST(AllGather, PutsRowsOfDifferentCountsSideBySide) {
  const Tensor x = part_of(rank(), {rank() + 1, 2}).requires_grad_();
  const Tensor y = distributed::all_gather(x);
  std::vector<Tensor> parts;
  for (int p = 0; p < size(); ++p) parts.push_back(part_of(p, {p + 1, 2}));
  EXPECT_ALLCLOSE(y.detach(), cat(parts));
  const Tensor weights = arbitrary(y.sizes(), -1, 1, 3);
  (y * weights).sum().backward();  // in each process the same
  const int64_t begin = rank() * (rank() + 1) / 2;
  EXPECT_ALLCLOSE(x.grad(), size() * weights.narrow(0, begin, rank() + 1));
}

TEST(ReduceScatter, IsTheOtherWayRound) {
  const Tensor x = part_of(rank(), {2 * size(), 3}).requires_grad_();
  const Tensor y = distributed::reduce_scatter(x);
  EXPECT_ALLCLOSE(y.detach(), sum_of_parts({2 * size(), 3}).narrow(0, 2 * rank(), 2));
  (y * (rank() + 1)).sum().backward();
  for (int p = 0; p < size(); ++p) EXPECT_ALLCLOSE(x.grad().narrow(0, 2 * p, 2), full({2, 3}, p + 1, kDouble));
  if (size() == 1) return;
  EXPECT_ERROR(distributed::reduce_scatter(zeros({size() + 1})), "can't be shared equally");
}

TEST(Broadcast, SendsGradientsBackToTheRoot) {
  const int root = size() - 1;
  const Tensor x = part_of(rank(), {4}).requires_grad_();
  const Tensor y = distributed::broadcast(x, root);
  EXPECT_ALLCLOSE(y.detach(), part_of(root, {4}));
  (y * (rank() + 1)).sum().backward();
  EXPECT_ALLCLOSE(x.grad(), full({4}, rank() == root ? size() * (size() + 1) / 2 : 0, kDouble));
  const Tensor z = part_of(rank(), {4}).requires_grad_();
  (distributed::broadcast(z, root) * std::numeric_limits<double>::infinity()).sum().backward();
  EXPECT_TRUE(rank() == root || equal(z.grad(), zeros({4}, kDouble))) << z.grad();
}

// A network on all examples in one process, and on a share of them in each.
TEST(DistributedOptimizer, TakesTheStepsOfOneProcess) {
  const int64_t examples = 12 * size();
  const Tensor inputs = arbitrary({examples, 5}), targets = arbitrary({examples, 2}, -1, 1, 9);
  const auto parameters = [](int salt) {
    return std::vector<Tensor>{arbitrary({5, 8}, -1, 1, salt).requires_grad_(),
                               arbitrary({8}, -1, 1, salt + 1).requires_grad_(),
                               arbitrary({8, 2}, -1, 1, salt + 2).requires_grad_()};
  };
  const auto loss = [](const std::vector<Tensor>& p, const Tensor& x, const Tensor& t) {
    return (mm(tanh(mm(x, p[0]) + p[1]), p[2]) - t).square().mean();
  };
  const std::vector<Tensor> whole = parameters(1), shared = parameters(1 + 10 * rank());  // rank 0's are taken
  optim::SGD one(whole, 0.3), of_all(shared, 0.3);
  optim::DistributedOptimizer distributed(of_all, {.bucket_bytes = 200});
  EXPECT_EQ(distributed.buckets(), 2u);
  for (int step = 0; step < 20; ++step) {
    one.zero_grad();
    loss(whole, inputs, targets).backward();
    one.step();
    distributed.zero_grad();
    loss(shared, inputs.narrow(0, 12 * rank(), 12), targets.narrow(0, 12 * rank(), 12)).backward();
    distributed.step();
    EXPECT_EQ(distributed.buckets_sent_early(), 2u);
  }
  for (size_t i = 0; i < whole.size(); ++i) EXPECT_TRUE(allclose(shared[i], whole[i], 1e-9)) << i;
}

TEST(DistributedOptimizer, CountsAMissingGradientAsZeros) {
  const Tensor a = ones({3}, requires_grad()), b = ones({2}, requires_grad());
  optim::SGD sgd({a, b}, 1);
  optim::DistributedOptimizer distributed(sgd);
  (rank() == 0 ? a.sum() + b.sum() : a.sum()).backward();
  distributed.step();
  EXPECT_ALLCLOSE(b.detach(), full({2}, 1 - 1.0 / size()));
  EXPECT_ALLCLOSE(a.detach(), zeros({3}));
}

}  // namespace
}  // namespace wengert
