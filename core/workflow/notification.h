#ifndef CONTACTS_CORE_WORKFLOW_NOTIFICATION_H_
#define CONTACTS_CORE_WORKFLOW_NOTIFICATION_H_

#include <set>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "core/domain/account.h"
#include "core/domain/contact_change.h"
#include "core/domain/contact_override.h"
#include "core/domain/outbox_mail.h"

// The e-mails that are not about a step of a contact change, and which e-mails are still worth
// sending. Pure functions. E-mails are returned without ids.
namespace contacts {

// One e-mail for each account that lost or got a role by an operator's override. An item whose
// contact stays the same causes no e-mail.
std::vector<OutboxMail> MailsOfOverride(const ContactOverride& record, const std::string& cause,
                                        absl::Time now);

// The e-mail to the address that an account had before. `before` is the account before the change.
OutboxMail MailOfAddressChange(const Account& before, const std::string& cause, absl::Time now);

// The services of which an e-mail tells its recipient that it is admin now. `change` and `record`:
// what the e-mail is about, or null.
std::set<ServiceId> AdminRolesTold(const OutboxMail& mail, const ContactChange* change,
                                   const ContactOverride* record);

// The e-mails about the account's pending address: the token to that address, and a notice with the
// masked address to the present one. The first uses the account's own daily limit of e-mails.
std::vector<OutboxMail> MailsOfAskedAddress(const Account& account, const std::string& cause,
                                            absl::Time now);

// Whether an e-mail is still worth sending to `recipient` at `now`. A validation e-mail is, while
// its change is open, its validator has not answered and no later e-mail was asked for. A
// confirmation is, while its address is pending and no later one was asked for. Any other e-mail
// always is. `change` is the e-mail's contact change, null if there is none.
bool IsStillWanted(const OutboxMail& mail, const Account& recipient, const ContactChange* change,
                   absl::Time now);

}  // namespace contacts

#endif  // CONTACTS_CORE_WORKFLOW_NOTIFICATION_H_
