#include <apps/factorize/command.h>
#include <factorize/fit/fit.h>
#include <factorize/serve/answers.h>
#include <fmt/format.h>
#include <httplib.h>
#include <wengert/wengert.h>

#include <nlohmann/json.hpp>
#include <atomic>
#include <chrono>
#include <csignal>
#include <fstream>
#include <thread>

namespace factorize {
namespace {

using nlohmann::json;

// A server of the ratings that the documentation uses.
class Serve : public Command {
 protected:
  void SetUp() override {
    model_ = folder_.path() / "model";
    ASSERT_EQ(fit(""), 0);
  }
  void TearDown() override {
    if (pid_ > 0) stop();
  }
  int fit(const std::string& arguments) {
    return run("fit " + std::string(TEST_DATA_DIR) + "/ratings.csv --quiet --out " + model_ + " " + arguments).status;
  }
  void start() {
    log_ = folder_.path() / "log";
    pid_ = fork();
    if (pid_ == 0) {
      if (std::freopen(log_.c_str(), "w", stdout) == nullptr || std::freopen(log_.c_str(), "a", stderr) == nullptr)
        _exit(9);
      execl(FACTORIZE_PROGRAM, "factorize", "serve", model_.c_str(), "--port", "0", static_cast<char*>(nullptr));
      _exit(9);
    }
    wait_for_log("http://127.0.0.1:");
    const std::string said = content_of(log_);
    port_ = std::stoi(said.substr(said.find("127.0.0.1:") + 10));
  }
  void wait_for_log(const std::string& text) {
    for (int i = 0; i < 3000 && content_of(log_).find(text) == std::string::npos; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    ASSERT_NE(content_of(log_).find(text), std::string::npos) << content_of(log_);
  }
  int stop() {
    kill(pid_, SIGTERM);
    int status = 0;
    waitpid(pid_, &status, 0);
    pid_ = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  httplib::Client client() const {
    httplib::Client client("127.0.0.1", port_);
    client.set_keep_alive(true);
    client.set_read_timeout(30);
    return client;
  }
  std::string model_, log_;
  pid_t pid_ = 0;
  int port_ = 0;
};

TEST_F(Serve, AnswersAsTheCommandsDo) {
  start();
  httplib::Client client = this->client();
  const auto get = [&](const std::string& path) {
    const auto answer = client.Get(path.c_str());
    EXPECT_TRUE(answer) << path;
    EXPECT_EQ(answer->status, 200) << answer->body;
    return json::parse(answer->body);
  };
  const json recommended = get("/recommend?row=user7&n=3"),
             expected = json::parse(run("recommend " + model_ + " --row user7 -n 3 --json").out);
  ASSERT_EQ(recommended["columns"].size(), 3u);
  for (size_t r = 0; r < 3; ++r) {
    EXPECT_EQ(recommended["columns"][r]["column"], expected[r]["column"]);
    EXPECT_NEAR(recommended["columns"][r]["score"].get<double>(), expected[r]["score"].get<double>(), 1e-5);
  }
  EXPECT_GT(get("/recommend?row=user7&n=3&explain=1")["columns"][0]["because"].size(), 0u);
  EXPECT_EQ(get("/recommend?row=user7&n=198&with_seen=1")["columns"].size(), 198u);
  const json similar = get("/similar?id=item30&n=2"),
             expected_similar = json::parse(run("similar " + model_ + " item30 -n 2 --json").out);
  EXPECT_EQ(similar["similar"][1]["column"], expected_similar[1]["similar"]);
  EXPECT_EQ(get("/similar?id=user3&of=rows&n=2")["similar"].size(), 2u);
  const std::string pair = folder_.file("pair.csv", "user7,item30\n");
  EXPECT_NEAR(get("/predict?row=user7&column=item30")["predictions"][0].get<double>(),
              json::parse(run("predict " + model_ + " " + pair + " --json").out)[0]["prediction"].get<double>(), 1e-5);
  EXPECT_EQ(get("/model")["rows"], 300);

  const std::string entries = folder_.file("me.csv", "me,item30,5\nme,item2,1\n");
  const auto folded = client.Post("/fold-in", R"({"entries":{"item30":5,"item2":1},"n":4})", "application/json");
  ASSERT_TRUE(folded);
  const json expected_folded = json::parse(run("fold-in " + model_ + " " + entries + " --recommend 4 --json").out);
  ASSERT_EQ(json::parse(folded->body)["columns"].size(), 4u) << folded->body;
  EXPECT_EQ(json::parse(folded->body)["columns"][3]["column"], expected_folded[3]["column"]);
  const auto page = client.Get("/");
  EXPECT_NE(page->body.find("<title>factorize serve</title>"), std::string::npos);
  EXPECT_EQ(stop(), 0);
}

TEST_F(Serve, RefusesWhatIsWrong) {
  start();
  httplib::Client client = this->client();
  const auto expect_error = [](const httplib::Result& answer, int status, const std::string& text) {
    ASSERT_TRUE(answer) << text;
    EXPECT_EQ(answer->status, status) << text;
    EXPECT_NE(answer->body.find(text), std::string::npos) << answer->body;
    EXPECT_TRUE(json::parse(answer->body).contains("error"));
  };
  expect_error(client.Get("/recommend"), 400, "there is no parameter row");
  expect_error(client.Get("/recommend?row=usr7"), 404, "the nearest are: user7");
  for (const char* n : {"0", "-1", "1001", "x", "3.5", "99999999999999999999"}) {
    expect_error(client.Get(fmt::format("/recommend?row=user7&n={}", n).c_str()), 400, "from 1 to 1000");
  }
  expect_error(client.Get("/similar?id=item1&of=things"), 400, "columns or rows");
  expect_error(client.Get("/nothing"), 404, "there is no /nothing");
  expect_error(client.Delete("/model"), 404, "nothing of that name");
  for (const char* body : {"", "x", "[]", "{}", R"({"entries":{}})", R"({"entries":{"item1":"x"}})",
                           R"({"entries":{"item1":1e999}})", R"({"entries":{"item1":1},"n":"x"})"}) {
    const auto answer = client.Post("/fold-in", body, "application/json");
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 400) << body;
  }
  expect_error(client.Post("/predict", R"({"pairs":[["user7"]]})", "application/json"), 400, "a pair is");
  expect_error(client.Post("/fold-in", std::string((1 << 20) + 1, ' '), "application/json"), 413, "too long");
  expect_error(client.Get(("/recommend?row=" + std::string(9000, 'a')).c_str()), 414, "too long");
  const httplib::Headers elsewhere{{"Host", "example.com"}};
  expect_error(this->client().Get("/model", elsewhere), 403, "ask 127.0.0.1");
  // And it answers still.
  EXPECT_EQ(this->client().Get("/model")->status, 200);
}

TEST_F(Serve, ReadsTheModelAnewWithoutAFailedRequest) {
  start();
  std::atomic<bool> is_over = false;
  std::atomic<int> answered = 0, failed = 0;
  std::vector<std::thread> askers;
  for (int i = 0; i < 3; ++i) {
    askers.emplace_back([&, i] {
      httplib::Client client = this->client();
      while (!is_over) {
        const auto answer = client.Get(fmt::format("/recommend?row=user{}&n=5", i + 1).c_str());
        (answer && answer->status == 200 ? answered : failed)++;
      }
    });
  }
  const auto rank = [&] { return json::parse(client().Get("/model")->body)["rank"].get<int>(); };
  EXPECT_EQ(rank(), 14);
  EXPECT_EQ(fit("--rank 3"), 0);
  kill(pid_, SIGHUP);
  wait_for_log("read again");
  EXPECT_EQ(rank(), 3);
  // Of itself, when the folder has another model.
  EXPECT_EQ(fit("--rank 2"), 0);
  for (int i = 0; i < 3000 && rank() != 2; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_EQ(rank(), 2);
  // A folder that is damaged changes nothing.
  std::ofstream(model_ + "/factors.safetensors") << "nothing";
  kill(pid_, SIGHUP);
  wait_for_log("goes on answering");
  EXPECT_EQ(rank(), 2);
  is_over = true;
  for (std::thread& asker : askers) asker.join();
  EXPECT_GT(answered, 10);
  EXPECT_EQ(failed, 0);
}

TEST_F(Serve, SaysWhereItCantListen) {
  start();
  expect_failure(fmt::format("serve {} --port {} --quiet", model_, port_), 1, "can't be listened at");
  expect_failure("serve " + std::string(folder_.path() / "nothing"), 1, "there is no model");
}

}  // namespace
}  // namespace factorize
