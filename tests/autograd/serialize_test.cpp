#include <gtest/gtest.h>
#include <support/inputs.h>
#include <support/temporary_folder.h>
#include <wengert/torch.h>

#include <fstream>
#include <sstream>

namespace wengert {
namespace {

using test::error_of;
using test::same_bits;
using test::TemporaryFolder;

std::string content_of(const std::string& path) {
  std::ostringstream content;
  content << std::ifstream(path, std::ios::binary).rdbuf();
  return content.str();
}

std::string eight_bytes(uint64_t number) { return std::string(reinterpret_cast<const char*>(&number), 8); }

// A safetensors file with this header, and so many zeros behind it.
std::string file_of(const std::string& header, size_t elements = 0) {
  return eight_bytes(header.size()) + header + std::string(elements, '\0');
}

class Serialize : public testing::Test {
 protected:
  std::string path(const std::string& name = "f") const { return folder_.path() / name; }
  // The error for a file with this content, without its name.
  std::string error(std::string_view content) {
    std::map<std::string, Tensor> loaded;
    const std::string at = folder_.file("f", content), text = error_of([&] { load(loaded, at); });
    EXPECT_TRUE(loaded.empty());
    return text.starts_with(at + ": ") ? text.substr(at.size() + 2) : text;
  }
  TemporaryFolder folder_;
};

std::vector<Tensor> some_tensors() {
  return {test::arbitrary({3, 4}),
          test::arbitrary({2, 3, 2}, -1, 1, 1, kFloat),
          test::arbitrary({5, 2}).t(),
          tensor({true, false, true}),
          tensor({int64_t{-1}, INT64_MAX, INT64_MIN}, kLong),
          tensor(2.5),
          empty({0, 3}),
          full({2}, NAN),
          test::with_gaps(test::arbitrary({4, 3}))};
}

TEST_F(Serialize, TensorsComeBackWithTheSameBits) {
  for (const Tensor& x : some_tensors()) {
    torch::save(x, path());
    Tensor y;
    torch::load(y, path());
    EXPECT_TRUE(same_bits({x.contiguous()}, {y}));
    std::stringstream stream;
    save(x, stream);
    Tensor z;
    load(z, stream);
    EXPECT_TRUE(same_bits({y}, {z}));
  }
  std::vector<Tensor> all = some_tensors(), back;
  save(all, path());
  load(back, path());
  for (Tensor& x : all) x = x.contiguous();
  EXPECT_TRUE(same_bits(all, back));
}

TEST_F(Serialize, MapsComeBackIntoTheTensorsThatAreThere) {
  const std::map<std::string, Tensor> saved{{"layer.weight", test::arbitrary({3, 4})},
                                            {"layer.bias", ones({4}, kBool)}};
  save(saved, path());
  std::map<std::string, Tensor> loaded{{"layer.weight", zeros({1}, dtype(kDouble).requires_grad(true))}};
  const Tensor weight = loaded["layer.weight"];
  load(loaded, path());
  EXPECT_TRUE(weight.is_same(loaded["layer.weight"]));
  EXPECT_TRUE(weight.requires_grad());
  EXPECT_TRUE(same_bits({weight.detach(), loaded["layer.bias"]}, {saved.at("layer.weight"), saved.at("layer.bias")}));

  loaded["layer.bias"] = ones({4});
  const Tensor before = weight.detach();
  EXPECT_EQ(
      error_of([&] { load(loaded, path()); }),
      path() + ": tensor \"layer.bias\" is dense and of dtype Bool; it is to be read into a dense one of dtype Float");
  EXPECT_TRUE(before.data_ptr() == weight.data_ptr());
}

TEST_F(Serialize, SparseTensorsComeBack) {
  const Tensor positions = tensor({3, 1, 3}, kLong).view({1, 3});
  const Tensor x = sparse_coo_tensor(positions, test::arbitrary({3, 2}), {5, 2});
  const std::map<std::string, Tensor> saved{{"x", x}, {"layer.y", x.coalesce()}, {"z.values", ones({2})}};
  save(saved, path());
  std::map<std::string, Tensor> loaded{{"x", x}};
  load(loaded, path());
  ASSERT_EQ(loaded.size(), 3u);
  for (const auto& [name, tensor] : saved) {
    ASSERT_EQ(loaded[name].is_sparse(), tensor.is_sparse());
    if (!tensor.is_sparse()) continue;
    EXPECT_EQ(loaded[name].is_coalesced(), tensor.is_coalesced());
    EXPECT_EQ(loaded[name].sizes(), tensor.sizes());
    EXPECT_TRUE(same_bits({loaded[name]._indices(), loaded[name]._values()}, {tensor._indices(), tensor._values()}));
  }
  loaded["x"] = zeros({5, 2}, kDouble);
  EXPECT_EQ(error_of([&] { load(loaded, path()); }),
            path() + ": tensor \"x\" is sparse and of dtype Double; it is to be read into a dense one of dtype Double");

  save(x, path());
  std::string content = content_of(path());
  const std::string three = eight_bytes(3), five = eight_bytes(5);  // a position outside
  content.replace(content.find(three, content.find("}}")), 8, five);
  EXPECT_NE(error(content).find("size is inconsistent with indices"), std::string::npos) << error(content);
}

TEST_F(Serialize, KeepsWhetherATensorRequiresGrad) {
  for (const bool required : {false, true}) {
    save(ones({2}).requires_grad_(required), path());
    Tensor loaded;
    load(loaded, path());
    EXPECT_EQ(loaded.requires_grad(), required);
    EXPECT_TRUE(loaded.is_leaf());
  }
}

TEST_F(Serialize, AGeneratorGoesOnWhereItWas) {
  Generator one;
  one.seed(5);
  for (int i = 0; i < 1001; ++i) one.normal();
  save(one, path());
  Generator other;
  load(other, path());
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(one.normal(), other.normal());

  std::map<std::string, Tensor> words;
  load(words, path());
  for (const int64_t wrong : {int64_t{-1}, int64_t{625}, INT64_MAX}) {
    words["0.words"].select(0, 624).fill_(wrong);
    save(words, path());
    EXPECT_EQ(error_of([&] { load(other, path()); }), path() + ": \"0\" is no state of a generator");
  }
}

TEST_F(Serialize, ArchivesNestAndKeepEveryBitOfNumbers) {
  serialize::OutputArchive inner, outer;
  const std::vector<double> numbers{0.1, 1.0 / 3, -0.0, 5e-324, 1.7976931348623157e308, INFINITY};
  for (size_t i = 0; i < numbers.size(); ++i) inner.write("number" + std::to_string(i), numbers[i]);
  inner.write("whole", INT64_MIN);
  inner.write("yes", true);
  inner.write("text", "ä \"quoted\"\n");
  inner.write("tensor", ones({2}));
  outer.write("inner", inner);
  outer.write("inner2", 1.0);
  outer.save_to(path());

  serialize::InputArchive archive, part;
  archive.load_from(path());
  EXPECT_EQ(archive.keys(), (std::vector<std::string>{"inner", "inner2"}));
  archive.read("inner", part);
  for (size_t i = 0; i < numbers.size(); ++i) {
    double number = 0;
    part.read("number" + std::to_string(i), number);
    EXPECT_EQ(std::bit_cast<uint64_t>(number), std::bit_cast<uint64_t>(numbers[i]));
  }
  int64_t whole = 0;
  bool yes = false;
  std::string text;
  Tensor tensor;
  part.read("whole", whole);
  part.read("yes", yes);
  part.read("text", text);
  part.read("tensor", tensor);
  EXPECT_EQ(whole, INT64_MIN);
  EXPECT_TRUE(yes);
  EXPECT_EQ(text, "ä \"quoted\"\n");
  EXPECT_FALSE(part.try_read("no", whole));
  EXPECT_EQ(error_of([&] { part.read("no", whole); }), path() + ": it has no value \"inner.no\"");
  EXPECT_EQ(error_of([&] { part.read("text", whole); }),
            path() + ": \"inner.text\" is \"ä \"quoted\"\n\", no whole number");
  EXPECT_EQ(error_of([&] { part.read("whole", yes); }),
            path() + ": \"inner.whole\" is \"-9223372036854775808\", no bool");
  EXPECT_EQ(error_of([&] { part.read("text", tensor); }), path() + ": it has no tensor \"inner.text\"");
}

TEST_F(Serialize, RefusesWhatIsNoSafetensorsFile) {
  EXPECT_EQ(error(""), "it is no safetensors file: it has less than 8 bytes");
  EXPECT_EQ(error("1,2\n3,4\n5,6\n"),
            "it is no safetensors file, or its header of 735261236894247985 bytes is too long");
  EXPECT_EQ(error(eight_bytes(100'000'001)), "it is no safetensors file, or its header of 100000001 bytes is too long");
  EXPECT_EQ(error(eight_bytes(100'000'000) + "{}"), "the file ends within the header");
  EXPECT_EQ(error(file_of("[]")), "it is no safetensors file: the header is no JSON object");
  EXPECT_EQ(error(file_of("")), "it is no safetensors file: the header is no JSON object");
  EXPECT_EQ(error(file_of("{")), "the header is not valid JSON");
  EXPECT_EQ(error(file_of("{\"a\xff\": 1}")), "the header is not valid JSON");
  EXPECT_EQ(error(file_of("{} {}")), "the header is not valid JSON");
  EXPECT_EQ(error(file_of("{\"a\": " + std::string(1'000'000, '['))), "the header is nested too deeply");
  EXPECT_EQ(error(file_of("{\"__metadata__\": []}")), "__metadata__ is no JSON object");
  EXPECT_EQ(error(file_of("{\"__metadata__\": {\"a\": 1}}")), "__metadata__: the value of \"a\" is no text");
  EXPECT_EQ(error(file_of("{\"a\": 1}")), "tensor \"a\": its entry is no JSON object");
}

TEST_F(Serialize, RefusesEntriesThatAreWrong) {
  const auto entry = [](const std::string& dtype, const std::string& shape, const std::string& offsets) {
    return "{\"dtype\": \"" + dtype + "\", \"shape\": " + shape + ", \"data_offsets\": " + offsets + "}";
  };
  const std::string good = entry("F32", "[2]", "[0, 8]");
  const auto error_of_entry = [&](const std::string& text, size_t elements) {
    return error(file_of("{\"a\": " + text + "}", elements));
  };
  EXPECT_EQ(error_of_entry("{}", 0), "tensor \"a\": it has no dtype");
  EXPECT_EQ(error_of_entry(entry("F31", "[2]", "[0, 8]"), 8), "tensor \"a\": its dtype \"F31\" is not known");
  for (const char* shape : {"[-1]", "[2.0]", "{}", "[\"2\"]", "[9223372036854775808]"}) {
    EXPECT_EQ(error_of_entry(entry("F32", shape, "[0, 8]"), 8), "tensor \"a\": its shape is no array of whole numbers");
  }
  for (const char* offsets : {"[0]", "[0, 4, 8]", "[-8, 0]", "null"}) {
    EXPECT_EQ(error_of_entry(entry("F32", "[2]", offsets), 8),
              "tensor \"a\": its data_offsets are not two whole numbers");
  }
  EXPECT_EQ(error_of_entry(entry("F32", "[[2]]", "[0, 8]"), 8), "the header is nested too deeply");
  EXPECT_EQ(error_of_entry(entry("F32", "[2]", "[8, 0]"), 8),
            "tensor \"a\": its data_offsets 8, 0 are not within the 8 bytes of elements");
  EXPECT_EQ(error_of_entry(good, 7), "tensor \"a\": its data_offsets 0, 8 are not within the 7 bytes of elements");
  EXPECT_EQ(error_of_entry(good, 9), "there are 1 bytes that belong to no tensor");
  EXPECT_EQ(error_of_entry(entry("F32", "[3]", "[0, 8]"), 8),
            "tensor \"a\": its shape [3] and dtype F32 do not go with its 8 bytes");
  EXPECT_EQ(error_of_entry(entry("F64", "[4611686018427387904, 4]", "[0, 8]"), 8),
            "tensor \"a\": its shape [4611686018427387904, 4] and dtype F64 do not go with its 8 bytes");
  EXPECT_EQ(error_of_entry(entry("F32", "[4611686018427387904, 4611686018427387904, 0]", "[0, 8]"), 8),
            "tensor \"a\": its shape [4611686018427387904, 4611686018427387904, 0] and dtype F32 do not go with its 8 "
            "bytes");
  EXPECT_EQ(error(file_of("{\"a\": " + good + ", \"a\": " + good + "}", 8)), "the header names \"a\" twice");
  EXPECT_EQ(error(file_of(R"({"a": {"dtype": "F32", "dtype": "F64"}})")), "the header names \"dtype\" twice");
  EXPECT_EQ(error(file_of("{\"a\": " + good + ", \"b\": " + entry("F32", "[1]", "[4, 8]") + "}", 8)),
            "tensor \"b\" overlaps another");
  EXPECT_EQ(error(file_of("{\"a\": " + good + ", \"b\": " + entry("F32", "[1]", "[12, 16]") + "}", 16)),
            "there is a hole before tensor \"b\"");
  EXPECT_EQ(error(file_of("{\"a\": " + entry("BOOL", "[1]", "[0, 1]") + "}") + '\2'), "a bool is neither 0 nor 1");
}

TEST_F(Serialize, EveryPrefixOfAFileIsRefused) {
  save(some_tensors(), path());
  const std::string whole = content_of(path());
  for (size_t size = 0; size < whole.size(); size += size < 1500 ? 1 : 7) EXPECT_NE(error(whole.substr(0, size)), "");
}

TEST_F(Serialize, WidensWhatNoTensorHolds) {
  const std::string header = R"({"a": {"dtype": "F16", "shape": [6], "data_offsets": [0, 12]},)"
                             R"("b": {"dtype": "BF16", "shape": [2], "data_offsets": [12, 16]},)"
                             R"("c": {"dtype": "I8", "shape": [2], "data_offsets": [16, 18]},)"
                             R"("d": {"dtype": "U16", "shape": [1], "data_offsets": [18, 20]}})";
  const uint16_t halves[] = {0x3c00, 0xc000, 0x0001, 0x7bff, 0x7c00, 0x8000, 0x3f80, 0xc040};
  const std::string content = eight_bytes(header.size()) + header +
                              std::string(reinterpret_cast<const char*>(halves), sizeof halves) + "\x80\x7f\xff\xff";
  std::map<std::string, Tensor> all;
  load(all, folder_.file("f", content));
  EXPECT_TRUE(same_bits({all["a"]}, {tensor({1.0, -2.0, 0x1p-24, 65504.0, INFINITY, -0.0}, kFloat)}));
  EXPECT_TRUE(same_bits({all["b"]}, {tensor({1.0, -3.0}, kFloat)}));
  EXPECT_TRUE(same_bits({all["c"]}, {tensor({-128, 127}, kLong)}));
  EXPECT_TRUE(same_bits({all["d"]}, {tensor({65535}, kLong)}));
}

TEST_F(Serialize, RefusesToSaveWhatCanNotBeLoaded) {
  EXPECT_EQ(error_of([&] { save(Tensor(), path()); }), "save: tensor \"0\" is undefined");
  EXPECT_EQ(error_of([&] {
              save(std::map<std::string, Tensor>{{"a\xff", ones({1})}}, path());
            }),
            "save: a name or a text is not valid UTF-8");
  EXPECT_EQ(error_of([&] {
              save(std::map<std::string, Tensor>{{"__metadata__", ones({1})}}, path());
            }),
            "save: a tensor can't be named __metadata__");
  EXPECT_FALSE(std::filesystem::exists(path()));
}

TEST_F(Serialize, FilesAreReplacedWholeOrNotAtAll) {
  save(ones({2}), path());
  EXPECT_THROW(save(Tensor(), path()), Error);
  Tensor loaded;
  load(loaded, path());
  EXPECT_EQ(loaded.numel(), 2);
  std::filesystem::permissions(path(), std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  std::filesystem::create_symlink("f", path("link"));
  save(ones({3}), path("link"));
  EXPECT_TRUE(std::filesystem::is_symlink(path("link")));
  EXPECT_EQ(static_cast<int>(std::filesystem::status(path()).permissions()), 0600);
  load(loaded, path());
  EXPECT_EQ(loaded.numel(), 3);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_.path()), {}), 2);

