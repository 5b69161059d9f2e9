#include <gtest/gtest.h>
#include <support/inputs.h>
#include <wengert/autograd/tape/accumulate_grad.h>
#include <wengert/autograd/tape/engine.h>
#include <wengert/autograd/tape/history.h>
#include <wengert/autograd/tape/pending_nodes.h>

namespace wengert::autograd {
namespace {

// A Node that writes its name into a log when it runs.
class LoggedNode final : public Node {
 public:
  LoggedNode(std::string name, std::vector<std::string>& log) : name_(std::move(name)), log_(log) { set_num_inputs(1); }
  Gradients apply(Gradients grads) override {
    log_.push_back(name_);
    Gradients out;
    for (uint32_t i = 0; i < num_outputs(); ++i) out.push_back(grads[0]);
    return out;
  }
  std::string name() const override { return name_; }

 private:
  std::string name_;
  std::vector<std::string>& log_;
};

class EngineTest : public testing::Test {
 protected:
  IntrusivePtr<Node> node(const std::string& name, std::vector<IntrusivePtr<Node>> next = {}) {
    auto made = make_intrusive<LoggedNode>(name, log);
    for (auto& to : next) made->add_next_edge(Edge(to, 0));
    return made;
  }
  std::vector<std::string> log;
};

TEST_F(EngineTest, ALevelIsOneAboveTheHighestInput) {
  const auto a = node("a"), b = node("b", {a}), c = node("c", {a, b});
  EXPECT_EQ(a->level(), 1u);
  EXPECT_EQ(b->level(), 2u);
  EXPECT_EQ(c->level(), 3u);
}

TEST_F(EngineTest, ConsumersRunBeforeProducersThoughReachedEarlier) {
  // d sends to both a and c; a is reached at once, but b, which also sends to a, lies above it.
  const auto a = node("a"), b = node("b", {a}), c = node("c", {b}), d = node("d", {a, c});
  Engine::run({Edge(d, 0)}, {ones({1})}, {});
  EXPECT_EQ(log, (std::vector<std::string>{"d", "c", "b", "a"}));
}

TEST_F(EngineTest, OfOneLevelTheNodeReachedLastRunsFirst) {
  const auto a = node("a"), b = node("b"), c = node("c"), top = node("top", {b, c, a});
  Engine::run({Edge(top, 0)}, {ones({1})}, {});
  EXPECT_EQ(log, (std::vector<std::string>{"top", "a", "c", "b"}));
}

TEST_F(EngineTest, OnlyNodesOnAPathToTheInputsRun) {
  const auto leaf = node("leaf"), other = node("other"), left = node("left", {leaf}), right = node("right", {other}),
             top = node("top", {left, right});
  Engine::Options options;
  options.inputs = {Edge(left, 0)};
  options.accumulate_into_leaves = false;
  const Gradients arrived = Engine::run({Edge(top, 0)}, {ones({1})}, options);
  EXPECT_EQ(log, (std::vector<std::string>{"top"}));
  EXPECT_TRUE(arrived[0].defined());
}

TEST_F(EngineTest, NodesWhoseGradientsAreAllUndefinedArePassedThrough) {
  const auto a = node("a"), b = node("b", {a});
  Engine::run({Edge(b, 0)}, {Tensor()}, {});
  EXPECT_TRUE(log.empty());
}

TEST_F(EngineTest, PendingNodesOfTwoRunsAtOnceAreKeptApart) {
  const auto a = node("a");
  PendingNodes outer, inner;
  outer.add(Edge(a, 0), full({}, 1.0));
  inner.add(Edge(a, 0), full({}, 10.0));
  outer.add(Edge(a, 0), full({}, 2.0));
  inner.add(Edge(a, 0), full({}, 20.0));
  EXPECT_EQ(inner.take().grads[0].item<float>(), 30);
  EXPECT_EQ(outer.take().grads[0].item<float>(), 3);
  EXPECT_TRUE(inner.empty());
  EXPECT_TRUE(outer.empty());
}

TEST_F(EngineTest, ARunThatEndsEarlyForgetsItsNodes) {
  const auto a = node("a");
  { PendingNodes().add(Edge(a, 0), full({}, 1.0)); }
  PendingNodes next;
  next.add(Edge(a, 0), full({}, 5.0));
  EXPECT_EQ(next.take().grads[0].item<float>(), 5);
}

TEST(Reentrant, ANodeThatIsPendingInTwoRunsIsCompleteInEach) {
  const Tensor x = ones({1}).requires_grad_(), y = x * 2;
  int arrived = 0;
  y.register_hook([&](const Tensor&) { ++arrived; });
  // So many branches that both runs keep their Nodes in a heap.
  const auto branches = [&](double factor) {
    std::vector<Tensor> all;
    for (int i = 0; i < 40; ++i) all.push_back(y * factor);
    return all;
  };
  const Tensor inner = cat(branches(3)).sum();
  const std::vector<Tensor> outer = branches(1);
  outer[20].register_hook([&](const Tensor&) { inner.backward({}, true); });
  cat(outer).sum().backward();
  EXPECT_EQ(arrived, 2);
  EXPECT_EQ(x.grad().item<double>(), 2 * 40 * (1 + 3));
}

TEST(Reentrant, BackwardInsideAHookOverTheSameGraph) {
  const Tensor x = full({}, 3.0, dtype(kDouble).requires_grad(true));
  double inner = 0;
  bool first = true;  // the hook's own backward passes the hook again
  Tensor only = x * x;
  only.register_hook([&](const Tensor&) {
    if (std::exchange(first, false)) inner = grad({only}, {x}, {}, true)[0].item<double>();
  });
  only.backward();
  EXPECT_EQ(inner, 6);
  EXPECT_EQ(x.grad().item<double>(), 6);
}

TEST(SavedTensors, AreFreedAsBackwardPasses) {
  const Tensor x = ones({1000}, requires_grad());
  Tensor a = x * 1;
  const Tensor held = a.detach();  // a second owner of a's memory
  const Tensor loss = a.exp().log().square().sum();
  a = Tensor();
  loss.backward();
  EXPECT_TRUE(held.impl()->storage->unique());
}

TEST(AccumulateGradNode, LivesInItsLeaf) {
  const Tensor x = ones({2}, requires_grad());
  const uint32_t owners = x.impl()->owners.owners();
  {
    const IntrusivePtr<Node> node = grad_accumulator(x);
    EXPECT_EQ(x.impl()->owners.owners(), owners + 1);
    EXPECT_EQ(grad_accumulator(x), node);
    EXPECT_TRUE(static_cast<AccumulateGrad&>(*node).variable().is_same(x));
  }
  EXPECT_EQ(x.impl()->owners.owners(), owners);
}

}  // namespace
}  // namespace wengert::autograd
