#include <wengert/autograd/base/check.h>
#include <wengert/autograd/serialize/safetensors.h>

#include <nlohmann/json.hpp>
#include <algorithm>
#include <set>

namespace wengert::serialize {
namespace {

using Json = nlohmann::json;

constexpr uint64_t kLengthBytes = 8;
constexpr uint64_t kLongestHeader = 100'000'000;  // as the format's own library has it
constexpr int kDeepest = 3;                       // the shape of a tensor in the header
constexpr const char* kMetadata = "__metadata__";

Json parse_header(const Input& input, const std::string& text) {
  if (!text.starts_with('{')) input.fail("it is no safetensors file: the header is no JSON object");
  // The parser would take the last of two values of one name, and nest as deep as the text does.
  std::vector<std::set<std::string>> names;
  const auto check_event = [&](int depth, Json::parse_event_t event, Json& parsed) {
    using Event = Json::parse_event_t;
    if ((event == Event::object_start || event == Event::array_start) && depth >= kDeepest) {
      input.fail("the header is nested too deeply");
    }
    if (event == Event::object_start) names.emplace_back();
    if (event == Event::object_end) names.pop_back();
    if (event == Event::key && !names.back().insert(parsed.get<std::string>()).second) {
      input.fail(fmt::format("the header names {} twice", parsed.dump()));
    }
    return true;
  };
  try {
    return Json::parse(text, check_event);
  } catch (const Json::exception&) {
    input.fail("the header is not valid JSON");
  }
}

// The value under a key of a tensor's entry, if it is an array of whole numbers below 2^63.
std::optional<std::vector<int64_t>> whole_numbers(const Json& entry, const char* key) {
  const auto found = entry.find(key);
  if (found == entry.end() || !found->is_array()) return {};
  std::vector<int64_t> numbers;
  for (const Json& number : *found) {
    if (!number.is_number_unsigned() || number.get<uint64_t>() > uint64_t{INT64_MAX}) return {};
    numbers.push_back(number.get<int64_t>());
  }
  return numbers;
}

}  // namespace

Safetensors read_safetensors(const Input& input) {
  if (input.size() < kLengthBytes) input.fail("it is no safetensors file: it has less than 8 bytes");
  uint64_t length;
  input.read(0, &length, kLengthBytes);
  if (length > kLongestHeader) {
    input.fail(fmt::format("it is no safetensors file, or its header of {} bytes is too long", length));
  }
  if (length > input.size() - kLengthBytes) input.fail("the file ends within the header");
  const Json header = parse_header(input, input.read(kLengthBytes, length));
  const uint64_t start = kLengthBytes + length;
  const uint64_t elements = input.size() - start;

  Safetensors found;
  struct Extent {
    int64_t begin, end;
    const std::string* name;
  };
  std::vector<Extent> extents;
  for (const auto& [name, value] : header.items()) {
    const auto fail = [&, &name = name](std::string_view what) {
      input.fail(fmt::format("tensor \"{}\": {}", name, what));
    };
    if (name == kMetadata) {
      if (!value.is_object()) input.fail("__metadata__ is no JSON object");
      for (const auto& [key, text] : value.items()) {
        if (!text.is_string()) input.fail(fmt::format("__metadata__: the value of \"{}\" is no text", key));
        found.metadata.emplace(key, text.get<std::string>());
      }
      continue;
    }
    if (!value.is_object()) fail("its entry is no JSON object");
    const auto dtype = value.find("dtype");
    if (dtype == value.end() || !dtype->is_string()) fail("it has no dtype");
    const StoredType* type = stored_type_of_safetensors(dtype->get_ref<const std::string&>());
    if (type == nullptr) fail(fmt::format("its dtype {} is not known", dtype->dump()));
    auto shape = whole_numbers(value, "shape");
    if (!shape) fail("its shape is no array of whole numbers");
    const auto offsets = whole_numbers(value, "data_offsets");
    if (!offsets || offsets->size() != 2) fail("its data_offsets are not two whole numbers");
    const int64_t begin = (*offsets)[0], end = (*offsets)[1];
    if (begin > end || static_cast<uint64_t>(end) > elements) {
      fail(fmt::format("its data_offsets {}, {} are not within the {} bytes of elements", begin, end, elements));
    }
    if (bytes_of(*shape, *type) != end - begin) {
      fail(fmt::format("its shape [{}] and dtype {} do not go with its {} bytes", joined(*shape), type->safetensors,
                       end - begin));
    }
    const auto [entry, inserted] =
        found.tensors.emplace(name, Safetensors::Entry{type, std::move(*shape), start + static_cast<uint64_t>(begin)});
    extents.push_back({begin, end, &entry->first});
  }

  std::sort(extents.begin(), extents.end(),
            [](const Extent& a, const Extent& b) { return std::pair(a.begin, a.end) < std::pair(b.begin, b.end); });
  int64_t covered = 0;
  for (const auto& [begin, end, name] : extents) {
    if (begin < covered) input.fail(fmt::format("tensor \"{}\" overlaps another", *name));
    if (begin > covered) input.fail(fmt::format("there is a hole before tensor \"{}\"", *name));
    covered = end;
  }
  if (static_cast<uint64_t>(covered) != elements) {
    input.fail(fmt::format("there are {} bytes that belong to no tensor", elements - static_cast<uint64_t>(covered)));
  }
  return found;
}

void write_safetensors(const Sink& write, const std::map<std::string, StreamedTensor>& tensors,
                       const std::map<std::string, std::string>& metadata) {
  std::vector<std::pair<std::string, StreamedTensor>> ordered(tensors.begin(), tensors.end());
  for (const auto& [name, tensor] : ordered) {
    check(name != kMetadata, "save: a tensor can't be named {}", kMetadata);
  }
  std::stable_sort(ordered.begin(), ordered.end(), [](const auto& a, const auto& b) {
    return element_size(a.second.dtype) > element_size(b.second.dtype);
  });

  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!metadata.empty()) header[kMetadata] = metadata;
  int64_t begin = 0;
  for (const auto& [name, tensor] : ordered) {
    const int64_t end = begin + numel_of(tensor.shape) * element_size(tensor.dtype);
    header[name] = {
        {"dtype", stored_type_of(tensor.dtype).safetensors}, {"shape", tensor.shape}, {"data_offsets", {begin, end}}};
    begin = end;
  }
  std::string text;
  try {
    text = header.dump();
  } catch (const Json::exception&) {
    wengert::fail("save: a name or a text is not valid UTF-8");
  }
  text.append((kLengthBytes - text.size() % kLengthBytes) % kLengthBytes, ' ');
  check(text.size() <= kLongestHeader, "save: the header takes {} bytes, more than the format allows", text.size());
  const uint64_t length = text.size();
  write(&length, kLengthBytes);
  write(text.data(), text.size());
  for (const auto& [name, tensor] : ordered) tensor.write(write);
}

void write_safetensors(const Sink& write, const std::map<std::string, Tensor>& tensors,
                       const std::map<std::string, std::string>& metadata) {
  std::map<std::string, StreamedTensor> streamed;
  for (const auto& [name, tensor] : tensors) {
    check(tensor.defined(), "save: tensor \"{}\" is undefined", name);
    check(!tensor.is_sparse(), "save: tensor \"{}\" is sparse, which the format does not know", name);
    streamed[name] = {tensor.dtype(), tensor.sizes().vec(), [x = tensor](const Sink& sink) {
                        const Tensor elements = x.detach().contiguous();
                        sink(elements.data_ptr(),
                             static_cast<size_t>(elements.numel() * element_size(elements.dtype())));
                      }};
  }
  write_safetensors(write, streamed, metadata);
}

}  // namespace wengert::serialize