  EXPECT_EQ(error_of([&] { save(loaded, path("no/f")); }), path("no/f") + ": No such file or directory");
  EXPECT_EQ(error_of([&] { save(loaded, folder_.path().string()); }), folder_.path().string() + ": is a directory");
  EXPECT_EQ(error_of([&] { load(loaded, folder_.path().string()); }), folder_.path().string() + ": is a directory");
  EXPECT_EQ(error_of([&] { load(loaded, path("no")); }), path("no") + ": No such file or directory");
  EXPECT_EQ(error_of([&] { save(loaded, std::string("/dev/full")); }), "/dev/full: No space left on device");
  save(loaded, std::string("/dev/null"));
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
}

TEST_F(Serialize, NpyComesBackWithTheSameBits) {
  for (const Tensor& x : some_tensors()) {
    save_npy(x, path());
    EXPECT_TRUE(same_bits({x.contiguous()}, {load_npy(path())}));
    EXPECT_EQ((content_of(path()).size() - static_cast<size_t>(x.numel() * element_size(x.dtype()))) % 64, 0u);
  }
}

std::string npy(const std::string& header, std::string_view elements, char version = 1) {
  std::string content = "\x93NUMPY";
  content += {version, '\0', static_cast<char>(header.size()), '\0'};
  if (version > 1) content += {'\0', '\0'};
  return content + header + std::string(elements);
}

