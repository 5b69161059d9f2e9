#pragma once

#include <wengert/autograd/tensor/tensor.h>

#include <vector>

namespace wengert::nn::utils {

// Gradients kept within bounds, under libtorch's names. Parameters without a gradient are passed over.

/// Scales all gradients by max_norm / (norm + 1e-6) where their norm is larger than max_norm. The norm is that of all
/// of them as one vector: (sum |g|^norm_type)^(1/norm_type), or the largest |g| for infinity.
/// Returns the norm there was. Throws, before anything is changed, if it is not finite and error_if_nonfinite.
double clip_grad_norm_(const std::vector<Tensor>& parameters, double max_norm, double norm_type = 2.0,
                       bool error_if_nonfinite = false);
double clip_grad_norm_(Tensor parameter, double max_norm, double norm_type = 2.0, bool error_if_nonfinite = false);

/// Limits every element of the gradients to [-clip_value, clip_value].
void clip_grad_value_(const std::vector<Tensor>& parameters, double clip_value);
void clip_grad_value_(Tensor parameter, double clip_value);

/// All parameters' elements one after another in a vector, and back from there into the parameters.
Tensor parameters_to_vector(const std::vector<Tensor>& parameters);
void vector_to_parameters(const Tensor& vector, const std::vector<Tensor>& parameters);

}  // namespace wengert::nn::utils
