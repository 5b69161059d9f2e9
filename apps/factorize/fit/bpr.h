#pragma once

#include <factorize/fit/fit.h>

namespace factorize {

/// fit() of implicit feedback by Bayesian personalized ranking (Rendle, Freudenthaler, Gantner, Schmidt-Thieme, UAI
/// 2009): over random triples of a row i, a column j with an entry there and a column l without one, the sum of
///
///     -log sigmoid(x_ij - x_il) + l2 (|C_i|^2 + |F_j|^2 + |F_l|^2),    x_ij = c_j + C_i F_j,
///
/// by Adagrad on the rows that a batch has. An iteration is as many triples as there are entries. Of several processes
/// each draws from its own rows, and asks the others for the columns.
FitResult fit_by_bpr(const Share& share, const FitOptions& options, const Running& running);

}  // namespace factorize
