#include <wengert/autograd/base/check.h>
#include <wengert/autograd/serialize/npy.h>
#include <wengert/autograd/serialize/stored_type.h>

#include <algorithm>
#include <charconv>

namespace wengert::serialize {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr size_t kPrefix = 8;                   // the magic and two bytes of version
constexpr uint32_t kLongestHeader = 1'000'000;  // those of arrays have some hundred bytes; of records, more

// What the header says.
struct Description {
  std::string descr;
  bool fortran_order = false;
  std::vector<int64_t> shape;
};

// Reads a header such as {'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }.
class HeaderParser {
 public:
  HeaderParser(const Input& input, std::string_view text) : input_(input), rest_(text) {}

  Description parse() {
    Description description;
    int descrs = 0, orders = 0, shapes = 0;
    expect('{');
    while (!take('}')) {
      const std::string key = text();
      expect(':');
      if (key == "descr") {
        if (next() != '\'' && next() != '"') input_.fail("arrays of records are not offered");
        description.descr = text();
        ++descrs;
      } else if (key == "fortran_order") {
        description.fortran_order = boolean();
        ++orders;
      } else if (key == "shape") {
        description.shape = tuple();
        ++shapes;
      } else {
        fail();
      }
      if (!take(',') && next() != '}') fail();
    }
    if (next() != '\0' || descrs != 1 || orders != 1 || shapes != 1) fail();
    return description;
  }

 private:
  [[noreturn]] void fail() const { input_.fail("the .npy header is not as NumPy writes it"); }

  // The next character that is not blank; 0 at the end.
  char next() {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\n"), rest_.size()));
    return rest_.empty() ? '\0' : rest_.front();
  }
  bool take(char wanted) {
    if (next() != wanted) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void expect(char wanted) {
    if (!take(wanted)) fail();
  }
  bool take_word(std::string_view word) {
    next();
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }
  bool boolean() {
    if (take_word("True")) return true;
    if (!take_word("False")) fail();
    return false;
  }
  std::string text() {
    const char quote = next();
    if (quote != '\'' && quote != '"') fail();
    const size_t end = rest_.find(quote, 1);
    if (end == std::string_view::npos) fail();
    std::string text(rest_.substr(1, end - 1));
    rest_.remove_prefix(end + 1);
    return text;
  }
  std::vector<int64_t> tuple() {
    std::vector<int64_t> numbers;
    expect('(');
    while (!take(')')) {
      next();
      int64_t number;
      const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), number);
      if (error != std::errc() || number < 0) fail();
      rest_.remove_prefix(static_cast<size_t>(end - rest_.data()));
      take_word("L");  // as Python 2 wrote whole numbers
      numbers.push_back(number);
      if (!take(',') && next() != ')') fail();
    }
    return numbers;
  }

  const Input& input_;
  std::string_view rest_;
};

const StoredType& type_of(const Input& input, const std::string& descr) {
  const char order = descr.empty() ? '\0' : descr.front();
  const StoredType* type = stored_type_of_numpy(std::string_view(descr).substr(descr.empty() ? 0 : 1));
  if (type == nullptr || (order != '<' && order != '|' && order != '=' && order != '>')) {
    input.fail(fmt::format("the array's dtype {} is not offered", descr));
  }
  return *type;
}

}  // namespace

bool is_npy(const Input& input) { return input.size() >= kMagic.size() && input.read(0, kMagic.size()) == kMagic; }

