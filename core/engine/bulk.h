#ifndef CONTACTS_CORE_ENGINE_BULK_H_
#define CONTACTS_CORE_ENGINE_BULK_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/domain/account.h"
#include "core/domain/service.h"
#include "core/engine/call.h"
#include "core/workflow/import.h"

namespace contacts {

// One page of the whole directory: all accounts come before all services.
struct DirectoryPage {
  std::vector<Account> accounts;
  std::vector<Service> services;
  std::string next;  // Cursor of the next page; empty on the last.
};

// The directory in bulk. Thread safe; calls block on the database.
class Bulk {
 public:
  // `context` must outlive this object.
  explicit Bulk(const EngineContext* context) : context_(*context) {}

  // Creates or updates accounts and services as the records say, in one transaction of four round
  // trips at most. Returns the rejected records, in order; all others are committed. A second run
  // changes nothing. `staff`: the operator's name in the policy. Returns the errors of
  // Database::Write.
  absl::StatusOr<std::vector<ImportRejection>> ImportBatch(const CallLimits& limits,
                                                           const std::vector<ImportRecord>& records,
                                                           const std::string& staff = "");
  // Returns the errors of Database::Read.
  absl::StatusOr<DirectoryPage> ExportDirectory(const Call& call, const PageRequest& page);

 private:
  const EngineContext& context_;
};

}  // namespace contacts

#endif  // CONTACTS_CORE_ENGINE_BULK_H_
