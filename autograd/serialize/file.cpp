#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wengert/autograd/base/check.h>
#include <wengert/autograd/serialize/file.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <sstream>
#include <utility>

namespace wengert::serialize {
namespace {

[[noreturn]] void fail_with_errno(const std::string& path) { wengert::fail("{}: {}", path, std::strerror(errno)); }

// What a directory says of its files is on the disk.
void sync_directory(const std::filesystem::path& directory) {
  const int descriptor = open(directory.empty() ? "." : directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;  // it may not be readable, and the file is there
  fsync(descriptor);
  close(descriptor);
}

}  // namespace

Input Input::file(const std::string& path) {
  const std::shared_ptr<std::FILE> file(std::fopen(path.c_str(), "rb"),
                                        [](std::FILE* open) { open != nullptr ? std::fclose(open) : 0; });
  struct stat status {};
  if (!file || fstat(fileno(file.get()), &status) != 0) fail_with_errno(path);
  if (S_ISDIR(status.st_mode)) wengert::fail("{}: is a directory", path);
  if (S_ISREG(status.st_mode)) {
    Input input(path, static_cast<uint64_t>(status.st_size));
    input.file_ = file;
    return input;
  }
  return whole(path, file.get());
}

Input Input::whole(std::string name, std::FILE* file) {
  std::string content;
  char buffer[1 << 16];
  while (const size_t count = std::fread(buffer, 1, sizeof buffer, file)) content.append(buffer, count);
  if (std::ferror(file) != 0) fail_with_errno(name);
  return bytes(std::move(name), std::move(content));
}

Input Input::standard_input() { return whole("standard input", stdin); }

Input Input::bytes(std::string name, std::string content) {
  Input input(std::move(name), content.size());
  input.content_ = std::make_shared<const std::string>(std::move(content));
  return input;
}

Input Input::source(std::string name, uint64_t size, Read read) {
  Input input(std::move(name), size);
  input.read_ = std::move(read);
  return input;
}

Input Input::stream(std::istream& stream) {
  std::ostringstream content;
  content << stream.rdbuf();
  return bytes("stream", std::move(content).str());
}

void Input::fail(std::string_view what) const { wengert::fail("{}: {}", name_, what); }

void Input::read(uint64_t offset, void* to, uint64_t count) const {
  if (offset > size_ || count > size_ - offset) fail("the file is cut short");
  if (content_) {
    if (count > 0) std::memcpy(to, content_->data() + offset, count);
    return;
  }
  if (read_) return read_(offset, to, count);
  for (auto* at = static_cast<char*>(to); count > 0;) {
    const ssize_t got = pread(fileno(file_.get()), at, count, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail_with_errno(name_);
    if (got == 0) fail("the file is cut short");
    at += got, offset += static_cast<uint64_t>(got), count -= static_cast<uint64_t>(got);
  }
}

std::string Input::read(uint64_t offset, uint64_t count) const {
  if (offset > size_ || count > size_ - offset) fail("the file is cut short");
  std::string bytes(count, '\0');
  read(offset, bytes.data(), count);
  return bytes;
}

namespace {

// A file that is written aside; without commit() the old one stays.
class OutputFile {
 public:
  explicit OutputFile(const std::string& path);
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;
  ~OutputFile();

  void write(const void* data, size_t count);
  void commit();

 private:
  std::string path_, target_, aside_;  // as it was named; where links lead; empty if written directly
  std::FILE* file_ = nullptr;
};

OutputFile::OutputFile(const std::string& path) : path_(path), target_(path) {
  static std::atomic<int> counter{0};
  std::error_code none;
  const std::filesystem::path leads_to = std::filesystem::canonical(path, none);
  if (!none) target_ = leads_to;
  struct stat status {};
  const bool exists = stat(target_.c_str(), &status) == 0;
  if (exists && S_ISDIR(status.st_mode)) wengert::fail("{}: is a directory", path_);
  if (exists && !S_ISREG(status.st_mode)) {
    file_ = std::fopen(target_.c_str(), "wb");
    if (file_ == nullptr) fail_with_errno(path_);
    return;
  }
  aside_ = fmt::format("{}.{}-{}.tmp", target_, getpid(), counter++);
  const int descriptor = open(aside_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (descriptor < 0) fail_with_errno(path_);
  if (exists) static_cast<void>(fchmod(descriptor, status.st_mode & 07777));  // as it was, if that is allowed
  file_ = fdopen(descriptor, "wb");
}

OutputFile::~OutputFile() {
  if (file_ != nullptr) std::fclose(file_);
  if (!aside_.empty()) std::remove(aside_.c_str());
}

void OutputFile::write(const void* data, size_t count) {
  if (count > 0 && std::fwrite(data, 1, count, file_) != count) fail_with_errno(path_);
}

void OutputFile::commit() {
  const bool written = std::fflush(file_) == 0 && (aside_.empty() || fsync(fileno(file_)) == 0);
  const int reason = errno;
  const bool closed = std::fclose(std::exchange(file_, nullptr)) == 0;
  if (!written) errno = reason;
  if (!written || !closed) fail_with_errno(path_);
  if (aside_.empty()) return;
  if (std::rename(aside_.c_str(), target_.c_str()) != 0) fail_with_errno(path_);
  aside_.clear();
  sync_directory(std::filesystem::path(target_).parent_path());
}

}  // namespace

void write_file(const std::string& path, const std::function<void(const Sink&)>& content) {
  OutputFile file(path);
  content([&file](const void* data, size_t count) { file.write(data, count); });
  file.commit();
}

void write_file(const std::string& path, std::string_view content) {
  write_file(path, [content](const Sink& write) { write(content.data(), content.size()); });
}

}  // namespace wengert::serialize
