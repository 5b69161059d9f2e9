#include <gtest/gtest.h>
#include <support/inputs.h>

#include <nlohmann/json.hpp>

namespace wengert {
namespace {

using autograd::Trace;
using autograd::variable_list;
using nlohmann::json;
using test::arbitrary;

// The elements of a tensor as a trace shows it.
Tensor elements(const json& shown) {
  std::vector<double> values;
  for (const json& value : shown["values"]) values.push_back(value.get<double>());
  return tensor(values, kDouble).view(shown["sizes"].get<std::vector<int64_t>>());
}

std::vector<std::string> names_of_steps(const json& trace) {
  std::vector<std::string> names;
  for (const json& step : trace["steps"]) names.push_back(trace["nodes"][step["node"].get<size_t>()]["label"]);
  return names;
}

TEST(Trace, HasTheGradientsThatTheBackwardComputes) {
  const Tensor D = arbitrary({3, 4}), C = arbitrary({3, 2}).requires_grad_(), F = arbitrary({2, 4}).requires_grad_();
  const Tensor difference = D - mm(C, F);
  Trace trace;
  trace.name(C, "C");
  trace.name(F, "F");
  difference.pow(2).sum().backward();
  const json noted = json::parse(trace.json());

  EXPECT_EQ(names_of_steps(noted),
            (std::vector<std::string>{"SumBackward0", "PowBackward0", "SubBackward0", "MmBackward0", "F", "C"}));
  const json& steps = noted["steps"];
  EXPECT_ALLCLOSE(elements(steps[2]["grads"][0]), 2 * difference.detach());
  EXPECT_ALLCLOSE(elements(steps[3]["results"][0]), C.grad());
  EXPECT_ALLCLOSE(elements(steps[3]["results"][1]), F.grad());
  EXPECT_TRUE(steps[4]["before"].is_null());
  EXPECT_ALLCLOSE(elements(steps[4]["after"]), F.grad());
  // Both leaves waited when F's turn came.
  EXPECT_EQ(steps[4]["pending"].size(), 2u);
  EXPECT_GE(steps[3]["nanoseconds"].get<int64_t>(), 0);
  const json& mm_node = noted["nodes"][steps[3]["node"].get<size_t>()];
  EXPECT_EQ(mm_node["formula"], "dA = G Bᵀ,   dB = Aᵀ G.");
  EXPECT_EQ(mm_node["saved"].size(), 2u);
  EXPECT_ALLCLOSE(elements(mm_node["saved"][0]), C.detach());
  EXPECT_EQ(mm_node["level"], 1);
}

// The bits and the memory of what it listens to stay as they are.
TEST(Trace, ChangesNothing) {
  const auto gradient = [](bool traced) {
    const Tensor x = arbitrary({50}).requires_grad_();
    std::optional<Trace> trace;
    if (traced) trace.emplace();
    (x.exp() * x).sum().backward();
    x.sum().backward();
    return x.grad();
  };
  EXPECT_TRUE(equal(gradient(true), gradient(false)));
}

TEST(Trace, ShowsAccumulationHooksAndChangesInPlace) {
  const Tensor x = arbitrary({4}).requires_grad_();
  x.sum().backward();
  Trace trace;
  Tensor y = x * 2;
  y.slice(0, 0, 2).mul_(3);
  y.register_hook([](const Tensor& g) { return g * 10; });
  y.sum().backward();
  const json noted = json::parse(trace.json());
  EXPECT_EQ(names_of_steps(noted),
            (std::vector<std::string>{"SumBackward0", "CopySlices", "MulBackward1", "leaf [4]"}));
  const json& copy_slices = noted["nodes"][1];
  EXPECT_EQ(copy_slices["operation"], "MulBackward1");
  EXPECT_EQ(copy_slices["hooks"]["on gradients"], 1);
  EXPECT_ALLCLOSE(elements(noted["steps"][1]["grads"][0]), full({4}, 10, kDouble));
  EXPECT_ALLCLOSE(elements(noted["steps"][3]["before"]), ones({4}, kDouble));
  EXPECT_ALLCLOSE(elements(noted["steps"][3]["after"]), x.grad());
}

TEST(Trace, ShowsWhatCreateGraphRecordsAndTheSecondPass) {
  const Tensor x = arbitrary({3}).requires_grad_();
  Trace trace;
  const Tensor dx = autograd::grad({x.pow(3).sum()}, {x}, {}, true, /*create_graph=*/true)[0];
  const Tensor ddx = autograd::grad({dx.sum()}, {x})[0];
  const json noted = json::parse(trace.json());
  ASSERT_EQ(noted["passes"].size(), 2u);
  EXPECT_EQ(noted["passes"][0]["create_graph"], true);
  int made = 0;
  for (const json& node : noted["nodes"]) made += node.contains("made_in");
  EXPECT_GT(made, 1);
  const json& last = noted["steps"].back();
  EXPECT_EQ(last["pass"], 1);
  EXPECT_EQ(last["asked_for"], true);
  EXPECT_ALLCLOSE(elements(last["grads"][0]), ddx);
}

TEST(Trace, OfANodeThatRunsABackwardOfItsOwn) {
  const Tensor x = arbitrary({3}).requires_grad_();
  const Tensor y = autograd::checkpoint([](const variable_list& in) { return variable_list{in[0].exp()}; }, {x})[0];
  Trace trace;
  y.sum().backward();
  const json noted = json::parse(trace.json());
  ASSERT_EQ(noted["passes"].size(), 2u);
  EXPECT_EQ(noted["passes"][1]["depth"], 1);
  EXPECT_EQ(noted["passes"][1]["inside"], 1);
}

struct NoGradient : autograd::Function<NoGradient> {
  static Tensor forward(autograd::AutogradContext*, const Tensor& x) { return x * 2; }
  static variable_list backward(autograd::AutogradContext*, const variable_list&) { return {Tensor()}; }
};

TEST(Trace, ShowsNodesThatNoGradientReaches) {
  const Tensor x = arbitrary({3}).requires_grad_();
  Trace trace;
  NoGradient::apply(x.exp()).sum().backward();
  const json noted = json::parse(trace.json());
  EXPECT_EQ(names_of_steps(noted),
            (std::vector<std::string>{"SumBackward0", "NoGradientBackward", "ExpBackward0", "leaf [3]"}));
  EXPECT_TRUE(noted["steps"][2]["grads"][0].is_null());
  EXPECT_TRUE(noted["steps"][3]["pending"].size() == 1);
}

TEST(Trace, OfANodeThatThrowsSaysSo) {
  const Tensor x = arbitrary({3}).requires_grad_();
  const Tensor y = x * 2;
  const Tensor z = y.exp().sum();
  Trace trace;
  y.add_(1);
  const Tensor w = y.exp();
  w.mul_(2);
  EXPECT_THROW(w.sum().backward(), Error);
  z.backward({}, true);
  const json noted = json::parse(trace.json());
  int threw = 0;
  for (const json& step : noted["steps"]) threw += step.contains("threw");
  EXPECT_EQ(threw, 1);
  EXPECT_FALSE(noted["steps"].back().contains("threw"));
}

TEST(Trace, ShowsLargeTensorsAsMeansAndNaNsAsTexts) {
  const Tensor x = ones({40, 50}, kDouble).requires_grad_();
  Trace trace(/*max_elements=*/100);
  (x * x).sum().backward();
  (x * std::nan("")).mean().backward();
  const json noted = json::parse(trace.json());
  EXPECT_EQ(noted["steps"][1]["results"][0]["blocks"]["values"], json(std::vector<double>(100, 1.0)));
  EXPECT_EQ(noted["steps"].back()["grads"][0]["max"], "nan");
}

TEST(Trace, PageHoldsTheTraceAndNothingFromElsewhere) {
  const Tensor x = arbitrary({3}).requires_grad_();
  const std::string page = autograd::trace((x * x).sum(), "a <title>");
  EXPECT_NE(page.find("MulBackward0"), std::string::npos);
  EXPECT_EQ(page.find("/*TRACE*/"), std::string::npos);
  for (const char* elsewhere : {"src=\"", "href=\"", "@import", "url(h"})
    EXPECT_EQ(page.find(elsewhere), std::string::npos);
  EXPECT_THROW(Trace().name(ones({2}), "no leaf"), Error);
}

TEST(Trace, DotShowsWhatFlowed) {
  const Tensor C = ones({3, 2}, requires_grad()), F = ones({2, 4}, requires_grad());
  Trace trace;
  trace.name(C, "C");
  mm(C, F).sum().backward();
  const std::string dot = trace.dot();
  for (const char* expected :
       {"<b>C</b>", "AccumulateGrad [3, 2]", "saved [3, 2], [2, 4]", "[label=\"  [3, 4]\"]", "level 1", "rank=same"})
    EXPECT_NE(dot.find(expected), std::string::npos) << expected << "\n" << dot;
}

}  // namespace
}  // namespace wengert
