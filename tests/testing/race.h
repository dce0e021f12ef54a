#ifndef CONTACTS_TESTS_TESTING_RACE_H_
#define CONTACTS_TESTS_TESTING_RACE_H_

#include <functional>
#include <latch>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/testing/world.h"

namespace contacts::testing {

constexpr int kRounds = 20;

// Three servers. Each race is run kRounds times, each on a service of its own.
struct Servers {
  explicit Servers(Settings settings = {})
      : world(settings, kRounds), second(world), third(world) {}

  Engine* engine(int i) {
    return i % 3 == 0 ? &world.engine : i % 3 == 1 ? &second.engine : &third.engine;
  }

  World world;
  World::Server second;
  World::Server third;
};

inline std::string ServiceOf(int round) { return absl::StrCat("s", round, ".example"); }

// Runs `body(0)` to `body(threads - 1)` at the same time.
inline void AtOnce(int threads, const std::function<void(int)>& body) {
  std::latch start(threads);
  std::vector<std::thread> running;
  for (int i = 0; i < threads; ++i) {
    running.emplace_back([&, i] {
      start.arrive_and_wait();
      body(i);
    });
  }
  for (std::thread& thread : running) thread.join();
}

}  // namespace contacts::testing

#endif  // CONTACTS_TESTS_TESTING_RACE_H_
