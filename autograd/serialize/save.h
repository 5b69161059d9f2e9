#pragma once

#include <wengert/autograd/serialize/archive.h>

namespace wengert {

// save(value, to) and load(value, from), as torch::save and torch::load: of a tensor, a vector of tensors or a map from
// names to them, a Generator, and of what has members save(OutputArchive&) and load(InputArchive&) (optimizers,
// schedulers, averages). `to` and `from`: a path, or a stream. Files are in the format safetensors, and are replaced
// whole or not at all. Throw wengert::Error, "PATH: what is wrong". For several things in one file see
// serialize::OutputArchive.

namespace serialize {

inline void write_all(OutputArchive& archive, const Tensor& value) { archive.write("0", value); }
inline void write_all(OutputArchive& archive, const Generator& value) { archive.write("0", value); }
inline void write_all(OutputArchive& archive, const std::vector<Tensor>& values) {
  for (size_t i = 0; i < values.size(); ++i) archive.write(std::to_string(i), values[i]);
}
inline void write_all(OutputArchive& archive, const std::map<std::string, Tensor>& values) {
  for (const auto& [name, tensor] : values) archive.write(name, tensor);
}
template <class T>
requires requires(const T& value, OutputArchive& archive) { value.save(archive); }
void write_all(OutputArchive& archive, const T& value) { value.save(archive); }

/// A tensor that is defined keeps its identity and takes the data alone; one that is not takes requires_grad, too.
inline void read_all(const InputArchive& archive, Tensor& value) { archive.read("0", value); }
inline void read_all(const InputArchive& archive, Generator& value) { archive.read("0", value); }
/// Puts the tensors behind those that are there.
inline void read_all(const InputArchive& archive, std::vector<Tensor>& values) {
  for (size_t i = 0; archive.contains(std::to_string(i)); ++i) archive.read(std::to_string(i), values.emplace_back());
}
/// Every tensor of the file, into those of the same name where there are such.
inline void read_all(const InputArchive& archive, std::map<std::string, Tensor>& values) { archive.read_all(values); }
template <class T>
requires requires(T& value, InputArchive& archive) { value.load(archive); }
void read_all(InputArchive& archive, T& value) { value.load(archive); }

}  // namespace serialize

template <class Value, class To>
void save(const Value& value, To&& to) {
  serialize::OutputArchive archive;
  serialize::write_all(archive, value);
  archive.save_to(to);
}

template <class Value, class From>
void load(Value& value, From&& from) {
  serialize::InputArchive archive;
  archive.load_from(from);
  serialize::read_all(archive, value);
}

}  // namespace wengert
