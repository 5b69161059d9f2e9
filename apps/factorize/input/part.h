#pragma once

#include <factorize/input/byte_stream.h>
#include <factorize/processes/processes.h>

#include <string>

namespace factorize {

/// The file that this process reads where `path` has {process} in it, which stands for its index.
std::string path_for(const std::string& path, const Processes& processes);

/// A file that several processes read, each a part of it: the lines that begin in its share of the bytes. Of a file
/// that is compressed nobody knows where lines begin, so it is to be one of several, a whole one for each process, in
/// whose name {process} stands for the process's index.
class SharedFile {
 public:
  /// Throws wengert::Error where there is none, where processes see different files, or where they can't share it.
  SharedFile(const Processes& processes, const std::string& path);

  /// Whether its part has the file's beginning.
  bool has_beginning() const { return is_own_ || processes_.is_first(); }
  /// A file for each process, of which it is to read all.
  bool is_own() const { return is_own_; }
  /// from: where what is shared begins.
  ByteStream open_part(const ByteStream::OnRead& on_read, uint64_t from = 0) const;
  /// Throws where the file has changed since.
  void check_unchanged() const;

 private:
  struct State {
    int64_t size, seconds, nanoseconds;
    bool operator==(const State&) const = default;
  };
  State state() const;
  // Of the file's size and of some of its bytes.
  std::string fingerprint() const;

  const Processes& processes_;
  bool is_own_;
  std::string path_;
  State state_;
};

}  // namespace factorize
