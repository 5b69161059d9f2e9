#include <wengert/autograd/base/check.h>
#include <wengert/autograd/serialize/npz.h>
#include <zip.h>

#include <cerrno>
#include <cstring>
#include <memory>

namespace wengert {
namespace serialize {
namespace {

constexpr std::string_view kSuffix = ".npy";

// A member that says it is larger than deflate (at most 1032 to 1) can make of its bytes would only take memory.
constexpr uint64_t kMostInflated = 1032;

struct Close {
  void operator()(zip_t* archive) const { zip_discard(archive); }
  void operator()(zip_file_t* member) const { zip_fclose(member); }
  void operator()(zip_source_t* source) const { zip_source_free(source); }
};
using Archive = std::unique_ptr<zip_t, Close>;
using Member = std::unique_ptr<zip_file_t, Close>;
using Source = std::unique_ptr<zip_source_t, Close>;

// Serves a zip archive from an Input.
class InputSource {
 public:
  explicit InputSource(Input input) : input_(std::move(input)) { zip_error_init(&error_); }
  ~InputSource() { zip_error_fini(&error_); }
  InputSource(const InputSource&) = delete;
  InputSource& operator=(const InputSource&) = delete;

  Archive open() {
    zip_error_t error;
    zip_error_init(&error);
    Source source(zip_source_function_create(&InputSource::serve, this, &error));
    Archive archive(source ? zip_open_from_source(source.get(), ZIP_RDONLY | ZIP_CHECKCONS, &error) : nullptr);
    const std::string what = zip_error_strerror(&error);
    zip_error_fini(&error);
    if (!archive) input_.fail(fmt::format("it is no .npz file: {}", what));
    static_cast<void>(source.release());  // which the archive owns now
    return archive;
  }

 private:
  static zip_int64_t serve(void* self, void* data, zip_uint64_t length, zip_source_cmd_t command) {
    return static_cast<InputSource*>(self)->serve(data, length, command);
  }

  zip_int64_t serve(void* data, zip_uint64_t length, zip_source_cmd_t command) {
    switch (command) {
      case ZIP_SOURCE_OPEN: at_ = 0; return 0;
      case ZIP_SOURCE_READ: {
        const uint64_t count = std::min<uint64_t>(length, input_.size() - at_);
        try {
          input_.read(at_, data, count);
        } catch (const Error&) {
          zip_error_set(&error_, ZIP_ER_READ, EIO);
          return -1;
        }
        at_ += count;
        return static_cast<zip_int64_t>(count);
      }
      case ZIP_SOURCE_STAT: {
        auto* stat = static_cast<zip_stat_t*>(data);
        zip_stat_init(stat);
        stat->valid = ZIP_STAT_SIZE;
        stat->size = input_.size();
        return sizeof *stat;
      }
      case ZIP_SOURCE_SEEK: {
        const zip_int64_t to = zip_source_seek_compute_offset(at_, input_.size(), data, length, &error_);
        if (to < 0) return -1;
        at_ = static_cast<uint64_t>(to);
        return 0;
      }
      case ZIP_SOURCE_TELL: return static_cast<zip_int64_t>(at_);
      case ZIP_SOURCE_ERROR: return zip_error_to_data(&error_, data, length);
      case ZIP_SOURCE_CLOSE:
      case ZIP_SOURCE_FREE: return 0;
      case ZIP_SOURCE_SUPPORTS:
        return zip_source_make_command_bitmap(ZIP_SOURCE_OPEN, ZIP_SOURCE_READ, ZIP_SOURCE_CLOSE, ZIP_SOURCE_STAT,
                                              ZIP_SOURCE_ERROR, ZIP_SOURCE_FREE, ZIP_SOURCE_SEEK, ZIP_SOURCE_TELL, -1);
      default: zip_error_set(&error_, ZIP_ER_OPNOTSUPP, 0); return -1;
    }
  }

  const Input input_;
  uint64_t at_ = 0;
  zip_error_t error_;
};

// An archive that is open, as long as one of its members is.
struct OpenArchive {
  explicit OpenArchive(const Input& input) : source(input), archive(source.open()) {}

  InputSource source;
  Archive archive;
};

// A member that is unpacked as it is read.
class Unpacked {
 public:
  Unpacked(std::shared_ptr<const OpenArchive> open, zip_uint64_t index, std::string name, uint64_t size)
      : open_(std::move(open)), index_(index), name_(std::move(name)), size_(size) {}

  void read(uint64_t offset, void* to, uint64_t count) {
    if (!member_ || offset < at_) {
      member_.reset(zip_fopen_index(open_->archive.get(), index_, 0));
      if (!member_) wengert::fail("{}: {}", name_, zip_strerror(open_->archive.get()));
      at_ = 0;
    }
    std::string skipped;
    while (at_ < offset) {
      constexpr uint64_t kPiece = 1 << 16;
      skipped.resize(std::min(kPiece, offset - at_));
      unpack(skipped.data(), skipped.size());
    }
    unpack(static_cast<char*>(to), count);
    // Reading beyond the end also checks the sum.
    if (char beyond; at_ == size_ && count > 0 && zip_fread(member_.get(), &beyond, 1) != 0) fail();
  }

