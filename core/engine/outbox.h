#ifndef CONTACTS_CORE_ENGINE_OUTBOX_H_
#define CONTACTS_CORE_ENGINE_OUTBOX_H_

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/domain/change_event.h"
#include "core/domain/mail_facts.h"
#include "core/domain/settings.h"
#include "core/domain/token.h"
#include "core/mysql/database.h"

namespace contacts {

// The transactional outbox, for the relay that delivers it. E-mails are claimed by a lease, so one
// server at a time works on an e-mail, and another server does if that one dies. All functions
// return the errors of Database::Read or Write. Thread safe; calls block on the database.
class Outbox {
 public:
  // `database` must outlive this object.
  Outbox(Database* database, TokenKeys keys, Settings settings);

  // Claims at most `limit` due e-mails and returns their facts. The result is empty only if no
  // e-mail is due. Validation e-mails come first. Within each kind, the accounts that cause e-mails
  // take turns. With `before`: e-mails written before it, oldest first. Drops e-mails that are no
  // longer wanted (the change is closed, the validator has answered or asked for another). Each
  // claim is separate: a later claim of the same server ends it like a claim of another server.
  absl::StatusOr<std::vector<MailFacts>> Claim(int64_t limit, absl::Duration lease, absl::Time now,
                                               std::optional<absl::Time> before = std::nullopt);

  // Number of e-mails to deliver, counted up to 10,000, and age of the oldest.
  struct Depth {
    int64_t mails = 0;
    absl::Duration oldest;
  };
  // Returns the depth at `now`.
  absl::StatusOr<Depth> GetDepth(absl::Time now);

  // Asked for the time once the changes are locked, so that times in a history do not run
  // backwards.
  using Clock = std::function<absl::Time()>;
  // Records that the mail server accepted the e-mails: removes the rows and, for validation
  // e-mails, sets the send time and hint and adds VALIDATION_SENT to the history, with the answer.
  // All must belong to the same claim.
  absl::Status Sent(const std::vector<MailFacts>& mails, const Clock& clock);
  // Puts an e-mail back until `next_try`, when it comes into line again.
  absl::Status Retry(const OutboxMail& mail, absl::Time next_try);
  // Gives e-mails back with the place that they had before the claim. Saves their `tries`. They are
  // due at `next_try`.
  absl::Status Release(const std::vector<OutboxMail>& mails, absl::Time next_try);
  // Gives an e-mail up: removes it and, for a validation e-mail, sets the hint and adds
  // VALIDATION_UNDELIVERABLE to the history, with the answer.
  absl::Status GiveUp(const MailFacts& mail, const Clock& clock);

 private:
  // Makes one claim. `found`: whether any e-mail was due, wanted or not.
  absl::StatusOr<std::vector<MailFacts>> ClaimSome(int64_t limit, absl::Duration lease,
                                                   absl::Time now,
                                                   const std::optional<Uuid>& before, bool& found);
  // Empty without the token's key: the renderer rejects the e-mail, and it is tried again later.
  std::string DeriveToken(const OutboxMail& mail, const Account& recipient,
                          const ContactChange* change) const;
  absl::Status Finish(const std::vector<MailFacts>& mails, EventType event, const Clock& clock);

  Database* const database_;
  const TokenKeys keys_;
  const Settings settings_;
};

}  // namespace contacts

#endif  // CONTACTS_CORE_ENGINE_OUTBOX_H_
