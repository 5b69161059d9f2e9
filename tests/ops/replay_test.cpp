#include <gtest/gtest.h>
#include <wengert/wengert.h>

#include <functional>
#include <optional>
#include <string>

namespace {

using wengert::NoGradGuard;
using wengert::Replay;
using wengert::Tensor;

std::string refusal(const std::function<void()>& step) {
  try {
    const Replay replay(step);
  } catch (const wengert::Error& error) {
    return error.what();
  }
  return "recorded";
}

// The notebook's factorization of a random matrix.
struct Notebook {
  explicit Notebook(int64_t n = 3, int64_t m = 4, int64_t k = 2, wengert::ScalarType dtype = wengert::kFloat) {
    wengert::manual_seed(1);
    D = wengert::rand({n, m}, dtype);
    C = wengert::rand({n, k}, wengert::TensorOptions(dtype).requires_grad(true));
    F = wengert::rand({k, m}, wengert::TensorOptions(dtype).requires_grad(true));
  }
  void step() {
    if (C.grad().defined()) {
      C.grad().zero_();
      F.grad().zero_();
    }
    loss = sum(pow(D - mm(C, F), 2));
    loss.backward();
    const NoGradGuard no_grad;
    C -= lr * C.grad();
    F -= lr * F.grad();
  }
  Tensor D, C, F, loss, lr = wengert::full({}, 1e-3);
};

// Runs `steps` steps of each kind and holds what they leave behind against each other.
void expect_same(Notebook eager, Notebook replayed, int steps) {
  eager.step();
  replayed.step();
  eager.step();
  const Replay replay([&] { replayed.step(); });
  for (int i = 0; i < steps; ++i) {
    eager.step();
    replay();
  }
  EXPECT_TRUE(eager.C.allclose(replayed.C, 1e-4, 1e-6));
  EXPECT_TRUE(eager.F.allclose(replayed.F, 1e-4, 1e-6));
  EXPECT_TRUE(eager.C.grad().allclose(replayed.C.grad(), 1e-3, 1e-4));
  EXPECT_TRUE(eager.loss.allclose(replayed.loss, 1e-4));
}

TEST(Replay, DoesWhatTheStepDoes) {
  expect_same(Notebook(), Notebook(), 100);
  expect_same(Notebook(30, 40, 5), Notebook(30, 40, 5), 20);
  expect_same(Notebook(300, 311, 7), Notebook(300, 311, 7), 3);  // more elements than a thread takes at once
  expect_same(Notebook(50, 60, 3, wengert::kDouble), Notebook(50, 60, 3, wengert::kDouble), 20);
}

TEST(Replay, FusesTheNotebooksPassesOverTheResidual) {
  Notebook notebook(100, 100, 4);
  notebook.step();
  const Replay replay([&] { notebook.step(); });
  // Three products, the residual with its square, sum and gradient, and for each factor its gradient and update.
  EXPECT_LE(replay.passes(), 7u);
  // D_hat and the gradient of D_hat; the residual and its square need none, nor does the update.
  EXPECT_LE(replay.buffer_bytes(), size_t{2 * 40000 + 2 * 1664});
}

TEST(Replay, ReadsWhatItsTensorsHoldByThen) {
  Notebook eager, replayed;
  eager.step();
  replayed.step();
  eager.step();
  const Replay replay([&] { replayed.step(); });
  for (Notebook* notebook : {&eager, &replayed}) {
    notebook->D.copy_(wengert::ones({3, 4}));
    notebook->lr.fill_(1e-2);
  }
  eager.step();
  replay();
  EXPECT_TRUE(eager.C.allclose(replayed.C, 1e-5));
  EXPECT_TRUE(eager.loss.allclose(replayed.loss, 1e-5));
}

TEST(Replay, FollowsANumberOfTheProgram) {
  double factor = 2;
  const Tensor x = wengert::ones({3}), y = wengert::empty({3});
  const Replay replay([&] { y.copy_(x * wengert::from_blob(&factor, {}, wengert::kDouble)); });
  EXPECT_FLOAT_EQ(y.sum().item<float>(), 6);
  factor = 5;
  replay();
  EXPECT_FLOAT_EQ(y.sum().item<float>(), 15);
}

TEST(Replay, FollowsTheLearningRateOfSgd) {
  const Tensor x = wengert::ones({2}, wengert::requires_grad());
  wengert::optim::SGD sgd({x}, 0.5);
  const auto step = [&] {
    sgd.zero_grad();
    x.sum().backward();
    sgd.step();
  };
  step();
  const Replay replay(step);
  EXPECT_FLOAT_EQ(x.detach()[0].item<float>(), 0);
  sgd.param_groups()[0].options().set_lr(0.25);
  replay();
  EXPECT_FLOAT_EQ(x.detach()[0].item<float>(), -0.25);
}

TEST(Replay, KeepsTheOrderOfWorkOnTheSameMemory) {
  const Tensor a = wengert::arange(8).to(wengert::kFloat), b = wengert::zeros({8}), c = wengert::zeros({8});
  const auto step = [&] {
    const NoGradGuard no_grad;
    b.copy_(a * 2);                       // b = 2 a
    c.copy_(b.slice(0, 1, 8).sum() + a);  // needs all of b
    a.slice(0, 0, 7).add_(c.slice(0, 1, 8));
    b.mul_(a);
    c.add_(b.view({2, 4}).t().reshape({8}));
  };
  const Replay replay(step);
  const Tensor a1 = a.clone(), b1 = b.clone(), c1 = c.clone();
  a.copy_(wengert::arange(8));
  b.zero_();
  c.zero_();
  replay();
  EXPECT_TRUE(a.equal(a1));
  EXPECT_TRUE(b.equal(b1));
  EXPECT_TRUE(c.equal(c1));
}

TEST(Replay, RunsANetwork) {
  wengert::manual_seed(3);
  const Tensor x = wengert::randn({64, 10}), target = wengert::rand({64, 3}).softmax(1);
  const auto train = [&](bool replayed) {
    wengert::manual_seed(4);
    Tensor w = wengert::randn({10, 16}) * 0.3, v = wengert::randn({16, 3}) * 0.3, bias = wengert::zeros({16});
    for (Tensor* parameter : {&w, &v, &bias}) parameter->requires_grad_();
    wengert::optim::SGD sgd({w, v, bias}, wengert::optim::SGDOptions(0.1).momentum(0.9));
    Tensor loss;
    const std::function<void()> step = [&] {
      sgd.zero_grad();
      const Tensor hidden = tanh(mm(x, w) + bias);
      loss = -(target * mm(hidden, v).log_softmax(1)).sum(1).mean();
      loss.backward();
      sgd.step();
    };
    step();
    if (replayed) {
      const Replay replay(step);
      for (int i = 0; i < 20; ++i) replay();
    } else {
      for (int i = 0; i < 21; ++i) step();
    }
    return loss.item<double>();
  };
  EXPECT_NEAR(train(true), train(false), 1e-5);
}

// What reads and writes at positions follows positions that change from step to step; both dtypes, and more elements
// than a thread takes at once.
TEST(Replay, FollowsPositions) {
  for (const int64_t rows : {7, 3000}) {
    for (const auto dtype : {wengert::kFloat, wengert::kDouble}) {
      const auto train = [&](bool replayed) {
        wengert::manual_seed(4);
        const auto options = wengert::TensorOptions(dtype).requires_grad(true);
        const Tensor table = wengert::randn({rows, 12}, options), other = wengert::randn({12, rows}, options);
        const Tensor users = wengert::empty({2 * rows}, wengert::kLong),
                     items = wengert::empty({2 * rows}, wengert::kLong);
        const Tensor column = wengert::empty({2 * rows, 1}, wengert::kLong);
        std::vector<Tensor> batches;  // of positions
        for (int i = 0; i < 18; ++i) batches.push_back(wengert::randint(0, i % 3 == 2 ? 12 : rows, {2 * rows}));
        wengert::optim::Adam adam({table, other}, 0.01);
        Tensor loss;
        const std::function<void()> step = [&] {
          adam.zero_grad();
          const Tensor u = embedding(table, users, /*padding_idx=*/1);
          const Tensor v = other.index_select(1, items).t();
          const Tensor counts =
              wengert::zeros({rows}, dtype).index_add(0, users, wengert::ones({2 * rows}, dtype), 0.5);
          const Tensor sums =
              wengert::zeros({rows, 12}, dtype).scatter_add(0, users.unsqueeze(1).expand({2 * rows, 12}), u * v);
          const Tensor picked = (u + v).gather(1, column);
          const Tensor written = u.scatter(1, column, v.narrow(1, 0, 1));
          const Tensor added = v.index_add(1, column.select(1, 0).narrow(0, 0, 3), u.narrow(1, 2, 3), 2);
          loss = ((sums.sum(1) - counts).pow(2).mean() + picked.pow(2).mean() + (written * added).mean());
          loss.backward();
          adam.step();
        };
        const auto take = [&](int i) {
          users.copy_(batches[static_cast<size_t>(3 * i)]);
          items.copy_(batches[static_cast<size_t>(3 * i + 1)]);
          column.copy_(batches[static_cast<size_t>(3 * i + 2)].unsqueeze(1));
        };
        take(0);
        step();
        take(1);
        std::optional<Replay> replay;
        replayed ? static_cast<void>(replay.emplace(step)) : step();
        for (int i = 2; i < 6; ++i) {
          take(i);
          replayed ? (*replay)() : step();
        }
        if (replayed) {
          users.select(0, 3).fill_(rows);
          EXPECT_THROW((*replay)(), wengert::Error);
        }
        return std::vector<Tensor>{loss.detach(), table.detach(), other.detach()};
      };
      const std::vector<Tensor> expected = train(false), found = train(true);
      for (size_t i = 0; i < expected.size(); ++i) {
        EXPECT_TRUE(found[i].allclose(expected[i], 1e-4, 1e-5)) << rows << " rows, result " << i;
      }
    }
  }
}

TEST(Replay, DoesNotDependOnTheNumberOfThreads) {
  const auto loss_with = [](int threads) {
    wengert::set_num_threads(threads);
    Notebook notebook(500, 400, 3);
    notebook.step();
    const Replay replay([&] { notebook.step(); });
    for (int i = 0; i < 3; ++i) replay();
    wengert::set_num_threads(1);
    return notebook.loss.item<float>();
  };
  EXPECT_EQ(loss_with(1), loss_with(2));
}

TEST(Replay, IsNoticedByWhatWasSaved) {
  const Tensor x = wengert::ones({2});
  const Replay replay([&] { x.add_(1); });
  const int64_t version = x._version();
  replay();
  EXPECT_GT(x._version(), version);
}

TEST(Replay, OutlivesWhatItUses) {
  const Tensor y = wengert::zeros({4});
  std::optional<Replay> replay;
  {
    const Tensor x = wengert::ones({4});
    replay.emplace([&, x] { y.add_(x); });
    EXPECT_EQ(y.sum().item<float>(), 4);
    // The recording holds x's memory, and x here does too.
    (*replay)();
  }
  (*replay)();
  EXPECT_EQ(y.sum().item<float>(), 12);
}

TEST(Replay, RefusesWhatCannotBeDoneAgain) {
  const Tensor x = wengert::rand({3, 3}), w = wengert::ones({3}, wengert::requires_grad());
  const auto says = [](const std::string& text, const std::string& part) {
    EXPECT_NE(text.find(part), std::string::npos) << text;
  };
  says(refusal([&] {
         if (x.sum().item<float>() > 0) x.mul_(2);
       }),
       "item()");
  says(refusal([&] { x.data_ptr<float>()[0] = 1; }), "data_ptr()");
  says(refusal([&] { x.mul_(wengert::rand({3, 3})); }), "rand");
  says(refusal([&] { x.nonzero(); }), "nonzero");
  says(refusal([&] { x.sort(); }), "sort");
  says(refusal([&] {
         const Tensor y = w * 2;
         y.register_hook([](const Tensor&) {});
         y.sum().backward();
       }),
       "hook");
  says(refusal([&] { w.sum().backward(); }), "no gradient yet");
  Tensor y = wengert::ones({3});
  says(refusal([&] { y = y * 2; }), "replaces");
  says(refusal([&] { Replay([] {})(); }), "Replay");
  says(refusal([&] { Replay([] {}); }), "Replay");
  // Whatever was refused, the next step is not recorded.
  EXPECT_NO_THROW(x.sum().item<float>());
}

TEST(Replay, LetsAStepResetItsGradients) {
  const Tensor w = wengert::ones({3}, wengert::requires_grad()), x = wengert::ones({3});
  const auto step = [&] {
    w.mutable_grad().reset();
    (w * x).sum().backward();
  };
  const Replay replay(step);
  x.fill_(3);
  replay();
  EXPECT_EQ(w.grad()[0].item<float>(), 3);
}

TEST(Replay, AddsToGradientsThatTheStepLeaves) {
  const Tensor w = wengert::ones({3}, wengert::requires_grad());
  const auto step = [&] { (w * 2).sum().backward(); };
  step();
  const Replay replay(step);
  replay();
  EXPECT_EQ(w.grad()[0].item<float>(), 6);
}

TEST(Replay, AnEmptyStepAndEmptyTensors) {
  Replay([] {})();
  const Tensor x = wengert::zeros({0, 3});
  const Replay replay([&] { x.add_(1); });
  replay();
}

// Columns of a matrix lie among one another, but share no element; two that are one element apart do not stay apart.
TEST(Replay, KeepsTheOrderOfWhatOverlaps) {
  const Tensor x = wengert::rand({500, 5}), odd = wengert::empty({500, 5}), line = wengert::empty({1001});
  const auto step = [&] {
    odd.copy_(x);
    const std::vector<Tensor> columns = odd.unbind(1);
    columns[1].copy_(columns[0] * 2);
    columns[3].copy_(columns[1] + columns[4]);
    columns[4].copy_(columns[3] * columns[0]);
    line.fill_(1);
    line.slice(0, 1, 1001).copy_(line.slice(0, 0, 1000) + 1);
    line.slice(0, 0, 1000).mul_(line.slice(0, 1, 1001) + 1);
    line.slice(0, 0, 1000, 2).copy_(line.slice(0, 1, 1001, 2) * 3);
  };
  step();
  const Tensor expected = odd.clone(), expected_line = line.clone();
  const Replay replay(step);
  odd.zero_();
  line.zero_();
  replay();
  EXPECT_TRUE(equal(odd, expected));
  EXPECT_TRUE(equal(line, expected_line));
}

TEST(Replay, JoinsWorkOnTheColumnsOfAMatrix) {
  const Tensor x = wengert::rand({100, 6}, wengert::requires_grad());
  const Tensor weights = wengert::rand({100});
  Tensor gradient;
  const auto step = [&] {
    const std::vector<Tensor> columns = x.unbind(1);
    const Tensor y = (columns[0] * columns[1] + columns[2].sigmoid() / columns[3]) * columns[4].tanh();
    gradient = wengert::autograd::grad({y}, {x}, {weights})[0];
  };
  step();
  const Tensor expected = gradient;
  const Replay replay(step);
  EXPECT_EQ(replay.passes(), 1u);
  replay();
  EXPECT_TRUE(gradient.allclose(expected, 1e-5, 1e-7));
  EXPECT_TRUE(equal(gradient.select(1, 5), wengert::zeros({100})));
}

// A hundred thousand pieces of work are planned in seconds, and give what the step gives. (Looking at each pair of them
// would take hours.)
TEST(Replay, TakesLongSteps) {
  const Tensor weights = wengert::rand({2, 14}, wengert::TensorOptions(wengert::kDouble).requires_grad(true));
  const Tensor x = wengert::rand({3000, 14}, wengert::kDouble);
  Tensor loss;
  const auto step = [&] {
    weights.mutable_grad() = Tensor();
    const std::vector<Tensor> w = weights.unbind(0), elements = x.unbind(0);
    Tensor state = wengert::zeros({14}, wengert::kDouble);
    loss = wengert::zeros({}, wengert::kDouble);
    for (const Tensor& element : elements) {
      state = (state * w[0] + element).tanh() * w[1];
      loss = loss + (state * element).sum();
    }
    loss.backward();
  };
  step();
  const Tensor expected = weights.grad().clone(), expected_loss = loss.detach().clone();
  const Replay replay(step);
  for (int i = 0; i < 2; ++i) {
    replay();
    EXPECT_TRUE(weights.grad().allclose(expected, 1e-12));
    EXPECT_TRUE(loss.detach().allclose(expected_loss, 1e-12));
  }
}

}  // namespace
