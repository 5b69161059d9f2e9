#include <gtest/gtest.h>
#include <support/inputs.h>

namespace wengert {
namespace {

using autograd::CreationMeta;

Tensor inference_ones(IntArrayRef sizes) {
  const InferenceMode guard;
  return ones(sizes);
}

TEST(InferenceMode, MakesInferenceTensorsWithoutHistory) {
  const Tensor x = ones({2}, requires_grad());
  const InferenceMode guard;
  const Tensor y = x * 2;
  EXPECT_TRUE(y.is_inference());
  EXPECT_FALSE(y.requires_grad());
  EXPECT_FALSE(GradMode::is_enabled());
  EXPECT_FALSE(x.is_inference());
}

TEST(InferenceMode, CanBeLeftWithinItself) {
  const InferenceMode guard;
  {
    const InferenceMode left(false);
    EXPECT_FALSE(InferenceMode::is_enabled());
    EXPECT_TRUE(GradMode::is_enabled());
    EXPECT_FALSE(ones({1}).is_inference());
  }
  EXPECT_TRUE(InferenceMode::is_enabled());
}

TEST(InferenceMode, InferenceTensorsKnowNoVersion) {
  EXPECT_ERROR(inference_ones({1})._version(), "Inference tensors do not track version counter.");
}

TEST(InferenceMode, InferenceTensorsChangeInPlaceOnlyInTheMode) {
  const Tensor x = inference_ones({2});
  EXPECT_ERROR(x.mul_(2), "Inplace update to inference tensor outside InferenceMode is not allowed");
  const InferenceMode guard;
  EXPECT_TRUE(equal(x.mul_(2), full({2}, 2.0)));
}

TEST(InferenceMode, InferenceTensorsCannotBeSaved) {
  const Tensor x = inference_ones({2}), y = ones({2}, requires_grad());
  EXPECT_ERROR(x * y, "Inference tensors cannot be saved for backward.");
  EXPECT_TRUE((x + y).requires_grad());  // saves nothing
  EXPECT_FALSE((x * x).is_inference());
}

TEST(InferenceMode, RequiresGradCannotBeAskedForOutside) {
  EXPECT_ERROR(inference_ones({1}).requires_grad_(), "Setting requires_grad=True on inference tensor outside");
}

TEST(InferenceMode, ViewsOfInferenceTensorsAreInferenceTensors) {
  const Tensor view = inference_ones({2, 3}).view({3, 2});
  EXPECT_TRUE(view.is_inference());
  EXPECT_FALSE(view.is_view());
}

TEST(InferenceMode, ViewsOfNormalTensorsAreNormalButMayNotBeChangedLater) {
  const Tensor x = ones({2, 3}, requires_grad()) * 1;
  Tensor view;
  {
    const InferenceMode guard;
    view = x.view({3, 2});
    EXPECT_EQ(view.impl()->creation, CreationMeta::INFERENCE_MODE);
  }
  EXPECT_FALSE(view.is_inference());
  EXPECT_TRUE(view.requires_grad());
  EXPECT_TRUE(view.is_leaf());
  EXPECT_ERROR(view.mul_(2), "A view was created in inference mode and is being modified inplace");
  x.mul_(2);
  EXPECT_ERROR(view.grad_fn(),
               "A view was created in inference mode and its base or another view of its base has been");
}

TEST(InferenceMode, InPlaceChangesOfNormalTensorsAreNoticed) {
  const Tensor x = ones({2}, requires_grad()).clone();
  const Tensor y = x * x;
  {
    const InferenceMode guard;
    x.mul_(2);
  }
  EXPECT_ERROR(y.sum().backward(), "has been modified by an inplace operation");
}

TEST(InferenceMode, InferenceTensorsAmongThemselvesRecordNothing) {
  Tensor x;
  {
    const InferenceMode guard;
    x = ones({2, 3}).requires_grad_();
  }
  EXPECT_FALSE((x * x).requires_grad());
  const Tensor view = x.view({3, 2});
  EXPECT_TRUE(view.is_inference());
  EXPECT_FALSE(view.requires_grad());
  EXPECT_TRUE(view.is_leaf());
  const Tensor normal = ones({2, 3}, requires_grad());
  (x + normal).sum().backward();
  EXPECT_TRUE(equal(x.grad(), ones({2, 3})));
  EXPECT_ERROR(x * normal, "Inference tensors cannot be saved for backward.");
}

TEST(InferenceMode, ViewsOfALeafAreRefusedForTheirModeFirst) {
  const Tensor x = ones({2, 3}, requires_grad());
  Tensor view, of_view;
  {
    const InferenceMode guard;
    view = x.view({3, 2});
    of_view = view.t();
    of_view.mul_(2);
    EXPECT_EQ(of_view._version(), 1);
    EXPECT_EQ(x._version(), 1);
  }
  EXPECT_TRUE(view.requires_grad());
  EXPECT_TRUE(of_view.is_leaf());
  for (const Tensor& v : {view, of_view})
    EXPECT_ERROR(v.mul_(2), "A view was created in inference mode and is being modified inplace in normal mode.");
}

TEST(NoGradMode, ViewsRequireGradForTheirBasesSake) {
  const Tensor x = ones({2, 3}, requires_grad()) * 1;
  Tensor view;
  {
    const NoGradGuard no_grad;
    view = x.view({3, 2});
  }
  EXPECT_EQ(view.impl()->creation, CreationMeta::NO_GRAD_MODE);
  EXPECT_TRUE(view.requires_grad());
  EXPECT_TRUE(view.is_leaf());
  (view * view).sum().backward();
  EXPECT_FALSE(view.grad().defined());
  EXPECT_ERROR(view.mul_(2), "A view was created in no_grad mode and is being modified inplace");
}

}  // namespace
}  // namespace wengert
