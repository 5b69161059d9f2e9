#pragma once

#include <wengert/autograd/serialize/stored_type.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace wengert::serialize {

// The format safetensors (https://huggingface.co/docs/safetensors): the header's length in eight bytes, little-endian;
// the header, a JSON object; the elements. The header has for each name
//
//     "weight": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}
//
// where offsets count from the header's end, and may have texts by name under "__metadata__". The elements of all
// tensors together are the rest of the file: no holes, no overlaps.

struct Safetensors {
  struct Entry {
    const StoredType* type;
    std::vector<int64_t> shape;
    uint64_t offset;  ///< of the first element in the file
  };
  std::map<std::string, std::string> metadata;
  std::map<std::string, Entry> tensors;
};

/// Reads the header. Throws wengert::Error in one sentence for what is not in this format; nothing is allocated before
/// that is known which is larger than the header.
Safetensors read_safetensors(const Input& input);

/// A tensor that is not at hand as a whole: write(sink) gives its elements in C order, piece by piece.
struct StreamedTensor {
  ScalarType dtype;
  std::vector<int64_t> shape;
  std::function<void(const Sink&)> write;
};

/// Writes tensors and texts, the tensors with the widest elements first, so that all are aligned.
void write_safetensors(const Sink& write, const std::map<std::string, StreamedTensor>& tensors,
                       const std::map<std::string, std::string>& metadata);
void write_safetensors(const Sink& write, const std::map<std::string, Tensor>& tensors,
                       const std::map<std::string, std::string>& metadata);

}  // namespace wengert::serialize
