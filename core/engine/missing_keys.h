#ifndef CONTACTS_CORE_ENGINE_MISSING_KEYS_H_
#define CONTACTS_CORE_ENGINE_MISSING_KEYS_H_

#include <spdlog/spdlog.h>

#include <atomic>
#include <cstdint>
#include <string>

namespace contacts {

// Counts and logs answers that had a token of a key that this server lacks. Thread safe.
class MissingKeys {
 public:
  // `key_id`: empty if no key was missing.
  void Count(const std::string& key_id) {
    if (key_id.empty()) return;
    ++count_;
    spdlog::error("token keys: none is called \"{}\", which a token was made with", key_id);
  }
  int64_t count() const { return count_; }

 private:
  std::atomic<int64_t> count_ = 0;
};

}  // namespace contacts

#endif  // CONTACTS_CORE_ENGINE_MISSING_KEYS_H_
