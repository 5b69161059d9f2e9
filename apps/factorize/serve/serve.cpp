#include <factorize/serve/answers.h>
#include <factorize/serve/page.h>
#include <factorize/serve/serve.h>
#include <fmt/format.h>
#include <httplib.h>
#include <wengert/wengert.h>

#include <atomic>
#include <condition_variable>
#include <csignal>
#include <deque>
#include <filesystem>
#include <memory>
#include <mutex>
#include <thread>

namespace factorize {
namespace {

struct Arguments {
  std::string folder;
  int port = 8080;
  int connections = 128;
  bool quiet = false;
};

constexpr size_t kLongestBody = size_t{1} << 20;
constexpr time_t kSecondsToRead = 5;
constexpr time_t kSecondsIdle = 2;  // of a connection, which the end waits for

// A model's folder, read anew when it has another model.
class Current {
 public:
  explicit Current(std::string folder) : folder_(std::move(folder)) { reload(); }

  std::shared_ptr<const Answers> answers() const {
    const std::lock_guard lock(mutex_);
    return answers_;
  }
  // The one that is there stays where the folder has none that can be read: throws wengert::Error.
  void reload() {
    const auto stamp = this->stamp();
    auto next = std::make_shared<const Answers>(load_model(folder_));
    const std::lock_guard lock(mutex_);
    answers_ = std::move(next);
    stamp_ = stamp;
  }
  // The file that is written last has changed.
  bool has_changed() const { return stamp() != stamp_; }
  void leave() { stamp_ = stamp(); }

 private:
  std::filesystem::file_time_type stamp() const {
    std::error_code not_there;
    return std::filesystem::last_write_time(std::filesystem::path(folder_) / "factors.safetensors", not_there);
  }

  std::string folder_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Answers> answers_;
  std::filesystem::file_time_type stamp_;
};

void put(httplib::Response& response, const Answer& answer) {
  response.status = answer.status;
  response.set_content(answer.body, "application/json");
}

// As many questions are thought about at once as operations may use threads: more would take turns, and each take as
// long as all. Who came first is first, so that none waits much longer than the others.
class Turns {
 public:
  Answer take(const Answers& answers, const Question& question) {
    wait();
    Answer answer = answers.answer(question);  // which throws nothing
    pass_on();
    return answer;
  }

 private:
  struct Turn {
    bool has_come = false;
    std::condition_variable comes = {};
  };

  void wait() {
    std::unique_lock lock(mutex_);
    if (free_ > 0) {
      --free_;
      return;
    }
    Turn mine;
    waiting_.push_back(&mine);
    mine.comes.wait(lock, [&] { return mine.has_come; });
  }
  void pass_on() {
    const std::lock_guard lock(mutex_);
    if (waiting_.empty()) {
      ++free_;
      return;
    }
    waiting_.front()->has_come = true;
    waiting_.front()->comes.notify_one();
    waiting_.pop_front();
  }

