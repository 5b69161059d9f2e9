#include <factorize/input/byte_stream.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <wengert/autograd/base/error.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <vector>

namespace factorize {
namespace {

using wengert::Error;
using Source = std::function<size_t(char* to, size_t count)>;

constexpr size_t kCompressedBlock = size_t{256} << 10;

Source source_of(std::shared_ptr<std::FILE> file, const std::string& name, std::optional<size_t> size,
                 const ByteStream::OnRead& on_read) {
  return [file = std::move(file), name, size, on_read, done = size_t{0}](char* to, size_t count) mutable {
    const size_t some = std::min(count, LineBlocks::kBlock), read = std::fread(to, 1, some, file.get());
    if (read < some && std::ferror(file.get()) != 0) {
      throw Error(fmt::format("{}: {}", name, std::strerror(errno)));
    }
    done += read;
    if (on_read) on_read(name, done, size);
    return read;
  };
}

// What a decompressor reads.
struct Compressed {
  Source source;
  std::string name;
  std::vector<char> bytes = std::vector<char>(kCompressedBlock);
  size_t begin = 0, end = 0;

  // Whether there is anything.
  bool fill() {
    if (begin < end) return true;
    begin = 0;
    end = source(bytes.data(), bytes.size());
    return end > 0;
  }
  [[noreturn]] void fail(std::string_view what) const { throw Error(fmt::format("{}: {}", name, what)); }
};

class Gunzip {
 public:
  explicit Gunzip(Compressed from) : from_(std::move(from)) {
    constexpr int kOnlyGzip = 16;
    if (inflateInit2(&stream_, MAX_WBITS + kOnlyGzip) != Z_OK) from_.fail("zlib could not begin");
  }
  ~Gunzip() { inflateEnd(&stream_); }
  Gunzip(const Gunzip&) = delete;
  Gunzip& operator=(const Gunzip&) = delete;

  size_t read(char* to, size_t count) {
    stream_.next_out = reinterpret_cast<Bytef*>(to);
    stream_.avail_out = static_cast<uInt>(std::min<size_t>(count, 1U << 30));
    const size_t wanted = stream_.avail_out;
    while (stream_.avail_out > 0) {
      if (!from_.fill()) {
        if (in_member_) from_.fail("the gzip data end too early");
        break;
      }
      if (!in_member_) {
        // Several files may follow each other; zeros after the last are padding.
        if (begun_ && from_.bytes[from_.begin] == 0) {
          ++from_.begin;
          continue;
        }
        inflateReset(&stream_);
        in_member_ = begun_ = true;
      }
      stream_.next_in = reinterpret_cast<Bytef*>(from_.bytes.data() + from_.begin);
      stream_.avail_in = static_cast<uInt>(from_.end - from_.begin);
      const int status = inflate(&stream_, Z_NO_FLUSH);
      from_.begin = from_.end - stream_.avail_in;
      if (status == Z_STREAM_END) {
        in_member_ = false;
      } else if (status != Z_OK && status != Z_BUF_ERROR) {
        from_.fail(fmt::format("the gzip data are damaged ({})", stream_.msg == nullptr ? "unknown" : stream_.msg));
      }
    }
    return wanted - stream_.avail_out;
  }

 private:
  Compressed from_;
  z_stream stream_{};
  bool in_member_ = false, begun_ = false;
};

class Unzstd {
 public:
  explicit Unzstd(Compressed from) : from_(std::move(from)), stream_(ZSTD_createDStream(), ZSTD_freeDStream) {
    if (!stream_) from_.fail("there is no memory for Zstandard");
  }

  size_t read(char* to, size_t count) {
    ZSTD_outBuffer out{to, count, 0};
    while (out.pos < out.size) {
      if (!from_.fill()) {
        if (in_frame_) from_.fail("the Zstandard data end too early");
        break;
      }
      ZSTD_inBuffer in{from_.bytes.data(), from_.end, from_.begin};
      const size_t left = ZSTD_decompressStream(stream_.get(), &out, &in);
      from_.begin = in.pos;
      if (ZSTD_isError(left) != 0) {
        from_.fail(fmt::format("the Zstandard data are damaged ({})", ZSTD_getErrorName(left)));
      }
      in_frame_ = left != 0;
    }
    return out.pos;
  }

