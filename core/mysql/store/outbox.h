#ifndef CONTACTS_CORE_MYSQL_STORE_OUTBOX_H_
#define CONTACTS_CORE_MYSQL_STORE_OUTBOX_H_

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "core/domain/ids.h"
#include "core/domain/outbox_mail.h"
#include "core/mysql/session.h"
#include "core/mysql/store/lock.h"

// The table outbox: e-mails to deliver.
namespace contacts::store {

// Number of e-mails to deliver, counted up to `limit`, and time when the oldest of them was
// written.
struct OutboxDepth {
  int64_t mails = 0;
  std::optional<absl::Time> oldest;
};

// `limit`: at least 1.
OutboxDepth LoadOutboxDepth(Session& session, int64_t limit);

// Puts new e-mails into line. Causes take turns: each further e-mail of a cause comes a round
// later. Validation e-mails come before all others. Leaves optional e-mails out if the uses of
// kMails that are already counted for their sender and recipient exceed `max_mails_per_day`.
void InsertMails(Session& session, const std::vector<OutboxMail>& mails, int64_t max_mails_per_day);

// Puts at most `limit` e-mails that waited until `now` into line again. Returns their number.
int64_t QueueWaitingMails(Session& session, absl::Time now, int64_t limit);

// Locks at most `limit` e-mails in line and due at `now`, in their order. Skips e-mails that others
// have locked. With `before`: only e-mails with ids before it, in order of id.
std::vector<OutboxMail> LockDueMails(Session& session, absl::Time now, int64_t limit,
                                     const std::optional<Uuid>& before);

// Claims the e-mails that are still in line and due at `now`.
void ClaimMails(Session& session, const std::set<Uuid>& ids, const std::string& claim,
                absl::Time now, absl::Time until);

// Returns the e-mails that `claim` still holds.
std::set<Uuid> LoadClaimed(Session& session, const std::set<Uuid>& ids, const std::string& claim,
                           Lock lock);

// Deletes e-mails in any state.
void DeleteMails(Session& session, const std::set<Uuid>& ids);

// Deletes the validation e-mails of a contact change.
void DeleteValidationMails(Session& session, const Uuid& change);

// Ends the claim on an e-mail, which comes into line again at `next_try`.
void PostponeMail(Session& session, const OutboxMail& mail, absl::Time next_try);

// Ends the claim on an e-mail, and restores its place and its `tries`. It is due at `next_try`.
void ReleaseMail(Session& session, const OutboxMail& mail, absl::Time next_try);

}  // namespace contacts::store

#endif  // CONTACTS_CORE_MYSQL_STORE_OUTBOX_H_