  std::mutex mutex_;
  int free_ = wengert::get_num_threads();
  std::deque<Turn*> waiting_;
};

void set_handlers(httplib::Server& server, const Current& current, Turns& turns) {
  // Pages of other origins are told nothing: no header allows it, nor does a name that leads here (DNS rebinding).
  server.set_pre_routing_handler([](const httplib::Request& request, httplib::Response& response) {
    const std::string host = request.get_header_value("Host");
    const std::string name = host.substr(0, host.rfind(':'));
    if (name == "127.0.0.1" || name == "localhost" || host.empty()) return httplib::Server::HandlerResponse::Unhandled;
    put(response, {403, R"({"error":"ask 127.0.0.1 or localhost"})"});
    return httplib::Server::HandlerResponse::Handled;
  });
  server.Get("/", [](const httplib::Request&, httplib::Response& response) {
    response.set_content(kPage, "text/html; charset=utf-8");
  });
  const auto answer = [&current, &turns](const httplib::Request& request, httplib::Response& response) {
    Question question{request.path, {}, request.body};
    for (const auto& [name, value] : request.params) question.parameters.emplace(name, value);
    put(response, turns.take(*current.answers(), question));
  };
  server.Get("/.+", answer);
  server.Post("/(predict|fold-in)", answer);
  server.set_error_handler([](const httplib::Request&, httplib::Response& response) {
    if (!response.body.empty()) return;
    const char* what = response.status == 413   ? "the body is too long"
                       : response.status == 414 ? "the address is too long"
                       : response.status == 404 ? "there is nothing of that name"
                                                : "the request is none that is answered";
    put(response, {response.status, fmt::format("{{\"error\":\"{}\"}}", what)});
  });
  server.set_payload_max_length(kLongestBody);
  server.set_read_timeout(kSecondsToRead);
  server.set_write_timeout(kSecondsToRead);
  server.set_keep_alive_max_count(std::numeric_limits<size_t>::max());
  server.set_keep_alive_timeout(kSecondsIdle);
  server.set_tcp_nodelay(true);
}

int serve(const Arguments& arguments) {
  wengert::set_num_threads(1);  // each connection has a thread of its own
  // Blocked before there are threads, so that only the one below takes them.
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGHUP, SIGINT, SIGTERM}) sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  Current current(arguments.folder);

  httplib::Server server;
  Turns turns;
  set_handlers(server, current, turns);
  const auto threads = static_cast<size_t>(arguments.connections);
  server.new_task_queue = [threads] { return new httplib::ThreadPool(threads); };
  socket_t listening = INVALID_SOCKET;
  server.set_socket_options([&listening](socket_t socket) {
    // And no SO_REUSEPORT, with which two servers at one port would share its connections.
    const int yes = 1;
    setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    listening = socket;
  });
  int port = arguments.port;
  const bool is_bound =
      port == 0 ? (port = server.bind_to_any_port("127.0.0.1")) > 0 : server.bind_to_port("127.0.0.1", port);
  // The library lets five wait to be accepted, and a sixth tries again after a second.
  if (!is_bound || listen(listening, arguments.connections) != 0) {
    throw wengert::Error(fmt::format("port {} of 127.0.0.1 can't be listened at", arguments.port));
  }
  if (!arguments.quiet) {
    fmt::print("{} is served at http://127.0.0.1:{}/\n", arguments.folder, port);
    std::fflush(stdout);
  }

  std::atomic<bool> is_over = false;
  std::thread keeper([&] {
    const auto reload = [&] {
      try {
        current.reload();
        if (!arguments.quiet) fmt::print("read again: {}\n", arguments.folder);
      } catch (const std::exception& error) {
        current.leave();
        fmt::print(stderr, "factorize: {}; the model that was read before goes on answering\n", error.what());
      }
      std::fflush(stdout);
    };
    while (!is_over) {
      const timespec second{1, 0};
      const int signal = sigtimedwait(&signals, nullptr, &second);
      if (signal == SIGHUP || (signal < 0 && current.has_changed())) reload();
      if (signal == SIGINT || signal == SIGTERM) break;
    }
    server.stop();
  });
  const bool has_listened = server.listen_after_bind();
  is_over = true;
  keeper.join();
  if (!has_listened) throw wengert::Error("listening has failed");
  return 0;
}

}  // namespace

void add_serve(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand(
      "serve", "Answer recommend, predict, similar and fold-in as JSON over HTTP, on this machine alone");
  command->add_option("MODEL", arguments->folder, "the folder that fit --out has written")->required();
  command->add_option("--port", arguments->port, "0: any that is free")
      ->check(CLI::Range(0, 65535))
      ->type_name("PORT")
      ->capture_default_str();
  command->add_option("--connections", arguments->connections, "that are answered at once")
      ->check(CLI::Range(1, 4096))
      ->type_name("N")
      ->capture_default_str();
  command->add_flag("--quiet", arguments->quiet, "print nothing but errors");
  command->callback([arguments, &action] { action = [arguments] { return serve(*arguments); }; });
}

}  // namespace factorize