 private:
  Compressed from_;
  std::unique_ptr<ZSTD_DStream, size_t (*)(ZSTD_DStream*)> stream_;
  bool in_frame_ = false;
};

}  // namespace

ByteStream ByteStream::open(const std::string& path, const OnRead& on_read) {
  ByteStream stream;
  std::shared_ptr<std::FILE> file;
  if (path == "-") {
    stream.name_ = "standard input";
    file = std::shared_ptr<std::FILE>(stdin, [](std::FILE*) {});
  } else {
    stream.name_ = path;
    std::FILE* opened = std::fopen(path.c_str(), "rb");
    if (opened == nullptr) throw Error(fmt::format("{}: {}", path, std::strerror(errno)));
    file = std::shared_ptr<std::FILE>(opened, std::fclose);
  }
  struct stat status {};
  if (fstat(fileno(file.get()), &status) == 0 && S_ISREG(status.st_mode)) {
    stream.size_hint_ = static_cast<size_t>(status.st_size);
  }
  std::setvbuf(file.get(), nullptr, _IONBF, 0);  // what reads asks for much at once
  stream.source_ = source_of(std::move(file), stream.name_, stream.size_hint_, on_read);
  const std::string_view head = stream.peek(4);
  const bool is_gzip = head.starts_with("\x1f\x8b"), is_zstd = head == "\x28\xb5\x2f\xfd";
  if (!is_gzip && !is_zstd) return stream;

  Compressed compressed{stream.source_, stream.name_};
  std::copy(head.begin(), head.end(), compressed.bytes.begin());
  compressed.end = head.size();
  stream.ahead_.clear();
  stream.size_hint_.reset();
  const auto decompress = [&](auto decompressor) {
    stream.source_ = [decompressor](char* to, size_t count) { return decompressor->read(to, count); };
  };
  is_gzip ? decompress(std::make_shared<Gunzip>(std::move(compressed)))
          : decompress(std::make_shared<Unzstd>(std::move(compressed)));
  return stream;
}

ByteStream ByteStream::part(const std::string& path, size_t begin, size_t end, const OnRead& on_read) {
  std::shared_ptr<std::FILE> file(std::fopen(path.c_str(), "rb"), [](std::FILE* opened) {
    if (opened != nullptr) std::fclose(opened);
  });
  if (!file || fseeko(file.get(), static_cast<off_t>(begin), SEEK_SET) != 0) {
    throw Error(fmt::format("{}: {}", path, std::strerror(errno)));
  }
  std::setvbuf(file.get(), nullptr, _IONBF, 0);
  ByteStream stream;
  stream.name_ = begin == 0 ? path : fmt::format("{} from byte {} on", path, begin);
  stream.size_hint_ = end - begin;
  stream.source_ = [from = source_of(std::move(file), path, end - begin, on_read), left = end - begin](
                       char* to, size_t count) mutable {
    const size_t some = from(to, std::min(count, left));
    left -= some;
    return some;
  };
  return stream;
}

ByteStream ByteStream::of(std::string name, std::string_view content) {
  ByteStream stream;
  stream.name_ = std::move(name);
  stream.size_hint_ = content.size();
  stream.source_ = [content](char* to, size_t count) mutable {
    const size_t some = std::min(count, content.size());
    std::copy_n(content.data(), some, to);
    content.remove_prefix(some);
    return some;
  };
  return stream;
}

size_t ByteStream::read(char* to, size_t count) {
  const size_t from_ahead = std::min(count, ahead_.size() - ahead_begin_);
  std::copy_n(ahead_.data() + ahead_begin_, from_ahead, to);
  ahead_begin_ += from_ahead;
  size_t done = from_ahead;
  while (done < count) {
    const size_t some = source_(to + done, count - done);
    if (some == 0) break;
    done += some;
  }
  return done;
}

std::string_view ByteStream::peek(size_t count) {
  if (const size_t there = ahead_.size() - ahead_begin_; there < count) {
    std::string bytes(count, '\0');
    bytes.resize(read(bytes.data(), count));
    ahead_ = std::move(bytes);
    ahead_begin_ = 0;
  }
  return std::string_view(ahead_).substr(ahead_begin_, count);
}

std::string ByteStream::read_all() {
  std::string all;
  size_t size = 0;
  while (true) {
    all.resize(size +
               std::max(LineBlocks::kBlock, size_hint_.value_or(0) + 1 - std::min(size, size_hint_.value_or(0))));
    const size_t some = read(all.data() + size, all.size() - size);
    size += some;
    if (size < all.size()) break;
  }
  all.resize(size);
  return all;
}

std::string LineBlocks::next() {
  std::string block = std::move(rest_);
  rest_.clear();
  while (!at_end_) {
    const size_t before = block.size();
    block.resize(before + kBlock);
    const size_t some = stream_.read(block.data() + before, kBlock);
    block.resize(before + some);
    at_end_ = some < kBlock;
    if (at_end_) break;
    const size_t newline = block.rfind('\n');
    if (newline != std::string::npos && newline >= before) {
      rest_ = block.substr(newline + 1);
      block.resize(newline + 1);
      break;
    }
    if (block.size() > kLongestLine) {
      throw Error(fmt::format("{}: a line is longer than {} MiB", stream_.name(), kLongestLine >> 20));
    }
  }
  return block;
}

}  // namespace factorize
