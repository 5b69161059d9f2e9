# Homebrew, on Linux: `brew install --HEAD ./cmake/recipes/wengert.rb`.
class Wengert < Formula
  desc "Reverse-mode automatic differentiation with libtorch's autograd API"
  homepage "https://example.org/wengert"
  license "MIT"
  head "https://example.org/wengert.git", branch: "main"

  depends_on "cli11" => :build
  depends_on "cmake" => :build
  depends_on "fast_float" => :build
  depends_on "highway" => :build
  depends_on "nlohmann-json" => :build
  depends_on "pkg-config" => :test
  depends_on "cpp-httplib"
  depends_on "fmt"
  depends_on "libzip"
  depends_on "openblas"
  depends_on "tbb"
  depends_on "zstd"

  def install
    args = %w[-DWENGERT_BUILD_TESTS=OFF -DWENGERT_BUILD_EXAMPLES=OFF -DWENGERT_BLAS=openblas]
    system "cmake", "-S", ".", "-B", "build", *args, *std_cmake_args
    system "cmake", "--build", "build"
    system "cmake", "--install", "build"
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/factorize --version")
  end
end
