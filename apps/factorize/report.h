#pragma once

#include <factorize/fit.h>

#include <string>

namespace factorize {

/// Prints what came out, in a few lines.
void print_summary(const std::string& file, const wengert::Tensor& matrix, const FitOptions& options,
                   const FitResult& result);

/// Writes C.npy, F.npy, metrics.json, loss.csv (and offset.npy if the matrix was centered) into a folder, which
/// is made if need be. Throws wengert::Error.
void write_results(const std::string& folder, const std::string& file, const wengert::Tensor& matrix,
                   const FitOptions& options, const FitResult& result);

}  // namespace factorize
