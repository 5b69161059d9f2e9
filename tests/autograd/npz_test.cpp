#include <gtest/gtest.h>
#include <support/inputs.h>
#include <support/temporary_folder.h>
#include <wengert/autograd/serialize/npz.h>

#include <fstream>
#include <sstream>

namespace wengert {
namespace {

class Npz : public testing::Test {
 protected:
  std::string path() const { return folder_.path() / "f.npz"; }
  std::string content() const {
    std::ostringstream content;
    content << std::ifstream(path(), std::ios::binary).rdbuf();
    return content.str();
  }
  // The error for a file with this content, without its name.
  std::string error(std::string_view content) {
    const std::string at = folder_.file("f.npz", content);
    return test::error_of([&] { load_npz(at); }).substr(at.size() + 2);
  }
  test::TemporaryFolder folder_;
};

TEST_F(Npz, ArraysComeBackWithTheSameBits) {
  const std::map<std::string, Tensor> arrays{{"doubles", test::arbitrary({300, 40})},
                                             {"folder/whole", tensor({int64_t{1}, INT64_MIN}, kLong)},
                                             {"ä", ones({2, 0, 3})},
                                             {"zeros", zeros({1000, 1000})}};
  for (const bool compressed : {false, true}) {
    save_npz(arrays, path(), compressed);
    const auto back = load_npz(path());
    ASSERT_EQ(back.size(), arrays.size());
    for (const auto& [name, array] : arrays) EXPECT_TRUE(test::same_bits({array}, {back.at(name)})) << name;
    EXPECT_EQ(content().size() < 2'000'000, compressed);
  }
}

TEST_F(Npz, RefusesWhatIsDamaged) {
  save_npz({{"a", test::arbitrary({20, 10})}}, path());
  const std::string whole = content();
  EXPECT_EQ(error(""), "it is no .npz file: it is empty");
  for (size_t size = 1; size < whole.size(); size += 13) EXPECT_NE(error(whole.substr(0, size)), "") << size;
  std::string damaged = whole;
  damaged[damaged.size() / 2] ^= 1;
  EXPECT_EQ(error(damaged), "member a.npy: CRC error");
  EXPECT_EQ(test::error_of([&] { load_npz(folder_.path() / "no"); }),
            (folder_.path() / "no").string() + ": No such file or directory");
  std::string no_array = whole;
  no_array.replace(no_array.rfind("a.npy"), 5, "a.npx").replace(no_array.find("a.npy"), 5, "a.npx");
  EXPECT_EQ(error(no_array), "member a.npx is no .npy file");
}

TEST_F(Npz, RefusesMembersThatCanNotBeAsLargeAsTheySay) {
  save_npz({{"a", zeros({100})}}, path(), true);
  std::string content = this->content();
  const size_t entry = content.find("PK\x01\x02"), local = content.find("PK\x03\x04");
  for (const size_t size_at : {entry + 24, local + 22}) content.replace(size_at, 4, "\xff\xff\xff\x7f");
  EXPECT_EQ(error(content), "member a.npy: it can't be as large as it says");
}

TEST_F(Npz, TellsWhyAFileCanNotBeWritten) {
  const std::string nowhere = folder_.path() / "no" / "f.npz";
  EXPECT_EQ(test::error_of([&] { save_npz({{"a", ones({1})}}, nowhere); }), nowhere + ": No such file or directory");
  save_npz({}, path());
  EXPECT_TRUE(load_npz(path()).empty());
}

}  // namespace
}  // namespace wengert
