#include <wengert/autograd/base/check.h>
#include <wengert/autograd/base/grad_mode.h>
#include <wengert/autograd/base/tracing.h>
#include <wengert/autograd/serialize/archive.h>
#include <wengert/optim/averages.h>

namespace wengert::optim {

AveragedParameters::AveragedParameters(std::vector<Tensor> parameters, std::optional<double> decay)
    : parameters_(std::move(parameters)), decay_(decay) {
  check(!decay || (0 <= *decay && *decay <= 1),
        "Invalid decay value {} provided. Please provide a value in [0,1] range.", decay.value_or(0));
  for (const Tensor& parameter : parameters_) averages_.push_back(parameter.detach().clone());
}

void AveragedParameters::update_parameters() {
  tracing::refuse("optim::AveragedParameters::update_parameters(), which counts,");
  const NoGradGuard no_grad;
  const double weight = decay_ ? 1 - *decay_ : 1 / static_cast<double>(n_averaged_ + 1);
  for (size_t i = 0; i < parameters_.size(); ++i) {
    if (n_averaged_ == 0) {
      averages_[i].copy_(parameters_[i]);
    } else {
      averages_[i].lerp_(parameters_[i], weight);
    }
  }
  ++n_averaged_;
}

void AveragedParameters::save(serialize::OutputArchive& archive) const { serialize::save_fields(archive, *this); }
void AveragedParameters::load(const serialize::InputArchive& archive) { serialize::load_fields(archive, *this); }

void AveragedParameters::fields(serialize::Fields& fields) {
  fields("n_averaged", n_averaged_);
  for (size_t i = 0; i < averages_.size(); ++i) {
    fields.expect(parameters_[i].sizes().vec(), parameters_[i].dtype());
    fields("averages." + std::to_string(i), averages_[i]);
  }
}

void AveragedParameters::swap() {
  const NoGradGuard no_grad;
  for (size_t i = 0; i < parameters_.size(); ++i) {
    const Tensor held = parameters_[i].detach().clone();
    parameters_[i].copy_(averages_[i]);
    averages_[i].copy_(held);
  }
}

}  // namespace wengert::optim
