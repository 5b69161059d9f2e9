#pragma once

#include <factorize/model/model.h>

// Losses of entries that a model predicts by a number x, through a link: a probability by its logit, a count by its
// logarithm, other values as they are.

namespace factorize {

/// What the model says where it predicts x.
double inverse_link(double x, LossKind loss);
wengert::Tensor inverse_link(const wengert::Tensor& x, LossKind loss);

/// The x that predicts the values' mean.
double starting_mean(double mean, LossKind loss);

/// Each entry's: the squared or absolute error; Huber's, squared up to delta and then straight; minus the log of the
/// probability of 1 or 0, or of a Poisson count, up to what does not depend on x.
wengert::Tensor losses_of(const wengert::Tensor& target, const wengert::Tensor& x, LossKind loss, double huber_delta);

/// Half the second derivative of each loss by x, or a number above it with which steps stay small; of the absolute loss
/// one that is squared up to `width`.
wengert::Tensor curvatures_of(const wengert::Tensor& target, const wengert::Tensor& x, LossKind loss,
                              double huber_delta, double width = 0);

/// Throws wengert::Error where the values are none that the loss is made for.
void check_values(const Entries& entries, LossKind loss);

}  // namespace factorize
