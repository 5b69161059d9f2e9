#include <wengert/autograd/storage.h>

#include <new>

namespace wengert {

IntrusivePtr<Storage> Storage::allocate(size_t bytes) {
  void* block = pool::allocate(sizeof(Storage) + bytes);
  return IntrusivePtr<Storage>::adopt(new (block) Storage(static_cast<char*>(block) + sizeof(Storage), bytes));
}

IntrusivePtr<Storage> Storage::borrow(void* data, size_t bytes, std::function<void(void*)> on_release) {
  auto storage = IntrusivePtr<Storage>::adopt(new (pool::allocate(sizeof(Storage))) Storage(data, bytes));
  storage->on_release_ = std::move(on_release);
  return storage;
}

void Storage::destroy() noexcept {
  const bool owns_memory = data_ == reinterpret_cast<char*>(this) + sizeof(Storage);
  const size_t block_bytes = sizeof(Storage) + (owns_memory ? bytes_ : 0);
  if (on_release_) on_release_(data_);
  this->~Storage();
  pool::deallocate(this, block_bytes);
}

}  // namespace wengert
