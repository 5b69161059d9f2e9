#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace factorize {

/// The bytes of a file, from its beginning to its end; those that gzip or Zstandard compressed are decompressed.
class ByteStream {
 public:
  /// What is told of reading: the file's name, how many of its bytes are read and, where it is known, how many it has.
  using OnRead = std::function<void(const std::string& name, size_t read, std::optional<size_t> size)>;

  /// "-" is standard input. Throws wengert::Error, "PATH: what is wrong".
  static ByteStream open(const std::string& path, const OnRead& on_read = {});
  /// Those from one place of a file up to another, as they are.
  static ByteStream part(const std::string& path, size_t begin, size_t end, const OnRead& on_read = {});
  /// Bytes at hand, which must live longer.
  static ByteStream of(std::string name, std::string_view content);

  const std::string& name() const { return name_; }
  /// As many as there are, up to `count`; 0 at the end. Throws wengert::Error where they can't be read.
  size_t read(char* to, size_t count);
  /// The first bytes, up to `count`, which read() still gives.
  std::string_view peek(size_t count);
  /// All that is left.
  std::string read_all();
  /// How many there are to read, where the file says so.
  std::optional<size_t> size_hint() const { return size_hint_; }

 private:
  using Source = std::function<size_t(char* to, size_t count)>;

  std::string name_;
  Source source_;
  std::string ahead_;  // read from the source, but not from here
  size_t ahead_begin_ = 0;
  std::optional<size_t> size_hint_;
};

/// Pieces of text that end where lines do.
class LineBlocks {
 public:
  static constexpr size_t kBlock = size_t{2} << 20;
  static constexpr size_t kLongestLine = size_t{1} << 28;

  explicit LineBlocks(ByteStream& stream) : stream_(stream) {}
  /// The next lines, some kBlock bytes of them; empty at the end. Throws where a line is longer than kLongestLine.
  std::string next();

 private:
  ByteStream& stream_;
  std::string rest_;
  bool at_end_ = false;
};

}  // namespace factorize