namespace {

// What the header says, and where the elements begin.
struct Layout {
  const StoredType& type;
  ByteOrder order;
  bool fortran_order;
  std::vector<int64_t> shape;
  uint64_t start;
};

Layout layout_of(const Input& input) {
  if (!is_npy(input)) input.fail("it is no .npy file");
  // Behind the version the header's length, in two bytes in version 1 and in four since.
  const auto cut_short = [&] { input.fail("the .npy file ends within its header"); };
  if (input.size() < kPrefix + 4) cut_short();
  const auto version = static_cast<unsigned char>(input.read(kMagic.size(), 1)[0]);
  if (version < 1 || version > 3) input.fail(fmt::format(".npy version {} is not known", version));
  const uint64_t length_bytes = version == 1 ? 2 : 4;
  uint32_t length = 0;
  input.read(kPrefix, &length, length_bytes);
  const uint64_t start = kPrefix + length_bytes + length;
  if (start > input.size()) cut_short();
  if (length > kLongestHeader) input.fail(fmt::format("the .npy header of {} bytes is too long", length));
  const std::string header = input.read(kPrefix + length_bytes, length);
  auto [descr, fortran_order, shape] = HeaderParser(input, header).parse();
  const StoredType& type = type_of(input, descr);
  const ByteOrder order = descr.front() == '>' ? ByteOrder::kBig : ByteOrder::kLittle;
  const std::optional<int64_t> bytes = bytes_of(shape, type);
  if (!bytes) input.fail(fmt::format("the array's shape ({}) is too large", joined(shape)));
  if (static_cast<uint64_t>(*bytes) != input.size() - start) {
    input.fail(fmt::format("expected {} bytes of elements for shape ({}), found {}", *bytes, joined(shape),
                           input.size() - start));
  }
  return {type, order, fortran_order, std::move(shape), start};
}

}  // namespace

Tensor read_npy(const Input& input) {
  auto [type, order, fortran_order, shape, start] = layout_of(input);
  if (!fortran_order) return read_elements(input, start, shape, type, order);
  // In Fortran order the file holds the transpose in C order.
  std::reverse(shape.begin(), shape.end());
  const Tensor stored = read_elements(input, start, shape, type, order);
  std::vector<int64_t> dims;
  for (int64_t d = stored.dim(); d-- > 0;) dims.push_back(d);
  return stored.permute(dims).contiguous();
}

Tensor read_npy_rows(const Input& input, const std::function<std::pair<int64_t, int64_t>(int64_t)>& of_rows) {
  auto [type, order, fortran_order, shape, start] = layout_of(input);
  if (fortran_order || shape.empty()) input.fail("the array is in Fortran order or has no rows: no block can be read");
  const auto [begin, end] = of_rows(shape[0]);
  check(0 <= begin && begin <= end && end <= shape[0], "read_npy_rows: there are no rows {} to {} of {}", begin, end,
        shape[0]);
  const uint64_t row_bytes = shape[0] == 0 ? 0 : (input.size() - start) / static_cast<uint64_t>(shape[0]);
  shape[0] = end - begin;
  return read_elements(input, start + row_bytes * static_cast<uint64_t>(begin), shape, type, order);
}

void write_npy(const Tensor& tensor, const Sink& write) {
  check(tensor.defined() && !tensor.is_sparse(), "save_npy: the tensor is undefined or sparse");
  const Tensor elements = tensor.detach().contiguous();
  const StoredType& type = stored_type_of(elements.dtype());
  std::string header =
      fmt::format("{{'descr': '{}{}', 'fortran_order': False, 'shape': ({}{}), }}", type.size == 1 ? '|' : '<',
                  type.numpy, joined(elements.sizes()), elements.dim() == 1 ? "," : "");
  // Padded with blanks so that the elements start at a multiple of 64.
  const size_t start = kPrefix + 2;
  header.append(63 - (start + header.size()) % 64, ' ');
  header += '\n';
  check(header.size() <= 0xffff, "save_npy: {} dimensions are more than the format takes", elements.dim());
  write(kMagic.data(), kMagic.size());
  const unsigned char version_and_length[] = {1, 0, static_cast<unsigned char>(header.size() & 0xff),
                                              static_cast<unsigned char>(header.size() >> 8)};
  write(version_and_length, sizeof version_and_length);
  write(header.data(), header.size());
  write(elements.data_ptr(), static_cast<size_t>(elements.numel() * type.size));
}

}  // namespace wengert::serialize

namespace wengert {

Tensor load_npy(const std::string& path) { return serialize::read_npy(serialize::Input::file(path)); }

void save_npy(const Tensor& tensor, const std::string& path) {
  serialize::write_file(path, [&](const serialize::Sink& write) { serialize::write_npy(tensor, write); });
}

}  // namespace wengert