TEST_F(Serialize, ReadsNpyInFortranOrderAndLaterVersions) {
  const float elements[] = {1, 4, 2, 5, 3, 6};
  const std::string_view bytes(reinterpret_cast<const char*>(elements), sizeof elements);
  for (const char* header : {"{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }\n",
                             "{\"shape\":(2L,3L),'fortran_order':True, 'descr':'<f4'}"}) {
    for (const char version : {'\1', '\2', '\3'}) {
      const Tensor loaded = load_npy(folder_.file("f", npy(header, bytes, version)));
      EXPECT_TRUE(same_bits({loaded}, {tensor({1, 2, 3, 4, 5, 6}, kFloat).view({2, 3})}));
    }
  }
  const Tensor bytes_widened =
      load_npy(folder_.file("f", npy("{'descr': '|u1', 'fortran_order': False, 'shape': (2,)}", "\xff\x01")));
  EXPECT_TRUE(same_bits({bytes_widened}, {tensor({255, 1}, kLong)}));
  const auto big_endian = [&](const std::string& descr, std::string_view elements) {
    return load_npy(
        folder_.file("f", npy("{'descr': '" + descr + "', 'fortran_order': False, 'shape': (2,)}", elements)));
  };
  EXPECT_TRUE(same_bits({big_endian(">i2", std::string_view("\x01\x02\xff\xfe", 4))}, {tensor({258, -2}, kLong)}));
  EXPECT_TRUE(
      same_bits({big_endian(">f4", std::string_view("\x3f\x80\0\0\xc0\0\0\0", 8))}, {tensor({1.0, -2.0}, kFloat)}));
}

