#ifndef CONTACTS_CORE_WORKFLOW_IMPORT_H_
#define CONTACTS_CORE_WORKFLOW_IMPORT_H_

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "core/domain/model.h"
#include "core/workflow/assignments.h"

// What an import does to the directory, as a pure function.
namespace contacts {

// An account as an import brings it. What is unset keeps what stands; a new
// account takes the default.
struct AccountRecord {
  AccountId id;
  std::string email;
  std::optional<std::string> language;
  std::optional<BillingStanding> standing;
};

// A service's unset owner keeps what stands.
using ImportRecord = std::variant<AccountRecord, Service>;

// What the database says about everything that the records name.
struct ImportFacts {
  AccountMap accounts;                      // Of the account records, those that exist; locked.
  ServiceMap services;                      // Of the service records, those that exist; locked.
  absl::flat_hash_set<AccountId> contacts;  // Other accounts that exist.
  std::set<ServiceRole> pending;            // Roles that a pending change is about.
};

// A record that is not taken.
struct ImportRejection {
  std::size_t position = 0;  // Among the records, from 0.
  // ACCOUNT_NOT_FOUND for a contact that neither exists nor comes earlier,
  // CHANGE_ALREADY_PENDING where a role would move that a pending change is about.
  absl::Status why;
};

// What to write. Accounts and services are ordered by id, each of them once.
struct ImportPlan {
  std::vector<Account> new_accounts;
  std::vector<Account> changed_accounts;
  std::vector<Service> new_services;
  std::vector<Service> changed_services;
  std::vector<ServiceId> moved_admins;      // Changed services that have another admin now.
  std::vector<OutboxMail> mails;            // Without ids.
  std::vector<ImportRejection> rejections;  // In the order of the records.
};

// Takes the records as if one after the other: a record that comes again wins, and
// one that is rejected changes nothing. One that says what stands writes nothing.
ImportPlan PlanImport(const std::vector<ImportRecord>& records, ImportFacts facts, absl::Time now);

}  // namespace contacts

#endif  // CONTACTS_CORE_WORKFLOW_IMPORT_H_
