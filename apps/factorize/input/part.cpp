#include <factorize/input/part.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <wengert/autograd/base/error.h>
#include <wengert/autograd/serialize/file.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace factorize {
namespace {

using wengert::Error;
using wengert::serialize::Input;

constexpr std::string_view kIndex = "{process}";

// Where the first line begins that does so at this byte or behind it.
uint64_t line_from(const Input& input, uint64_t byte) {
  constexpr uint64_t kBlock = 1 << 16;
  if (byte == 0) return 0;
  for (uint64_t at = byte - 1; at < input.size(); at += kBlock) {
    const std::string block = input.read(at, std::min(kBlock, input.size() - at));
    if (const size_t newline = block.find('\n'); newline != std::string::npos) return at + newline + 1;
  }
  return input.size();
}

}  // namespace

std::string path_for(const std::string& path, const Processes& processes) {
  const size_t at = path.find(kIndex);
  if (at == std::string::npos) return path;
  return std::string(path).replace(at, kIndex.size(), std::to_string(processes.index()));
}

SharedFile::SharedFile(const Processes& processes, const std::string& path)
    : processes_(processes),
      is_own_(path.find(kIndex) != std::string::npos),
      path_(path_for(path, processes)),
      state_(state()) {
  if (is_own_) return;
  if (!ByteStream::open(path_).size_hint()) {
    throw Error(
        fmt::format("{}: several processes can't share a compressed file; give each one of its own, with {} in "
                    "the name in the place of the process's index from 0 on",
                    path_, kIndex));
  }
  const std::vector<std::string> of_each = processes.of_each(fingerprint()),
                                 hosts = processes.of_each(processes.host());
  for (size_t p = 1; p < of_each.size(); ++p) {
    if (of_each[p] == of_each[0]) continue;
    throw Error(
        fmt::format("{}: process {} on {} finds another file than process 0 on {}", path_, p, hosts[p], hosts[0]));
  }
}

SharedFile::State SharedFile::state() const {
  struct stat status {};
  if (stat(path_.c_str(), &status) != 0) throw Error(fmt::format("{}: {}", path_, std::strerror(errno)));
  if (!S_ISREG(status.st_mode)) {
    throw Error(fmt::format("{}: several processes read files, not pipes or devices", path_));
  }
  return {status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec};
}

std::string SharedFile::fingerprint() const {
  constexpr uint64_t kPlaces = 64, kBytes = 4096;
  const Input input = Input::file(path_);
  std::string bytes = std::to_string(input.size()) + ' ';
  for (uint64_t i = 0; i < kPlaces; ++i) {
    const uint64_t at = input.size() / kPlaces * i;
    bytes += input.read(at, std::min(kBytes, input.size() - at));
  }
  return bytes;
}

void SharedFile::check_unchanged() const {
  if (!(state() == state_)) throw Error(fmt::format("{}: the file changed while it was read", path_));
}

ByteStream SharedFile::open_part(const ByteStream::OnRead& on_read, uint64_t from) const {
  if (is_own_) return ByteStream::open(path_, on_read);
  const Input input = Input::file(path_);
  const auto count = static_cast<uint64_t>(processes_.count()), index = static_cast<uint64_t>(processes_.index());
  const auto cut = [&](uint64_t i) {
    if (i == count) return input.size();
    const double bytes = static_cast<double>(input.size() - from) * static_cast<double>(i) / static_cast<double>(count);
    return i == 0 ? from : line_from(input, from + static_cast<uint64_t>(bytes));
  };
  return ByteStream::part(path_, cut(index), cut(index + 1), on_read);
}

}  // namespace factorize
