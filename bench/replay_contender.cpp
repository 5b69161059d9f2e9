#include "contenders.h"

#include <wengert/wengert.h>

namespace bench {
namespace {

Step replayed(const Step& step) {
  step();  // makes the gradients
  return ::wengert::Replay(step);
}

}  // namespace

Contender replay() {
  return {::wengert::set_num_threads, [](Size size, Loss loss) { return replayed(wengert().notebook(size, loss)); },
          [](int64_t count) { return replayed(wengert().chain(count)); }, nullptr};
}

}  // namespace bench