 private:
  void unpack(char* to, uint64_t count) {
    if (zip_fread(member_.get(), to, count) != static_cast<zip_int64_t>(count)) fail();
    at_ += count;
  }
  [[noreturn]] void fail() {
    const bool is_known = zip_error_code_zip(zip_file_get_error(member_.get())) != 0;
    wengert::fail("{}: {}", name_, is_known ? zip_file_strerror(member_.get()) : "it is not as large as it says");
  }

  std::shared_ptr<const OpenArchive> open_;
  zip_uint64_t index_;
  std::string name_;
  uint64_t size_, at_ = 0;
  Member member_;
};

}  // namespace

std::map<std::string, Input> npz_members(const Input& input) {
  if (input.size() == 0) input.fail("it is no .npz file: it is empty");  // to libzip an archive without members
  const auto open = std::make_shared<const OpenArchive>(input);
  zip_t* archive = open->archive.get();
  std::map<std::string, Input> members;
  for (zip_int64_t i = 0; i < zip_get_num_entries(archive, 0); ++i) {
    const auto index = static_cast<zip_uint64_t>(i);
    zip_stat_t stat;
    constexpr zip_uint64_t kWanted = ZIP_STAT_NAME | ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE;
    if (zip_stat_index(archive, index, 0, &stat) != 0 || (stat.valid & kWanted) != kWanted) {
      input.fail(zip_strerror(archive));
    }
    std::string_view name = stat.name;
    if (!name.ends_with(kSuffix)) input.fail(fmt::format("member {} is no .npy file", name));
    name.remove_suffix(kSuffix.size());
    const std::string full_name = fmt::format("{}: member {}", input.name(), stat.name);
    if (stat.size / kMostInflated > stat.comp_size) wengert::fail("{}: it can't be as large as it says", full_name);
    const auto unpacked = std::make_shared<Unpacked>(open, index, full_name, stat.size);
    const Input member = Input::source(full_name, stat.size, [unpacked](uint64_t offset, void* to, uint64_t count) {
      unpacked->read(offset, to, count);
    });
    if (!members.emplace(name, member).second) input.fail(fmt::format("member {} is there twice", stat.name));
  }
  return members;
}

std::map<std::string, Tensor> read_npz(const Input& input) {
  std::map<std::string, Tensor> arrays;
  for (const auto& [name, member] : npz_members(input)) arrays.emplace(name, read_npy(member));
  return arrays;
}

}  // namespace serialize

std::map<std::string, Tensor> load_npz(const std::string& path) {
  return serialize::read_npz(serialize::Input::file(path));
}

void save_npz(const std::map<std::string, Tensor>& arrays, const std::string& path, bool compressed) {
  using namespace serialize;  // NOLINT
  // libzip writes no archive without members; its end, which is all that it has, is 22 bytes.
  if (arrays.empty()) return write_file(path, std::string("PK\5\6") + std::string(18, '\0'));
  zip_error_t error;
  zip_error_init(&error);
  const auto fail_with = [&](zip_error_t* what) { wengert::fail("{}: {}", path, zip_error_strerror(what)); };
  Source memory(zip_source_buffer_create(nullptr, 0, 0, &error));
  if (!memory) fail_with(&error);
  zip_source_keep(memory.get());  // beyond the archive
  Archive archive(zip_open_from_source(memory.get(), ZIP_TRUNCATE, &error));
  if (!archive) fail_with(&error);
  std::map<std::string, std::string> contents;  // which are read when the archive is closed
  for (const auto& [name, array] : arrays) {
    std::string& content = contents[name];
    write_npy(array,
              [&content](const void* data, size_t count) { content.append(static_cast<const char*>(data), count); });
    zip_source_t* source = zip_source_buffer(archive.get(), content.data(), content.size(), 0);
    const zip_int64_t index =
        zip_file_add(archive.get(), (name + std::string(kSuffix)).c_str(), source, ZIP_FL_ENC_UTF_8);
    if (index < 0) {
      zip_source_free(source);
      fail_with(zip_get_error(archive.get()));
    }
    zip_set_file_compression(archive.get(), static_cast<zip_uint64_t>(index),
                             compressed ? ZIP_CM_DEFLATE : ZIP_CM_STORE, 0);
  }
  if (zip_close(archive.get()) != 0) fail_with(zip_get_error(archive.get()));
  static_cast<void>(archive.release());

  zip_stat_t stat;
  zip_stat_init(&stat);
  if (zip_source_stat(memory.get(), &stat) != 0 || zip_source_open(memory.get()) != 0) {
    fail_with(zip_source_error(memory.get()));
  }
  write_file(path, [&](const Sink& write) {
    std::string piece(1 << 20, '\0');
    while (const zip_int64_t count = zip_source_read(memory.get(), piece.data(), piece.size())) {
      if (count < 0) fail_with(zip_source_error(memory.get()));
      write(piece.data(), static_cast<size_t>(count));
    }
  });
  zip_source_close(memory.get());
}

}  // namespace wengert
