#include <wengert/autograd/base/profiling.h>

namespace wengert::profiling {

constinit thread_local Listener* listener = nullptr;

void tell_allocated(Storage& storage) { listener->allocated(storage); }
void tell_freed(Storage& storage) { listener->freed(storage); }
void tell_begins() { listener->begins(); }
void tell_done(const char* name) { listener->done(name); }

}  // namespace wengert::profiling
