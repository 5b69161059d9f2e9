#pragma once

#include <cstdint>

namespace wengert {

/// What becomes of the losses of single elements.
namespace Reduction {
enum Reduction : int64_t {
  None,  ///< they are returned as they are
  Mean,  ///< one number: their mean
  Sum,   ///< one number: their sum
  END
};
}  // namespace Reduction

}  // namespace wengert
