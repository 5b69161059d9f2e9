#pragma once

#include <cstdint>
#include <cstdio>
#include <functional>
#include <iosfwd>
#include <memory>
#include <string>
#include <string_view>

namespace wengert::serialize {

/// Bytes that are read at any place: those of a file, or of a string. Copies share them.
class Input {
 public:
  /// A file's. What can't be read at any place (a pipe) is read whole. Throws wengert::Error, "PATH: what is wrong".
  static Input file(const std::string& path);
  /// name: for errors.
  static Input bytes(std::string name, std::string content);
  /// What read(offset, to, count) puts there, of `size` bytes.
  using Read = std::function<void(uint64_t offset, void* to, uint64_t count)>;
  static Input source(std::string name, uint64_t size, Read read);
  /// What is left in a stream, and in the program's standard input; read whole.
  static Input stream(std::istream& stream);
  static Input standard_input();

  const std::string& name() const { return name_; }
  uint64_t size() const { return size_; }
  /// Throws where they end before.
  void read(uint64_t offset, void* to, uint64_t count) const;
  std::string read(uint64_t offset, uint64_t count) const;
  /// Throws "NAME: what".
  [[noreturn]] void fail(std::string_view what) const;

 private:
  Input(std::string name, uint64_t size) : name_(std::move(name)), size_(size) {}
  static Input whole(std::string name, std::FILE* file);

  std::string name_;
  uint64_t size_;
  std::shared_ptr<std::FILE> file_;
  std::shared_ptr<const std::string> content_;
  Read read_;
};

/// Takes the bytes of a file, piece by piece.
using Sink = std::function<void(const void* data, size_t count)>;

/// Writes a file aside, and puts it in place when it is complete and on the disk: whoever reads finds the old file or
/// the new one, whole, also where the program or the machine stops in between. Devices and pipes are written directly.
/// Throws wengert::Error, "PATH: what is wrong".
void write_file(const std::string& path, const std::function<void(const Sink&)>& content);
void write_file(const std::string& path, std::string_view content);

}  // namespace wengert::serialize
