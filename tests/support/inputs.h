#pragma once

#include <gtest/gtest.h>
#include <wengert/wengert.h>

#include <string>
#include <vector>

// Tensors for tests.

namespace wengert::test {

/// A tensor of numbers between low and high that follow no pattern, the same in every run; different numbers for
/// different `salt`.
Tensor arbitrary(IntArrayRef sizes, double low = -1.5, double high = 1.5, int salt = 0, ScalarType dtype = kDouble);

/// The same elements in memory with gaps: every other element of a larger tensor.
Tensor with_gaps(const Tensor& x);

/// The elements in row-major order.
std::vector<double> values(const Tensor& x);

/// Whether both lists hold tensors of the same shapes and bytes, undefined ones in the same places.
bool same_bits(const std::vector<Tensor>& a, const std::vector<Tensor>& b);

/// The text of the wengert::Error that a call throws; fails the test if it throws none.
std::string error_of(const std::function<void()>& call);

testing::AssertionResult fails_with(const std::function<void()>& call, const std::string& text);

}  // namespace wengert::test

#define EXPECT_ALLCLOSE(a, b) \
  EXPECT_TRUE(wengert::allclose((a), (b), 1e-5, 1e-7, true)) << "left " << (a) << "\nright " << (b)

/// Expects the call to throw a wengert::Error whose text contains `text`.
#define EXPECT_ERROR(call, text) EXPECT_TRUE(wengert::test::fails_with([&] { (void)(call); }, text))