TEST_F(Serialize, ReadsABlockOfRowsOfNpy) {
  for (const Tensor& x : some_tensors()) {
    save_npy(x, path());
    const serialize::Input input = serialize::Input::file(path());
    if (x.dim() == 0) {
      EXPECT_ERROR(serialize::read_npy_rows(input, [](int64_t) { return std::pair(0, 0); }), "no block can be read");
      continue;
    }
    for (int64_t begin = 0; begin <= x.size(0); ++begin) {
      const Tensor rows = serialize::read_npy_rows(input, [&](int64_t all) { return std::pair(begin, all); });
      EXPECT_TRUE(same_bits({rows}, {x.narrow(0, begin, x.size(0) - begin).contiguous()}));
    }
    EXPECT_ERROR(serialize::read_npy_rows(input, [](int64_t all) { return std::pair<int64_t, int64_t>(0, all + 1); }),
                 "there are no rows");
  }
}

TEST_F(Serialize, RefusesWhatIsNoNpyFile) {
  const auto error = [&](std::string_view content) {
    const std::string at = folder_.file("f", content);
    return error_of([&] { load_npy(at); }).substr(at.size() + 2);
  };
  const auto header = [](const std::string& descr, const std::string& shape) {
    return "{'descr': " + descr + ", 'fortran_order': False, 'shape': " + shape + ", }";
  };
  EXPECT_EQ(error(""), "it is no .npy file");
  EXPECT_EQ(error("\x93NUMPY"), "the .npy file ends within its header");
  EXPECT_EQ(error(npy("", "", '\4') + "   "), ".npy version 4 is not known");
  EXPECT_EQ(error(std::string("\x93NUMPY\x02\x00\xff\xff\xff\xff", 12)), "the .npy file ends within its header");
  EXPECT_EQ(error(npy(header("'<f8'", "(2, 2)"), "12345")), "expected 32 bytes of elements for shape (2, 2), found 5");
  EXPECT_EQ(error(npy(header("'<c16'", "(1,)"), "12345678")), "the array's dtype <c16 is not offered");
  EXPECT_EQ(error(npy(header("'|O'", "(1,)"), "12345678")), "the array's dtype |O is not offered");
  EXPECT_EQ(error(npy(header("[('a', '<f8')]", "(1,)"), "12345678")), "arrays of records are not offered");
  EXPECT_EQ(error(npy(header("'<f8'", "(99999999999, 99999999999)"), "")),
            "the array's shape (99999999999, 99999999999) is too large");
  for (const std::string& wrong :
       {header("'<f8'", "(-1,)"), header("'<f8'", "(1"), header("'<f8'", "1"), header("'<f8", "(1,)"),
        std::string("{'descr': '<f8', 'shape': (1,)}"), std::string("{}"), std::string("{'a': 1}"), std::string("["),
        header("'<f8'", "(1,)") + "x", std::string("{'descr': '<f8', 'fortran_order': 0, 'shape': (1,)}"),
        std::string("{'descr': '<f8', 'descr': '<f8', 'fortran_order': False, 'shape': (1,)}")}) {
    EXPECT_EQ(error(npy(wrong, "12345678")), "the .npy header is not as NumPy writes it") << wrong;
  }
}

}  // namespace
}  // namespace wengert
