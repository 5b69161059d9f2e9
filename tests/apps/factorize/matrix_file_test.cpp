#include <factorize/matrix_file.h>
#include <gtest/gtest.h>
#include <support/inputs.h>
#include <support/temporary_folder.h>

#include <limits>

namespace factorize {
namespace {

using wengert::Tensor;
using wengert::test::error_of;
using wengert::test::TemporaryFolder;
using wengert::test::values;
using Values = std::vector<double>;

class MatrixFile : public testing::Test {
 protected:
  Tensor read(std::string_view content) { return read_matrix(folder_.file("m", content)); }
  // The error for a file with this content, without the folder.
  std::string error(std::string_view content) {
    const std::string path = folder_.file("m", content);
    const std::string text = error_of([&] { read_matrix(path); });
    return text.starts_with(path) ? text.substr(path.size() - 1) : text;
  }
  TemporaryFolder folder_;
};

TEST_F(MatrixFile, ReadsDelimitedTextWithAnyDelimiter) {
  for (const char* content :
       {"1,2.5\n-3,4e1\n", "1;2.5\n-3;4e1", "1\t2.5\r\n-3\t4e1\r\n", "1 2.5\n-3   4e1\n", "  1  2.5 \n-3 4e1\n",
        "a,b\n1,2.5\n-3,4e1\n", "\"a\",\"b\"\n\"1\",\"2.5\"\n-3,+4e1\n\n\n",
        "\xef\xbb\xbf"
        "1, 2.5\n-3, 4e1\n"}) {
    const Tensor m = read(content);
    EXPECT_EQ(m.sizes(), wengert::IntArrayRef({2, 2})) << content;
    EXPECT_EQ(values(m), (Values{1, 2.5, -3, 40})) << content;
  }
  EXPECT_EQ(read("7\n").sizes(), wengert::IntArrayRef({1, 1}));
  EXPECT_EQ(read("x\n1\n2\n").sizes(), wengert::IntArrayRef({2, 1}));
}

TEST_F(MatrixFile, TellsWhatIsWrongWithDelimitedText) {
  EXPECT_EQ(error(""), "m: the file is empty");
  EXPECT_EQ(error(" \n\n"), "m: the file is empty");
  EXPECT_EQ(error("a,b\n"), "m: there is a header, but no row of numbers");
  EXPECT_EQ(error("1,2\n3\n"), "m:2: expected 2 columns as in the lines before, found 1");
  EXPECT_EQ(error("1,2\n\n3,4,5\n"), "m:3: expected 2 columns as in the lines before, found 3");
  EXPECT_EQ(error("a,b\n1,n/a\n"), "m:2: expected a number in column 2, found \"n/a\"");
  EXPECT_EQ(error("1,x\n1,2\n"), "m:1: expected a number in column 2, found \"x\"");
  EXPECT_EQ(error("1,\n1,2\n"), "m:1: expected a number in column 2, found \"\"");
  EXPECT_EQ(error("1,2\n3,nan\n"), "m: row 2, column 2 is NaN; every element must be a finite number");
  EXPECT_EQ(error("1,inf\n3,4\n"), "m: row 1, column 2 is infinite; every element must be a finite number");
  EXPECT_EQ(error("1,2\n3,4abc\n"), "m:2: expected a number in column 2, found \"4abc\"");
}

TEST_F(MatrixFile, TellsThatAFileIsMissing) {
  EXPECT_EQ(error_of([] { read_matrix("/nowhere/m.csv"); }), "/nowhere/m.csv: No such file or directory");
  EXPECT_EQ(error_of([&] { read_matrix(folder_.path()); }), folder_.path().string() + ": is a directory");
}

TEST_F(MatrixFile, ReadsNpyOfNumbers) {
  const std::string path = folder_.path() / "m";
  const Tensor m = wengert::test::arbitrary({70, 3}, -9, 9);
  for (const auto dtype : {wengert::kLong, wengert::kFloat, wengert::kDouble}) {
    wengert::save_npy(m.to(dtype), path);
    EXPECT_TRUE(equal(read_matrix(path), m.to(dtype).to(wengert::kDouble)));
  }
}

TEST_F(MatrixFile, TellsWhatIsWrongWithNpy) {
  const std::string path = folder_.path() / "m";
  const auto error_of_array = [&](const Tensor& array) {
    wengert::save_npy(array, path);
    return error_of([&] { read_matrix(path); }).substr(path.size() - 1);
  };
  EXPECT_EQ(error("\x93NUMPY"), "m: the .npy file ends within its header");
  EXPECT_EQ(error_of_array(wengert::ones({2, 2}, wengert::kBool)),
            "m: the array's elements are bools; expected numbers");
  EXPECT_EQ(error_of_array(wengert::ones({2})), "m: the array has 1 dimensions; expected a matrix, with 2");
  EXPECT_EQ(error_of_array(wengert::ones({0, 2})), "m: the matrix is empty (0 x 2)");
  EXPECT_EQ(error_of_array(wengert::full({1, 1}, std::numeric_limits<double>::quiet_NaN(), wengert::kDouble)),
            "m: row 1, column 1 is NaN; every element must be a finite number");
}

TEST_F(MatrixFile, ReadsMatrixMarketArrays) {
  EXPECT_EQ(values(read("%%MatrixMarket matrix array real general\n% comment\n2 3\n1\n4\n2\n5\n3\n6\n")),
            (Values{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(values(read("%%MatrixMarket MATRIX Array Integer Symmetric\n2 2\n1\n2\n3\n")), (Values{1, 2, 2, 3}));
  EXPECT_EQ(values(read("%%MatrixMarket matrix array real skew-symmetric\n2 2\n5\n")), (Values{0, -5, 5, 0}));
}

TEST_F(MatrixFile, TellsWhatIsWrongWithMatrixMarket) {
  EXPECT_EQ(error("%%MatrixMarket matrix coordinate real general\n1 1 1\n1 1 5\n"),
            "m:1: \"matrix coordinate\" is not read here; expected a dense matrix, \"matrix array\"");
  EXPECT_EQ(error("%%MatrixMarket matrix array complex general\n1 1\n1 0\n"),
            "m:1: elements are \"complex\"; expected \"real\" or \"integer\"");
  EXPECT_EQ(error("%%MatrixMarket matrix array real general\n2 2\n1\n2\n3\n"), "m:6: expected a number, found the end");
  EXPECT_EQ(error("%%MatrixMarket matrix array real general\n1 1\n1\n2\n"),
            "m:4: expected the end after 1 x 1 elements, found \"2\"");
  EXPECT_EQ(error("%%MatrixMarket matrix array real general\n2 x\n"),
            "m:2: expected the number of columns, found \"x\"");
  EXPECT_EQ(error("%%MatrixMarket matrix array real general\n999999999 999999999\n1\n"),
            "m:2: the file is too short for 999999999 x 999999999 elements");
  EXPECT_EQ(error("%%MatrixMarket matrix array real symmetric\n2 3\n"), "m:2: a symmetric matrix must be square");
}

}  // namespace
}  // namespace factorize
