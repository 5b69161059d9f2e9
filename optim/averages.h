#pragma once

#include <wengert/autograd/tensor/tensor.h>

#include <optional>
#include <vector>

namespace wengert::serialize {
class Fields;
class InputArchive;
class OutputArchive;
}  // namespace wengert::serialize

namespace wengert::optim {

/// A running average of parameters, as torch.optim.swa_utils.AveragedModel keeps it: over steps of equal weight
/// (Izmailov et al., 2018), or exponential. The first update copies the parameters.
///
///     equal:        a <- a + (p - a) / (n + 1),  n being the updates so far
///     exponential:  a <- decay a + (1 - decay) p
class AveragedParameters {
 public:
  /// decay: of an exponential average, in [0, 1]; without it the average is equal.
  explicit AveragedParameters(std::vector<Tensor> parameters, std::optional<double> decay = {});

  /// Takes the parameters into the average.
  void update_parameters();
  /// The averages, in the order of the parameters. Without history.
  const std::vector<Tensor>& averages() const { return averages_; }
  int64_t n_averaged() const { return n_averaged_; }
  /// Exchanges parameters and averages: once to evaluate with the averages, and once more to go on.
  void swap();

  void save(serialize::OutputArchive& archive) const;
  /// Throws wengert::Error where the archive does not fit, and changes nothing then.
  void load(const serialize::InputArchive& archive);
  void fields(serialize::Fields& fields);  ///< names the members (serialize/archive.h)

 private:
  std::vector<Tensor> parameters_, averages_;
  std::optional<double> decay_;
  int64_t n_averaged_ = 0;
};

}  // namespace wengert::optim
