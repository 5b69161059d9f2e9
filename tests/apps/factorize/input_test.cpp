#include <apps/factorize/read.h>
#include <factorize/input/ids.h>
#include <factorize/input/text.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <support/inputs.h>
#include <support/temporary_folder.h>
#include <wengert/autograd/serialize/npz.h>
#include <zlib.h>
#include <zstd.h>

#include <cmath>
#include <limits>

namespace factorize {
namespace {

using wengert::Tensor;
using wengert::test::error_of;
using wengert::test::TemporaryFolder;
using wengert::test::values;
using Values = std::vector<double>;
using Names = std::vector<std::string>;

constexpr double kHole = std::numeric_limits<double>::quiet_NaN();

class Reading : public testing::Test {
 protected:
  Data read(std::string_view content, const ReadOptions& options = {}) {
    return read_data(folder_.file("m", content), options);
  }
  Tensor matrix(std::string_view content) { return read_matrix(folder_.file("m", content)); }
  // The error for a file with this content, without the folder.
  std::string error(std::string_view content, const ReadOptions& options = {}) {
    const std::string path = folder_.file("m", content);
    const std::string text = error_of([&] { read_data(path, options); });
    return text.starts_with(path) ? text.substr(path.size() - 1) : text;
  }
  TemporaryFolder folder_;
};

void expect_values(const Tensor& matrix, const Values& expected) {
  const Values found = values(matrix);
  ASSERT_EQ(found.size(), expected.size());
  for (size_t i = 0; i < found.size(); ++i) {
    EXPECT_TRUE(found[i] == expected[i] || (std::isnan(found[i]) && std::isnan(expected[i]))) << i << " " << found[i];
  }
}

// Entries as (row id, column id, value).
std::vector<std::tuple<std::string, std::string, float>> entries_in(const Data& data) {
  const Ratings& ratings = std::get<Ratings>(data.content);
  std::vector<std::tuple<std::string, std::string, float>> entries;
  for (size_t e = 0; e < ratings.size(); ++e) {
    const auto name = [](const Names& ids, int32_t at) {
      return ids.empty() ? std::to_string(at) : ids[static_cast<size_t>(at)];
    };
    entries.emplace_back(name(data.row_ids, ratings.rows[e]), name(data.column_ids, ratings.columns[e]),
                         ratings.values[e]);
  }
  return entries;
}
using Entries = decltype(entries_in(Data()));

TEST_F(Reading, TablesWithAnyDelimiter) {
  for (const char* content :
       {"1,2.5\n-3,4e1\n", "1;2.5\n-3;4e1", "1\t2.5\r\n-3\t4e1\r\n", "1 2.5\n-3   4e1\n", "  1  2.5 \n-3 4e1\n",
        "a,b\n1,2.5\n-3,4e1\n", "\"a\",\"b\"\n\"1\",\"2.5\"\n-3,+4e1\n\n\n", "1;2,5\n-3;4e1\n", "1|2.5\n-3|40\n",
        "# made by hand\n1,2.5\n% and another\n-3,40\n",
        "\xef\xbb\xbf"
        "1, 2.5\n-3, 4e1\n"}) {
    const Tensor m = matrix(content);
    EXPECT_EQ(m.sizes(), wengert::IntArrayRef({2, 2})) << content;
    EXPECT_EQ(values(m), (Values{1, 2.5, -3, 40})) << content;
  }
  EXPECT_EQ(matrix("7\n").sizes(), wengert::IntArrayRef({1, 1}));
  EXPECT_EQ(matrix("x\n1\n2\n").sizes(), wengert::IntArrayRef({2, 1}));
}

TEST_F(Reading, TablesWithNamesAndHoles) {
  for (const char* content : {"name,a,b\nx,1,\ny,NA,4\n", ";a;b\nx;1;NaN\ny;?;4\n", "a b\nx 1 null\ny none 4\n",
                              "\"\",\"a\",\"b\"\n\"x\",1,n/a\n\"y\",nan,4\n"}) {
    const Data data = read(content);
    expect_values(std::get<Tensor>(data.content), {1, kHole, kHole, 4});
    EXPECT_EQ(data.row_ids, (Names{"x", "y"})) << content;
    EXPECT_EQ(data.column_ids, (Names{"a", "b"})) << content;
    EXPECT_EQ(data.holes, 2);
  }
  const Data data = read("x,1.5,2\n\"y, or \"\"z\"\"\",3,4\n");
  EXPECT_EQ(data.row_ids, (Names{"x", "y, or \"z\""}));
  EXPECT_NE(description(data).find("a table, comma-separated: 2 x 2 from 1.5 to 4, rows have names"),
            std::string::npos);
}

TEST_F(Reading, TellsWhatIsWrongWithTables) {
  EXPECT_EQ(error(""), "m: the file is empty");
  EXPECT_EQ(error(" \n\n"), "m: the file is empty");
  EXPECT_EQ(error("# nothing\n"), "m: the file holds comments alone");
  EXPECT_EQ(error("a,b\n"), "m: there is a header, but no row of numbers");
  EXPECT_EQ(error("1.5,2\n3\n"), "m:2: expected 2 columns as in the lines before, found 1");
  EXPECT_EQ(error("1.5,2\n\n3,4,5\n"), "m:3: expected 2 columns as in the lines before, found 3");
  EXPECT_EQ(error("a,b\n1,two\n"), "m:2: expected a number in column 2, found \"two\"");
  EXPECT_EQ(error("1.5,x\n1,2\n"), "m:1: expected a number in column 2, found \"x\"");
  EXPECT_EQ(error("1,2\n3,inf\n"), "m:2: expected a finite number in column 2, found \"inf\"");
  EXPECT_EQ(error("1,2\n3,1e99\n"), "m:2: expected a finite number in column 2, found \"1e99\"");
  EXPECT_EQ(error("1,2\n3,4abc\n"), "m:2: expected a number in column 2, found \"4abc\"");
  EXPECT_EQ(error("1,2\n3,\"4\n"), "m:2: a quote is not closed in its line");
  EXPECT_EQ(error("1,2\n3,\"4\"5\n"), "m:2: there is text behind a quote's end");
  EXPECT_EQ(error("NA,NA\n,\n"), "m: all elements are missing");
  EXPECT_EQ(error("1,2\n3,\x1b[31mred\n"), "m:2: expected a number in column 2, found \"\\x1b[31mred\"");
  EXPECT_EQ(error("1,2\n3," + std::string(100, 'x') + "\n"),
            "m:2: expected a number in column 2, found \"" + std::string(30, 'x') + "...\"");
  // Far behind the first piece of the file.
  std::string many = "1.5,2\n";
  for (int i = 0; i < 600000; ++i) many += "3.25,4.5\n";
  EXPECT_EQ(error(many + "x,1\n"), "m:600002: expected a number in column 1, found \"x\"");
}

TEST_F(Reading, EntriesAsPeopleHaveThem) {
  const Entries expected{{"7", "20", 3.5F}, {"7", "30", 1}, {"12", "20", 5}};
  for (const char* content :
       {"7,20,3.5\n7,30,1\n12,20,5\n", "user,item,rating\n7,20,3.5\n7,30,1\n12,20,5\n",
        "7::20::3.5::978300760\n"
        "7::30::1::978300761\n12::20::5::978300762\n",
        "7 20 3.5\n7 30 1\n12 20 5\n", "7\t20\t3.5\t978300760\n7\t30\t1\t978300761\n12\t20\t5\t978300762\n",
        "7;20;3,5\n7;30;1,0\n12;20;5\n", "userId,movieId,rating,timestamp\n7,20,3.5,1\n7,30,1,2\n12,20,5,3\n",
        "rating,item,user\n3.5,20,7\n1,30,7\n5,20,12\n", "# c\n\n\"7\",\"20\",3.5\r\n7,30,1\r\n7,40,NA\r\n12,20,5"}) {
    const Data data = read(content);
    ASSERT_TRUE(std::holds_alternative<Ratings>(data.content)) << content;
    EXPECT_EQ(entries_in(data), expected) << content;
  }
  EXPECT_EQ(std::get<Ratings>(read("7::20::3.5::978300760\n").content).times, (std::vector<double>{978300760}));
  EXPECT_EQ(entries_in(read("ann,dune,3\nann,\"it, 2\",4\nbob,dune,5\n")),
            (Entries{{"ann", "dune", 3}, {"ann", "it, 2", 4}, {"bob", "dune", 5}}));
  EXPECT_NE(description(read("7,20,3.5\n7,30,1\n"))
                .find("entries (row, column, value), comma-separated: 1 x 2, 2 "
                      "entries (100 %) from 1 to 3.5, ids are numbers"),
            std::string::npos);
}

TEST_F(Reading, TellsTablesFromEntries) {
  const auto are_entries = [&](const char* content) { return std::holds_alternative<Ratings>(read(content).content); };
  EXPECT_FALSE(are_entries("1.5,2,3\n4,5,6\n"));
  EXPECT_FALSE(are_entries("name,height,weight\nann,170,60\nbob,180,80\n"));
  EXPECT_FALSE(are_entries("1,2,3\n1,2,4\n1,2,1\n1,2,2\n1,2,2\n"));  // answers, say: pairs are the same again and again
  EXPECT_FALSE(are_entries("1,2,3,4,5,6\n1,2,3,4,5,6\n"));
  EXPECT_TRUE(are_entries("1,2,3\n4,5,6\n"));
  EXPECT_TRUE(are_entries("ann,1,3\nann,2,4\nbob,1,5\n"));
  ReadOptions dense;
  dense.format = Format::kDense;
  EXPECT_TRUE(std::holds_alternative<Tensor>(read("1,2,3\n4,5,6\n", dense).content));
}

TEST_F(Reading, ColumnsThatAreNamedOrNumbered) {
  const Entries expected{{"a", "x", 2}, {"b", "y", 3}};
  ReadOptions options;
  options.columns = {"who", "what", "plays"};
  EXPECT_EQ(entries_in(read("plays,day,who,what\n2,9,a,x\n3,8,b,y\n", options)), expected);
  options.columns = {"3", "4", "1"};
  EXPECT_EQ(entries_in(read("2,9,a,x\n3,8,b,y\n", options)), expected);
  options.columns = {"3", "4", "1", "2"};
  EXPECT_EQ(std::get<Ratings>(read("2,9,a,x\n3,8,b,y\n", options).content).weights, (std::vector<float>{9, 8}));
  options.columns = {"3", "4", "1", "time=2"};
  EXPECT_EQ(std::get<Ratings>(read("2,9,a,x\n3,8,b,y\n", options).content).times, (std::vector<double>{9, 8}));
  options.columns = {"3", "4", "5"};
  EXPECT_EQ(error("2,9,a,x\n", options), "m: there is no column \"5\"; the first line has 4");
  options.columns = {"1"};
  EXPECT_EQ(error("2,9,a,x\n", options), "m: --columns needs a row and a column");
}

TEST_F(Reading, PairsAreEntriesOfOne) {
  ReadOptions options;
  options.columns = {"3", "4"};
  const auto expected = entries_in(read("a,x,1\nb,y,1\n"));
  EXPECT_EQ(entries_in(read("2,9,a,x\n3,8,b,y\n", options)), expected);
  options.columns = {};
  options.format = Format::kTriples;
  for (const char* text : {"a,x\nb,y\n", "user,item\na,x\nb,y\n", "User ID\tMovie Title\na\tx\nb\ty\n"}) {
    const bool is_unknown_header = std::string_view(text).find("Title") != std::string_view::npos;
    EXPECT_EQ(entries_in(read(text, options)).size(), expected.size() + (is_unknown_header ? 1 : 0)) << text;
  }
  // Words above numbers are a header, whatever they are.
  EXPECT_EQ(entries_in(read("who,what\n1,2\n3,4\n", options)).size(), 2u);
  // Names like these are none.
  EXPECT_EQ(entries_in(read("user1,item1\nuser2,item2\n", options)).size(), 2u);
  options.pairs = true;
  EXPECT_EQ(entries_in(read("a,x,NA\nb,y,many\n", options)), expected);
}

TEST_F(Reading, TellsWhatIsWrongWithEntries) {
  EXPECT_EQ(error("1,2,3\n1,3,x\n"), "m:2: expected a number in column 3, found \"x\"");
  EXPECT_EQ(error("1,2,3\n1,3,inf\n"), "m:2: expected a finite number in column 3, found \"inf\"");
  EXPECT_EQ(error("1,2,3\n1,3\n"), "m:2: expected 3 columns as in the first line, found 2");
  EXPECT_EQ(error("1,2,3\n,3,4\n"), "m:2: there is no id in column 1");
  EXPECT_EQ(error("1,2,3\n" + std::string(1 << 20, 'i') + ",3,4\n"),
            "m:2: the id in column 1 has 1048576 characters; at most 4096 are read");
  EXPECT_EQ(error("user,item,rating\n"), "m: there is no entry");
  EXPECT_EQ(error("user,item,rating\n1,2,NA\n"), "m: all values are missing");
  ReadOptions options;
  options.columns = {"1", "2", "3", "4"};
  EXPECT_EQ(error("1,2,3,1\n1,3,4,-1\n", options), "m:2: the weight in column 4 is below 0");
  options = {};
  options.test = folder_.file("t", "1,2,3\n");
  EXPECT_EQ(error("\x93NUMPY", options), "m: the .npy file ends within its header");
}

TEST_F(Reading, IdsThatAreNumbersAscendAndOthersComeInOrder) {
  const auto ids = [&](const char* content) { return read(content).row_ids; };
  EXPECT_EQ(ids("30,1,1\n4,1,1\n200,1,1\n"), (Names{"4", "30", "200"}));
  EXPECT_EQ(ids("30,1,1\n4,1,1\n1073741823,1,1\n"), (Names{"4", "30", "1073741823"}));  // without a table of them all
  EXPECT_EQ(ids("user,item,rating\n30,1,1\n4,1,1\nb,1,1\n4,2,1\n"), (Names{"30", "4", "b"}));
  EXPECT_EQ(ids("user,item,rating\n30,1,1\n007,1,1\n7,1,1\n"), (Names{"30", "007", "7"}));
  EXPECT_EQ(ids("76561197960287930,1,1\n76561197960287931,1,1\n"), (Names{"76561197960287930", "76561197960287931"}));
}

TEST_F(Reading, LongFilesOnAnyNumberOfThreads) {
  std::string content = "user,item,rating\n";
  for (int i = 0; i < 700000; ++i) content += fmt::format("{},{},{}\n", i * 7919LL % 5003, i % 401, i % 11 * 0.5);
  content += "late,401,3\n";  // a name after so many numbers
  const std::string path = folder_.file("m", content);
  const int before = wengert::get_num_threads();
  Entries first;
  for (const int threads : {1, 2, 5}) {
    wengert::set_num_threads(threads);
    const Entries entries = entries_in(read_data(path, {}));
    if (first.empty()) first = entries;
    EXPECT_TRUE(entries == first) << threads;
  }
  wengert::set_num_threads(before);
  ASSERT_EQ(first.size(), 700001u);
  EXPECT_EQ(first[1], (Entries::value_type{"2916", "1", 0.5F}));
  EXPECT_EQ(first.back(), (Entries::value_type{"late", "401", 3}));
}

TEST_F(Reading, ATestFileHasTheSameIds) {
  ReadOptions options;
  options.test = folder_.file("t", "5,1,4\n9,8,2\n");
  const Data data = read("1,2,3\n9,1,4\n", options);
  EXPECT_EQ(data.row_ids, (Names{"1", "5", "9"}));
  EXPECT_EQ(data.column_ids, (Names{"1", "2", "8"}));
  EXPECT_EQ(data.test->rows, (std::vector<int32_t>{1, 2}));
  EXPECT_EQ(data.test->columns, (std::vector<int32_t>{0, 2}));
  EXPECT_EQ(std::get<Ratings>(data.content).rows, (std::vector<int32_t>{0, 2}));
}

std::string gzipped(const std::string& content, const std::string& path) {
  const gzFile file = gzopen(path.c_str(), "wb");
  gzwrite(file, content.data(), static_cast<unsigned>(content.size()));
  gzclose(file);
  return path;
}

std::string bytes_of(const std::string& path) {
  const wengert::serialize::Input input = wengert::serialize::Input::file(path);
  return input.read(0, input.size());
}

TEST_F(Reading, CompressedFiles) {
  std::string content;
  for (int i = 0; i < 300000; ++i) content += fmt::format("{} {} {}\n", i % 1000, i % 333, i % 5);
  const Entries expected = entries_in(read(content));
  const std::string gz = gzipped(content, folder_.path() / "m.gz"), whole = bytes_of(gz);
  EXPECT_EQ(entries_in(read_data(gz, {})), expected);
  EXPECT_EQ(read(whole + whole).rows, 1000);  // two files, one behind the other
  EXPECT_EQ(std::get<Ratings>(read(whole + whole).content).size(), 2 * expected.size());
  EXPECT_EQ(error(whole.substr(0, whole.size() / 2)), "m: the gzip data end too early");
  std::string damaged = whole;
  damaged[whole.size() / 2] ^= 0x55;
  EXPECT_NE(error(damaged).find("m: the gzip data are damaged"), std::string::npos);

  std::string zst(ZSTD_compressBound(content.size()), '\0');
  zst.resize(ZSTD_compress(zst.data(), zst.size(), content.data(), content.size(), 3));
  EXPECT_EQ(entries_in(read(zst)), expected);
  EXPECT_EQ(error(zst.substr(0, zst.size() / 2)), "m: the Zstandard data end too early");
  damaged = zst;
  damaged[zst.size() / 2] ^= 0x55;
  EXPECT_NE(error(damaged).find("m: the Zstandard data are damaged"), std::string::npos);
  const std::string npy = folder_.path() / "m.npy";
  wengert::save_npy(wengert::arange(6).reshape({2, 3}), npy);
  EXPECT_EQ(values(read_matrix(gzipped(bytes_of(npy), folder_.path() / "npy.gz"))), (Values{0, 1, 2, 3, 4, 5}));
}

TEST_F(Reading, TellsThatAFileIsMissing) {
  EXPECT_EQ(error_of([] { read_matrix("/nowhere/m.csv"); }), "/nowhere/m.csv: No such file or directory");
  EXPECT_EQ(error_of([&] { read_matrix(folder_.path()); }), folder_.path().string() + ": Is a directory");
}

TEST_F(Reading, NpyOfNumbers) {
  const std::string path = folder_.path() / "m";
  const Tensor m = wengert::test::arbitrary({70, 3}, -9, 9);
  for (const auto dtype : {wengert::kLong, wengert::kFloat, wengert::kDouble}) {
    wengert::save_npy(m.to(dtype), path);
    EXPECT_TRUE(equal(read_matrix(path), m.to(dtype).to(wengert::kDouble)));
  }
  wengert::save_npy(wengert::full({2, 1}, kHole).index_put({wengert::tensor({0}, wengert::kLong)}, wengert::ones({1})),
                    path);
  EXPECT_EQ(read_data(path, {}).holes, 1);
}

TEST_F(Reading, TellsWhatIsWrongWithNpy) {
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
  EXPECT_EQ(error_of_array(wengert::full({1, 1}, INFINITY, wengert::kDouble)),
            "m: row 1, column 1 is infinite; every element must be a finite number or NaN");
  EXPECT_EQ(error_of_array(wengert::full({1, 1}, kHole)), "m: all elements are missing");
}

// As scipy.sparse.save_npz() writes them.
TEST_F(Reading, SparseNpz) {
  const std::string path = folder_.path() / "m.npz";
  const auto whole = [](std::vector<int64_t> numbers) { return wengert::tensor(wengert::IntArrayRef(numbers)); };
  const Entries expected{{"0", "1", 5}, {"2", "0", 6}, {"2", "1", 7}};
  const std::map<std::string, Tensor> common{{"shape", whole({3, 2})}, {"data", wengert::tensor({5.0, 6.0, 7.0})}};
  const auto read_with = [&](std::map<std::string, Tensor> arrays) {
    arrays.insert(common.begin(), common.end());
    wengert::save_npz(arrays, path);
    const Data data = read_data(path, {});
    EXPECT_EQ(data.rows, 3);
    EXPECT_EQ(data.columns, 2);
    return entries_in(data);
  };
  EXPECT_EQ(read_with({{"row", whole({0, 2, 2})}, {"col", whole({1, 0, 1})}}), expected);
  EXPECT_EQ(read_with({{"indices", whole({1, 0, 1})}, {"indptr", whole({0, 1, 1, 3})}}), expected);
  EXPECT_EQ(read_with({{"indices", whole({2, 0, 2})}, {"indptr", whole({0, 1, 3})}}),
            (Entries{{"2", "0", 5}, {"0", "1", 6}, {"2", "1", 7}}));
  // A square one is of columns where the format says so.
  std::map<std::string, Tensor> square{{"shape", whole({2, 2})},
                                       {"data", wengert::tensor({5.0, 6.0})},
                                       {"indices", whole({1, 0})},
                                       {"indptr", whole({0, 2, 2})},
                                       {"format", whole({'c', 's', 'c'})}};
  wengert::save_npz(square, path);
  EXPECT_EQ(entries_in(read_data(path, {})), (Entries{{"1", "0", 5}, {"0", "0", 6}}));
  square["indptr"] = whole({0, 3, 2});
  wengert::save_npz(square, path);
  EXPECT_ERROR(read_data(path, {}), "\"indptr\" does not ascend to the number of values");
  square["indices"] = whole({1, 2});
  square["indptr"] = whole({0, 2, 2});
  wengert::save_npz(square, path);
  EXPECT_ERROR(read_data(path, {}), "position 2 is not within 0 and 1");
  wengert::save_npz({{"only", wengert::eye(2)}}, path);
  EXPECT_EQ(values(read_matrix(path)), (Values{1, 0, 0, 1}));
  wengert::save_npz({{"a", wengert::eye(2)}, {"b", wengert::eye(2)}}, path);
  EXPECT_ERROR(read_data(path, {}), "there are 2 arrays; expected one, or scipy.sparse's");
}

TEST_F(Reading, MatrixMarketArrays) {
  EXPECT_EQ(values(matrix("%%MatrixMarket matrix array real general\n% comment\n2 3\n1\n4\n2\n5\n3\n6\n")),
            (Values{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(values(matrix("%%MatrixMarket MATRIX Array Integer Symmetric\n2 2\n1\n2\n3\n")), (Values{1, 2, 2, 3}));
  EXPECT_EQ(values(matrix("%%MatrixMarket matrix array real skew-symmetric\n2 2\n5\n")), (Values{0, -5, 5, 0}));
}

TEST_F(Reading, MatrixMarketCoordinates) {
  const std::string banner = "%%MatrixMarket matrix coordinate ";
  const Data data = read(banner + "real general\n% comment\n3 4 2\n1 4 2.5\n3 1 -1\n");
  EXPECT_EQ(entries_in(data), (Entries{{"0", "3", 2.5F}, {"2", "0", -1}}));
  EXPECT_EQ(data.rows, 3);
  EXPECT_EQ(data.columns, 4);
  EXPECT_EQ(entries_in(read(banner + "pattern symmetric\n2 2 2\n1 1\n2 1\n")),
            (Entries{{"0", "0", 1}, {"1", "0", 1}, {"0", "1", 1}}));
  EXPECT_EQ(entries_in(read(banner + "integer skew-symmetric\n2 2 1\n2 1 4\n")),
            (Entries{{"1", "0", 4}, {"0", "1", -4}}));
}

TEST_F(Reading, TellsWhatIsWrongWithMatrixMarket) {
  const std::string array = "%%MatrixMarket matrix array ",
                    coordinate = "%%MatrixMarket matrix coordinate real general\n";
  EXPECT_EQ(error("%%MatrixMarket tensor array real general\n1 1\n1\n"),
            "m:1: \"tensor array\" is not read here; expected \"matrix array\" or \"matrix coordinate\"");
  EXPECT_EQ(error(array + "complex general\n1 1\n1 0\n"),
            "m:1: elements are \"complex\"; expected \"real\" or \"integer\"");
  EXPECT_EQ(error(array + "real general\n2 2\n1\n2\n3\n"), "m:6: expected a number, found the end");
  EXPECT_EQ(error(array + "real general\n1 1\n1\n2\n"), "m:4: expected the end, found \"2\"");
  EXPECT_EQ(error(array + "real symmetric\n1 2\n1\n"), "m:2: a symmetric matrix must be square");
  EXPECT_EQ(error(array + "real general\n100000 100000\n1\n"),
            "m:2: the file is too short for 100000 x 100000 elements");
  EXPECT_EQ(error(coordinate + "2 2 1\n3 1 5\n"), "m:3: expected a row from 1 to 2, found 3");
  EXPECT_EQ(error(coordinate + "2 2 1\n1 1.5 5\n"), "m:3: expected a column from 1 to 2, found 1.5");
  EXPECT_EQ(error(coordinate + "2 2 2\n1 1 5\n"), "m:4: expected a row, found the end");
  EXPECT_EQ(error(coordinate + "2 2 1\n1 1 nan\n"), "m:3: expected a finite number, found nan");
}

TEST(Text, NumbersAreWhole) {
  EXPECT_EQ(parse_number("+1.5e3"), 1500);
  EXPECT_EQ(parse_number("-0.25"), -0.25);
  for (const char* text : {"", "+", "++1", "1x", "0x10", "1,5", " 1"}) EXPECT_FALSE(parse_number(text)) << text;
}

}  // namespace
}  // namespace factorize
