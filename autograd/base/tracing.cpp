#include <wengert/autograd/base/tracing.h>

namespace wengert {

constinit thread_local tracing::Listener* tracing::listener = nullptr;

}  // namespace wengert
