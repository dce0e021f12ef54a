#ifndef CONTACTS_TESTS_TESTING_PROXY_H_
#define CONTACTS_TESTS_TESTING_PROXY_H_

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace contacts::testing {

// A TCP proxy on loopback that breaks connections at a chosen moment, or shows the traffic.
class Proxy {
 public:
  enum class Fault {
    kNone,
    kLoseRequest,  // Breaks the connection instead of handing the request on.
    kLoseAnswer,   // Hands the request on and breaks the connection once it was answered,
    kHangUp,       // or at once, while it is worked on.
  };

  // Called with the connection's number and the bytes before they are handed on. Each connection
  // has a thread, and these may call it at the same time.
  using Observer = std::function<void(int connection, bool to_target, const std::string& bytes)>;

  // Listens on `host`, an IPv4 address of loopback, and `port`; 0 picks one.
  explicit Proxy(int target_port, Observer observer = nullptr,
                 const std::string& host = "127.0.0.1", int port = 0);
  ~Proxy();
  int port() const { return port_; }

  // The next request that contains `text` meets `fault`, once.
  void Arm(Fault fault, const std::string& text);
  // How often a fault was met.
  int faults() const { return faults_; }

 private:
  void Accept();
  void Relay(int client, int connection);
  // Whether this request meets the fault that is armed.
  Fault Meet(const std::string& request);

  const int target_port_;
  const Observer observer_;
  int listener_ = -1;
  int port_ = 0;
  std::mutex mutex_;
  Fault armed_ = Fault::kNone;
  std::string text_;
  std::atomic<int> faults_ = 0;
  std::atomic<bool> stopping_ = false;
  std::vector<std::thread> relays_;
  std::thread acceptor_;
};

}  // namespace contacts::testing

#endif  // CONTACTS_TESTS_TESTING_PROXY_H_
