#ifndef CONTACTS_CORE_ENGINE_ENGINE_H_
#define CONTACTS_CORE_ENGINE_ENGINE_H_

#include <functional>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "core/engine/answering.h"
#include "core/engine/asking.h"
#include "core/engine/bulk.h"
#include "core/engine/call.h"
#include "core/engine/directory.h"
#include "core/engine/maintenance.h"
#include "core/engine/profiles.h"
#include "core/engine/reading.h"
#include "core/engine/support.h"

namespace contacts {

// All use cases of one server. Each loads, decides with the pure functions of core/workflow, and
// saves state, history and e-mails in one transaction. The form of the input is checked by the
// caller. Errors are those of core/domain/errors.h. Thread safe; calls block on the database and
// need threads of their own, at most as many as the database has connections.
class Engine {
 public:
  using Clock = std::function<absl::Time()>;

  // `database` must outlive the engine.
  Engine(Database* database, TokenKeys keys, Settings settings, const Clock& clock = absl::Now)
      // The database keeps microseconds, so that a reply says what a later read will.
      : context_{database, std::move(keys), settings,
                 [clock] { return absl::FromUnixMicros(absl::ToUnixMicros(clock())); }} {}
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  const Settings& settings() const { return context_.settings; }

 private:
  const EngineContext context_;

 public:
  Asking asking{&context_};
  Answering answering{&context_};
  Reading reading{&context_};
  Profiles profiles{&context_};
  Support support{&context_};
  Directory directory{&context_};
  Bulk bulk{&context_};
  Maintenance maintenance{&context_};
};

}  // namespace contacts

#endif  // CONTACTS_CORE_ENGINE_ENGINE_H_
