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
#include "core/domain/account.h"
#include "core/domain/contact_move.h"
#include "core/domain/outbox_mail.h"
#include "core/domain/role.h"
#include "core/domain/service.h"
#include "core/workflow/assignments.h"

// The effects of an import on the directory, as a pure function.
namespace contacts {

// An account of an import. An unset field keeps the present value, or gets the default in a new
// account.
struct AccountRecord {
  AccountId id;
  std::string email;
  std::optional<std::string> language;
  std::optional<BillingStanding> standing;
};

// An unset owner keeps the service's present owner.
using ImportRecord = std::variant<AccountRecord, Service>;

// Facts from the database about the accounts and services of the records.
struct ImportFacts {
  AccountMap accounts;                      // Existing accounts of account records, locked.
  ServiceMap services;                      // Existing services of service records, locked.
  absl::flat_hash_set<AccountId> contacts;  // Other accounts that exist.
  std::set<ServiceRole> pending;            // Roles with a pending change.
};

// A rejected record.
struct ImportRejection {
  std::size_t position = 0;  // Among the records, from 0.
  // ACCOUNT_NOT_FOUND for a contact that neither exists nor comes earlier, CHANGE_ALREADY_PENDING
  // if a role with a pending change would move.
  absl::Status why;
};

// The rows to write. Accounts and services are ordered by id and unique.
struct ImportPlan {
  std::vector<Account> new_accounts;
  std::vector<Account> changed_accounts;
  std::vector<Service> new_services;
  std::vector<Service> changed_services;
  std::vector<ServiceId> moved_admins;  // Changed services with another admin than before.
  std::vector<ContactMove> moves;       // In the order of the records.
  std::vector<EarlierAddress> earlier_addresses;  // Replaced by the records.
  std::vector<OutboxMail> mails;                  // Without ids.
  std::vector<ImportRejection> rejections;        // In the order of the records.
};

// Decides as if the records came one after the other: a later record with the same id wins, and a
// rejected record changes nothing. A record with the present values writes nothing.
// `staff`: the operator, for the history of contacts.
ImportPlan PlanImport(const std::vector<ImportRecord>& records, ImportFacts facts,
                      const std::string& staff, absl::Time now);

}  // namespace contacts

#endif  // CONTACTS_CORE_WORKFLOW_IMPORT_H_
