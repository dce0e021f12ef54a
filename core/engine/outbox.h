#ifndef CONTACTS_CORE_ENGINE_OUTBOX_H_
#define CONTACTS_CORE_ENGINE_OUTBOX_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/domain/model.h"
#include "core/domain/settings.h"
#include "core/domain/token.h"
#include "core/mysql/database.h"

namespace contacts {

// All that the text of one e-mail is made from.
struct MailFacts {
  OutboxMail mail;
  Account recipient;                    // As its profile stands now.
  std::optional<ContactChange> change;  // Where the e-mail is about one.
  std::optional<ContactOverride> override_record;
  std::string token;  // kValidation and kReminder: derived, never stored.
};

// The transactional outbox, seen from the relay that empties it. Rows are claimed
// by a lease, so each is worked on by one server at a time and by another once
// its server died. Thread safe.
class Outbox {
 public:
  // `database` must outlive it.
  Outbox(Database* database, TokenKeys keys, Settings settings);

  // Claims at most `limit` e-mails that are due and returns what their texts are
  // made from; empty only where none is due. Validation e-mails come first; of each kind,
  // those who cause e-mails take turns. With `before`, e-mails written before it, oldest
  // first. E-mails that are no longer wanted (the change closed, the validator
  // answered or asked for another) are dropped on the way and not returned. Each claim
  // is one of its own: a later one of the same server ends it too.
  absl::StatusOr<std::vector<MailFacts>> Claim(int64_t limit, absl::Duration lease, absl::Time now,
                                               std::optional<absl::Time> before = std::nullopt);

  // How many e-mails are owed, up to 10,000, and how old the oldest is.
  struct Depth {
    int64_t mails = 0;
    absl::Duration oldest;
  };
  absl::StatusOr<Depth> GetDepth(absl::Time now);

  // Records that the mail server took them: removes the rows and, for validation
  // e-mails, sets the send time and hint and adds VALIDATION_SENT to the history.
  // The e-mails are of one claim.
  absl::Status Sent(const std::vector<MailFacts>& mails, absl::Time now);
  // Puts one back until `next_try`, when it comes into line anew.
  absl::Status Retry(const OutboxMail& mail, absl::Time next_try);
  // Gives some back as they were before the claim, but for their `tries`; due at `next_try`.
  absl::Status Release(const std::vector<OutboxMail>& mails, absl::Time next_try);
  // Gives one up: removes it and, for a validation e-mail, adds
  // VALIDATION_UNDELIVERABLE to the history.
  absl::Status GiveUp(const OutboxMail& mail, absl::Time now);

 private:
  // One claim. `found`: whether any e-mail was due, wanted or not.
  absl::StatusOr<std::vector<MailFacts>> ClaimSome(int64_t limit, absl::Duration lease,
                                                   absl::Time now,
                                                   const std::optional<Uuid>& before, bool& found);
  absl::Status Finish(const std::vector<OutboxMail>& mails, EventType event,
                      const std::vector<std::string>& hints, absl::Time now);

  Database* const database_;
  const TokenKeys keys_;
  const Settings settings_;
};

}  // namespace contacts

#endif  // CONTACTS_CORE_ENGINE_OUTBOX_H_
